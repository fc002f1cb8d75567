"""What an adaptive limiter learnt, kept in a file from one run of a program to the next."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from zlib import crc32

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, encode

from jibble_async.limits.adaptive.pacer import Pacer

__all__ = ["KeptPacer"]

MAGIC = b"jibble-async pace 1\n"
"""What a file begins with: what it is, and of which version."""
LARGEST = 1 << 16
"""A larger file is something else, in bytes."""

logger: logging.Logger = logging.getLogger("jibble_async.limits")


class Kept(Struct):
    """What is in a file.

    Attributes:
        written_at: When it was written, in seconds since 1970.
        now: The same moment by the clock of the pacer.
        pacer: What was known.
    """

    written_at: float
    now: float
    pacer: Pacer


DECODER = Decoder(Kept)


class KeptPacer:
    """A file with a `Pacer`.

    It is for its owner only, replaced as a whole, and not needed: what can't be read is ignored,
    what can't be written is not kept. The log says so, once.

    Args:
        path: The file; made, with its folder, when something was learnt.
        clock: Seconds since 1970.
    """

    def __init__(self, path: str | PathLike[str], clock: Callable[[], float] = time.time) -> None:
        self.path: Path = Path(path).expanduser()
        self._clock = clock
        self._written_for = -math.inf
        self._warned = False

    def load(self, now: float) -> Pacer | None:
        """What is in the file, brought to the time `now` of the caller's clock; None if nothing."""
        try:
            with self.path.open("rb") as file:
                data = file.read(LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("read", error)
            return None
        try:
            kept = self._decoded(data)
        except (DecodeError, ValueError) as error:
            self._warn("read", error)
            return None
        # A clock that was put back shows nothing of the age.
        age = max(0.0, self._clock() - kept.written_at)
        kept.pacer.resume(now, kept.now, age)
        self._written_for = kept.pacer.asked_at
        return kept.pacer

    def save(self, pacer: Pacer, now: float) -> None:
        """Write what is known, if something was asked since it was last written."""
        # What was asked last also stands for what was learnt.
        if pacer.asked_at == self._written_for:
            return
        self._written_for = pacer.asked_at
        state = encode(Kept(self._clock(), now, pacer))
        try:
            self._write(MAGIC + crc32(state).to_bytes(4, "big") + state)
        except OSError as error:
            self._warn("kept", error)

    def _decoded(self, data: bytes) -> Kept:
        if not data.startswith(MAGIC):
            raise ValueError("it is something else, or of another version")
        checksum, state = data[len(MAGIC) : len(MAGIC) + 4], data[len(MAGIC) + 4 :]
        if crc32(state).to_bytes(4, "big") != checksum:
            raise ValueError("it is damaged")
        kept = DECODER.decode(state)
        if not 0 < kept.pacer.rate < math.inf:
            raise ValueError("it holds no rate")
        return kept

    def _write(self, data: bytes) -> None:
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made for its owner only.
        handle, name = tempfile.mkstemp(prefix=f"{self.path.name}.", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _warn(self, what: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "what was learnt of the limit can't be %s (%s): %s", what, self.path, error
            )
