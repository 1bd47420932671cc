"""The outside of a statement's text: its first word, and where it ends."""

import re
from collections.abc import Iterator

from flightdb.errors import InvalidQuery

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<line>--[^\n]*)
      | (?P<block>/\*)
      | (?P<dollar>\$(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?\$)
      | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<text>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<end>;)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<run>[^\s\-/$'";A-Za-z_(]+)
      | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_BETWEEN = frozenset({"OR", "REPLACE", "TEMP", "TEMPORARY", "LOCAL", "PERSISTENT", "UNIQUE"})
_HEAD_LENGTH = 4_096
"""The words looked for come first; a long text is not read to its end for them."""


def first_word(sql: str) -> str:
    """The first word in upper case, comments and opening brackets skipped; "" where there is none."""
    for kind, word, _ in _tokens(sql):
        if kind == "word":
            return word.upper()
        if word != "(":
            return ""
    return ""


def made_object(sql: str) -> str:
    """What a CREATE or DROP makes or removes, in upper case: `create or replace temp view v` gives `VIEW`."""
    words = [token.upper() for kind, token, _ in _tokens(sql[:_HEAD_LENGTH]) if kind == "word"]
    return next((word for word in words[1:] if word not in _BETWEEN), "")


def one_statement(sql: str) -> str:
    """The text without the semicolons that end it.

    Raises:
        InvalidQuery: something other than comments follows a semicolon.
    """
    end = None
    for kind, _, start in _tokens(sql):
        if kind == "end":
            end = start if end is None else end
        elif end is not None:
            raise InvalidQuery(
                "expected one statement: another begins after a semicolon", position=start
            )
    return sql if end is None else sql[:end]


def _tokens(sql: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and start of all tokens but space and comments."""
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            return
        kind, start = match.lastgroup or "", position
        position = match.end()
        if kind == "block":
            position = _end_of_block(sql, position)
        elif kind == "dollar":
            close = sql.find(match.group(), position)
            position = len(sql) if close < 0 else close + len(match.group())
            yield "text", "", start
        elif kind not in ("space", "line"):
            yield kind, match.group(), start


def _end_of_block(sql: str, position: int) -> int:
    """Block comments nest."""
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(sql, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(sql)
