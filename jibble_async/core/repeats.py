"""Rows that come twice, because others moved between two requests or the server repeats itself."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Repeats", "Sample"]

T = TypeVar("T")

_MOST_SAMPLED = 1 << 16
# Of a sample, so many that are all known show that what they are a sample of is known too.
_ENOUGH = 8
# What of a key servers sort by first: all of it, or a GUID's last group, as SQL Server does.
_SORTED_BY = (None, operator.itemgetter(slice(24, None)))


class Sample:
    """Which keys a walk has met: all of them at first, and then every second, fourth, … one.

    So whether a server goes round in circles is known in bounded memory. (Adaptive sampling: a
    key is in the sample if the last bits of its hash are 0, and what bits grows.)

    Args:
        most: Keys to remember.

    Attributes:
        met: The hashes of those in the sample.
        whole: Whether those are all.
    """

    def __init__(self, most: int = _MOST_SAMPLED) -> None:
        self._most = most
        self.met: set[int] = set()
        self.whole: bool = True
        self._mask = 0
        self._known = 0

    def brings_new(self, hashes: set[int]) -> bool:
        """Whether there may be a new one among the keys of a page, by their hashes; met now."""
        mask = self._mask
        sampled = {each for each in hashes if not each & mask} if mask else hashes
        # Mostly they are, and then nothing need be taken from them.
        new = sampled if sampled.isdisjoint(self.met) else sampled - self.met
        self._known = 0 if new else self._known + len(sampled)
        self.met |= new
        while len(self.met) > self._most:
            self.whole = False
            self._mask = 2 * self._mask + 1
            self.met = {each for each in self.met if not each & self._mask}
        return self._known < (_ENOUGH if mask else 1)


class Repeats(Generic[T]):
    """Remembers which rows were on the last pages.

    While keys only ascend, as they do in a set that is sorted by them, no row can be a repetition
    and one text of each page's keys is all that is kept. From the first that does not, hashes are
    compared, and a text is the proof when one is met again. The keys themselves are never kept: a
    string that outlives its page keeps the memory around it from being used for the next one,
    which costs a tenth of a whole walk.

    Args:
        key: What tells a row from others; None if it has nothing of the kind.
        pages: How many pages to remember at least; twice as many at most.

    Attributes:
        stale: Whether each row of the last page was on some page before it.
    """

    def __init__(self, key: Callable[[T], str | None], pages: int) -> None:
        self._key = key
        self._pages = pages
        self._texts: deque[str] = deque(maxlen=2 * pages)
        self._ascending = True
        self._highest = ""
        self._sorted_by: Callable[[Any], Any] | None = None
        self._sample = Sample()
        # The hashes of the pages remembered, once the sample has not all of them. Of the two sets
        # the older is dropped whole: taking keys out one by one costs more.
        self._near: tuple[set[int], set[int]] | None = None
        self._near_pages = 0
        # Of the pages that were met while keys ascended: the ends of each stand for its rows.
        self._ends: set[int] = set()
        self.stale: bool = False

    def unseen(self, items: list[T]) -> list[T]:
        """The rows that were not on the pages remembered, nor before on this one.

        Args:
            items: The rows of the next page, which is remembered.
        """
        keys: list[Any] = list(map(self._key, items))
        fresh, self.stale = items, False
        ends = hash((keys[0], keys[-1], len(keys))) if keys else 0
        if self._ascending and self._ascend(keys):
            self._ends.add(ends)
        else:
            keys = list(filter(None, keys))
            fresh = self._compared(items, keys)
            self.stale |= ends in self._ends
            self.stale &= 0 < len(keys) == len(items)
        self._texts.append("\0".join(("", *keys, "")))
        return fresh

    def _ascend(self, keys: list[Any]) -> bool:
        # By what they are sorted shows on the first page.
        for sorted_by in (self._sorted_by,) if self._highest else _SORTED_BY:
            highest = self._highest
            try:
                for part in keys if sorted_by is None else map(sorted_by, keys):
                    if not highest < part:
                        break
                    highest = part
                else:
                    self._sorted_by, self._highest = sorted_by, highest
                    return True
            except TypeError:
                # One has no key.
                return False
        return False

    def _compared(self, items: list[T], keys: list[str]) -> list[T]:
        if self._ascending:
            self._ascending = False
            self._sample.brings_new(self._hashes_of_texts())
        hashes = set(map(hash, keys))
        known = self._known()
        fresh = items
        if len(hashes) < len(keys) or not all(map(hashes.isdisjoint, known)):
            fresh = self._one_by_one(items, known)
        self.stale = not self._sample.brings_new(hashes)
        if not self._sample.whole:
            self._remember(hashes)
        return fresh

    def _known(self) -> tuple[set[int], ...]:
        if self._sample.whole:
            return (self._sample.met,)
        if self._near is None:
            self._near = set(), self._hashes_of_texts()
        return self._near

    def _remember(self, hashes: set[int]) -> None:
        newer = self._known()[-1]
        if self._near_pages == self._pages:
            older, newer = newer, set[int]()
            self._near, self._near_pages = (older, newer), 0
        newer |= hashes
        self._near_pages += 1

    def _hashes_of_texts(self) -> set[int]:
        return {hash(key) for text in self._texts for key in text.split("\0")}

    def _one_by_one(self, items: list[T], known: Sequence[set[int]]) -> list[T]:
        fresh: list[T] = []
        here: set[str] = set()
        for item in items:
            key = self._key(item)
            if not key or (key not in here and not self._remembered(key, known)):
                fresh.append(item)
            if key:
                here.add(key)
        return fresh

    def _remembered(self, key: str, known: Sequence[set[int]]) -> bool:
        if not any(hash(key) in hashes for hashes in known):
            return False
        return any(f"\0{key}\0" in text for text in self._texts)
