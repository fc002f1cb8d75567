"""The course of a walk that no change of the set can lead astray: it goes on at rows met again.

Rows come in an order that does not change, such as that of their ids, by their place: `$skip` and
`$top`. Places shift while rows come and go, so pages overlap, and a page goes on behind the last
row on it that was delivered before. What is taken is what "after that row" would have given, for
which the API has no words. So a shift costs nothing, nothing is given twice, and whatever was
there all the time is given.

Pure: nothing here waits or sends. Keys are compared for equality only, since a server may sort
GUIDs in an order of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from jibble_async.errors import ConfigurationError, PaginationError

__all__ = ["AnchorLostError", "AnchoredCourse", "Lengths", "Place"]

OVERLAP = 2
"""Rows that pages share: as many may go away between two pages without costing a request."""

# A walk looks for its place among the rows of so many pages at least, and of twice as many at most.
_REMEMBERED_PAGES = 32
_KEPT_ANCHORS = 5
_IDLE_PAGES = 20


class AnchorLostError(PaginationError):
    """None of the rows that were delivered is met again: the window is to be begun again."""


class Place(msgspec.Struct, frozen=True):
    """Where a walk goes on.

    Attributes:
        skip: Rows before the page that is to be asked for.
        anchors: The keys of the last rows that were delivered, one of which must be met again.
    """

    skip: int = 0
    anchors: tuple[str, ...] = ()


class Lengths:
    """The longest page that a server gave for each number of rows asked for.

    Shared by the walks of an export, so that only one of them has to find out whether a server
    caps its pages.
    """

    def __init__(self) -> None:
        self._longest: defaultdict[int, int] = defaultdict(int)

    def note(self, asked: int, received: int) -> int:
        """The longest page so far, this one included."""
        self._longest[asked] = longest = max(self._longest[asked], received)
        return longest


class AnchoredCourse:
    """One walk over one window.

    Args:
        size: Rows to ask for at a time.
        overlap: Rows that pages share; half of a page at most.
        lengths: What is known of the server's pages.
        place: Where to go on; the beginning by default.

    Attributes:
        done: Whether the end was reached.
        steps_back: How often a page had to be looked for again.

    Raises:
        ConfigurationError: Pages of one row, which can't overlap.

    Example:
        >>> course = AnchoredCourse(100)
        >>> while not course.done:
        ...     keys = page(*course.request())
        ...     fresh = keys[course.take(keys) :]
    """

    def __init__(
        self,
        size: int,
        *,
        overlap: int = OVERLAP,
        lengths: Lengths | None = None,
        place: Place | None = None,
    ) -> None:
        if size < 2 or overlap < 1:
            raise ConfigurationError(
                f"pages of {size} with an overlap of {overlap}: pages must share a row and bring "
                "another, so at least 2 rows and an overlap of 1 are needed"
            )
        place = Place() if place is None else place
        self.done: bool = False
        self.steps_back: int = 0
        self._size = size
        self._overlap = overlap
        self._lengths = Lengths() if lengths is None else lengths
        self._skip = place.skip
        self._anchors = place.anchors
        # By their hashes, since a text that outlives its page keeps the memory around it in use.
        # Two sets, of which the older is dropped whole.
        self._met: set[int] = set(map(hash, place.anchors))
        self._met_before: set[int] = set()
        self._pages = 0
        self._idle = 0
        self._resuming = bool(place.anchors)

    def request(self) -> tuple[int, int]:
        """The rows to skip, and how many to ask for."""
        return self._skip, self._size

    @property
    def place(self) -> Place:
        """Where to go on after the last page that was taken."""
        return Place(self._skip, self._anchors)

    def take(self, keys: Sequence[str], counted: int | None = None) -> int:
        """The index from which on the rows of a page are new.

        No count is believed to be the end; one that is higher than what came may only keep a walk
        from ending.

        Args:
            keys: The keys of the page's rows, in its order.
            counted: What the server counts, if it does.

        Raises:
            AnchorLostError: None of the rows that were delivered is where they were.
            PaginationError: Pages bring nothing new, one after the other.
        """
        received = len(keys)
        longest = self._lengths.note(self._size, received)
        fresh = self._after_anchor(keys)
        if fresh is None:
            self._look_elsewhere(received, longest)
            return received
        self._resuming = False
        if fresh < received:
            self._remember(keys[fresh:])
            self._anchors = tuple(keys[-_KEPT_ANCHORS:])
            self._idle = 0
        else:
            self._note_idle(longest)
        # A page that is short may have been capped, unless the server gave longer ones.
        if received < self._size and received < max(longest, 1):
            more = counted is not None and counted > self._skip + received
            if not more or fresh == received:
                self.done = True
                return fresh
        self._skip += self._stride(received)
        return fresh

    def _after_anchor(self, keys: Sequence[str]) -> int | None:
        """The index behind the last row that was met before; None if none of these was."""
        if not self._met:
            return 0
        met, before = self._met, self._met_before
        for index in range(len(keys) - 1, -1, -1):
            each = hash(keys[index])
            if each in met or each in before:
                return index + 1
        return None

    def _look_elsewhere(self, received: int, longest: int) -> None:
        """Step back: rows before this page went away, so that it begins too late."""
        # Behind a single row pages can't overlap, and all that came before is on one page.
        if received == 0 and (self._skip == 0 or longest <= 1):
            self.done = True
            return
        again = self._resuming and self.steps_back > 0
        if self._skip == 0 or again:
            raise AnchorLostError("none of the rows delivered before was met again")
        self._note_idle(longest)
        self.steps_back += 1
        self._skip = max(0, self._skip - self._stride(longest))

    def _stride(self, received: int) -> int:
        """How far the next page is from one of so many rows: further than nothing, always."""
        return max(1, received - min(self._overlap, received // 2))

    def _note_idle(self, longest: int) -> None:
        self._idle += 1
        if self._idle <= _IDLE_PAGES + 2 * self._pages:
            return
        if longest == 1:
            raise PaginationError(
                f"the server gives one row where {self._size} are asked for: pages can't overlap"
            )
        raise PaginationError(f"{self._idle} pages, one after the other, brought nothing new")

    def _remember(self, keys: Sequence[str]) -> None:
        if self._pages and self._pages % _REMEMBERED_PAGES == 0:
            self._met, self._met_before = set[int](), self._met
        self._pages += 1
        self._met.update(map(hash, keys))
