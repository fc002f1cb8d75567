"""Where a walk over pages stands: small, serialisable, and bound to its query."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import msgspec

from jibble_async.errors import ConfigurationError

__all__ = ["Cursor", "fingerprint"]

_VERSION = 1


class Cursor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The place from which a walk goes on.

    It holds no credential, and can be given away; one that comes back from a hand you don't trust
    should be signed. Over a resume, rows are delivered at least once.

    Attributes:
        fingerprint: Of the query; another query refuses the cursor.
        offset: Rows before this place.
        link: The server's next link, if that is how the walk goes on.
        behind: Rows before this place that are read again, because later ones depend on them;
            they are not delivered again.
        version: Of this form.
    """

    fingerprint: str
    offset: int = 0
    link: str | None = None
    behind: int = 0
    version: int = _VERSION

    def __str__(self) -> str:
        data = msgspec.json.encode(self)
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str | Cursor) -> Cursor:
        """The cursor that `str(cursor)` gave.

        Raises:
            ConfigurationError: The text is not a cursor, or one of another version.
        """
        if isinstance(text, Cursor):
            return text
        try:
            text.encode("ascii")
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            cursor = msgspec.json.decode(data, type=cls)
        except (AttributeError, ValueError, msgspec.MsgspecError, RecursionError):
            raise ConfigurationError(
                "resume_from= is not a cursor: pass str(page.cursor)"
            ) from None
        if cursor.version != _VERSION or not 0 <= cursor.behind <= cursor.offset:
            raise ConfigurationError(
                f"resume_from= is a cursor of version {cursor.version}, which this release "
                "can't read: start the walk again"
            )
        return cursor


def fingerprint(parts: Iterable[str]) -> str:
    """A short text that differs for different queries."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]
