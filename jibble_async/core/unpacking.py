"""Bodies read to their end: half of one is no answer, and none grows past a cap, unpacked.

aiohttp takes gzip that breaks off for complete, so that unpacking is not left to it.
"""

from __future__ import annotations

import zlib
from typing import Any

from jibble_async.errors import ConnectionLostError, ResponseTooLargeError

__all__ = ["CODINGS", "Body"]

CODINGS = "gzip, deflate"
"""What may be asked for, as `Accept-Encoding` says it."""

_GZIP = b"\x1f"
_STEP = 64 * 1024


class Body:
    """A body that comes in parts; as it is, where its coding is none of those asked for.

    Args:
        coding: What `Content-Encoding` says.
        most: Bytes that it may have, unpacked.
    """

    def __init__(self, coding: str, most: int) -> None:
        codings = [each.strip() for each in coding.lower().split(",")]
        codings = [each for each in codings if each not in {"", "identity"}]
        self._packed = codings in (["gzip"], ["x-gzip"], ["deflate"])
        self._gzip = codings != ["deflate"]
        self._most = most
        self._left = most
        self._parts: list[bytes] = []
        self._unpacker: Any = None
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take the next part.

        Raises:
            ConnectionLostError: Its compression is broken.
            ResponseTooLargeError: It has more bytes than it may have.
        """
        if not self._packed:
            self._add(data)
            return
        while data:
            if self._unpacker is None:
                # Gzip may come in several members (RFC 1952, 2.2); what else follows is padding.
                if self._begun and not (self._gzip and data.startswith(_GZIP)):
                    return
                self._unpacker = zlib.decompressobj(_window(data[0], self._gzip))
                self._begun = True
            try:
                self._add(self._unpacker.decompress(data, _STEP))
            except zlib.error:
                raise ConnectionLostError("the answer broke off: broken compression") from None
            data = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                data = self._unpacker.unused_data
                self._unpacker = None

    def whole(self) -> bytes:
        """All of it.

        Raises:
            ConnectionLostError: It breaks off.
        """
        if self._unpacker is not None:
            # What is left of the output where the last part filled a step.
            self._add(self._unpacker.flush())
            if not self._unpacker.eof:
                raise ConnectionLostError("the answer broke off: its compressed body has no end")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _add(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise ResponseTooLargeError(f"the answer is larger than max_body_bytes={self._most}")
        self._parts.append(data)


def _window(first: int, gzip: bool) -> int:
    if gzip:
        return 16 + zlib.MAX_WBITS
    # Some servers leave the header away (RFC 9110, 8.4.1.2), whose low bits are always these.
    return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS
