"""The OpenAPI document and the page to try the API."""

import base64
import hashlib
import re
from importlib import resources

from flightdb.rest.exchange import Exchange

PAGE_HEADERS = ((b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"))


class Pages:
    """The endpoints; both answers are made once."""

    def __init__(self) -> None:
        """Reads the page from the package; the document comes with `publish`."""
        page = resources.files("flightdb.rest").joinpath("docs_page.html").read_bytes()
        self._page = page
        self._policy = _policy(page)
        self._document = b"{}"

    def publish(self, document: bytes) -> None:
        """Sets the document, which is made from the routes, of which this is one."""
        self._document = document

    async def openapi(self, exchange: Exchange) -> None:
        """The document."""
        await exchange.reply(200, self._document)

    async def docs(self, exchange: Exchange) -> None:
        """The page."""
        policy = (b"content-security-policy", self._policy)
        extra = (policy, *PAGE_HEADERS)
        await exchange.reply(200, self._page, b"text/html; charset=utf-8", extra)


def _policy(page: bytes) -> bytes:
    """Lets the page's own script and style run, and nothing that gets into it otherwise."""
    sources = []
    for tag in (b"script", b"style"):
        found = re.findall(b"<%b>(.*?)</%b>" % (tag, tag), page, re.DOTALL)
        hashes = (base64.b64encode(hashlib.sha256(text).digest()) for text in found)
        sources.append(b"%b-src %b" % (tag, b" ".join(b"'sha256-%b'" % text for text in hashes)))
    return b"default-src 'none'; connect-src 'self'; base-uri 'none'; " + b"; ".join(sources)
