"""Bytes that only this server can have made."""

import hashlib
import hmac

from flightdb.errors import InvalidRequest

MAC_SIZE = 16
"""Bytes of HMAC-SHA256 kept: 128 bits cannot be guessed, and tickets stay short."""

VERSION = b"\x01"


class Seal:
    """Seals and opens byte strings; not encrypted, but not to be changed or made up.

    Thread-safe.
    """

    def __init__(self, secret: bytes) -> None:
        """Nodes that are to open one another's seals share `secret`."""
        self._key = hashlib.sha256(b"flightdb seal" + secret).digest()

    def seal(self, purpose: bytes, content: bytes) -> bytes:
        """`content` with its seal; it opens for the same `purpose` only."""
        return VERSION + self._mac(purpose, content) + content

    def open(self, purpose: bytes, sealed: bytes) -> bytes:
        """The content.

        Raises:
            InvalidRequest: made elsewhere, changed, cut short, or for another purpose.
        """
        version, mac, content = sealed[:1], sealed[1 : 1 + MAC_SIZE], sealed[1 + MAC_SIZE :]
        if version != VERSION or not hmac.compare_digest(mac, self._mac(purpose, content)):
            raise InvalidRequest(
                f"{purpose.decode()} is not valid: expected one made by this server, unchanged, size_bytes={len(sealed)}"
            )
        return content

    def _mac(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + content, "sha256")[:MAC_SIZE]
