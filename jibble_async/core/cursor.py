"""Where a walk over pages stands: small, serialisable, and bound to its query."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from jibble_async.errors import ConfigurationError

__all__ = ["Cursor", "fingerprint", "short_hash"]

_VERSION = 1


class Cursor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The place from which a walk goes on.

    It holds no credential, and can be given away. What comes back can't reach more than the query
    itself can, but it can skip rows: where that matters, sign it (`cursor_key=`). Over a resume,
    rows are delivered at least once.
    """

    fingerprint: str
    """Of the query; another query refuses the cursor."""
    offset: int = 0
    """Rows before this place."""
    link: str | None = None
    """The server's next link, if that is how the walk goes on."""
    behind: int = 0
    """Rows before this place that are read again, because later ones depend on them; they are not
    delivered again."""
    seam: str | None = None
    """A short hash of the key of the row before this place, where that is known."""
    mark: str | None = None
    """Where the rows begin that the walk was on, if they were found by their order."""
    signature: str | None = None
    """The hash by which its maker knows it, in hexadecimal digits."""
    version: int = _VERSION
    """Of this form."""

    def __str__(self) -> str:
        data = msgspec.json.encode(self)
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def signed(self, key: bytes) -> Cursor:
        """The same, so that whoever has the key knows that nobody changed it."""
        data = msgspec.json.encode(replace(self, signature=None))
        return replace(self, signature=hmac.new(key, data, hashlib.sha256).hexdigest())

    def require_signed(self, key: bytes) -> None:
        """Refuse it unless it was signed with this key.

        Raises:
            ConfigurationError: It was not, or it was changed since.
        """
        signature = self.signed(key).signature or ""
        if not hmac.compare_digest(signature.encode(), (self.signature or "").encode()):
            raise ConfigurationError(
                "resume_from= was not signed with this cursor_key=, or was changed since"
            )

    @classmethod
    def parse(cls, text: str | Cursor) -> Cursor:
        """The cursor that `str(cursor)` gave.

        Raises:
            ConfigurationError: The text is not a cursor, or one of another version.
        """
        if isinstance(text, Cursor):
            return text
        given: Any = text
        if not isinstance(given, str):
            kind = type(given).__name__
            raise ConfigurationError(f"resume_from= is {kind}, not a cursor: pass str(page.cursor)")
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            cursor = msgspec.json.decode(data, type=cls)
        except (ValueError, msgspec.MsgspecError, RecursionError):
            raise ConfigurationError(
                "resume_from= is not a cursor: pass str(page.cursor)"
            ) from None
        if cursor.version != _VERSION or not 0 <= cursor.behind <= cursor.offset:
            raise ConfigurationError(
                f"resume_from= is a cursor of version {cursor.version}, which this release "
                "can't read: start the walk again"
            )
        return cursor


def short_hash(key: str) -> str:
    """What tells a row's key from others, and does not give it away."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fingerprint(parts: Iterable[str]) -> str:
    """A short text that differs for different queries."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]
