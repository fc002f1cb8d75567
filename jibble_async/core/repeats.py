"""Rows that come twice, because others moved between two requests or the server repeats itself."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Repeats", "Sample"]

T = TypeVar("T")

_MOST_SAMPLED = 1 << 16
# Of a sample, so many that are all known show that what they are a sample of is known too.
_ENOUGH = 8


class Sample:
    """Which keys a walk has met: all of them at first, and then every second, fourth, … one.

    So whether a server goes round in circles is known in bounded memory. (Adaptive sampling: a
    key is in the sample if the last bits of its hash are 0, and what bits grows.)

    Args:
        most: Keys to remember.
    """

    def __init__(self, most: int = _MOST_SAMPLED) -> None:
        self._most = most
        self._met: set[int] = set()
        self._mask = 0
        self._known = 0

    def brings_new(self, hashes: set[int]) -> bool:
        """Whether there may be a new one among the keys of a page, by their hashes; met now."""
        mask = self._mask
        sampled = {each for each in hashes if not each & mask} if mask else hashes
        new = sampled - self._met
        self._known = 0 if new else self._known + len(sampled)
        self._met |= new
        while len(self._met) > self._most:
            self._mask = 2 * self._mask + 1
            self._met = {each for each in self._met if not each & self._mask}
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
        # Two sets, of which the older is dropped whole: taking keys out one by one costs more.
        self._hashes: set[int] = set()
        self._older_hashes: set[int] = set()
        self._hashed_pages = 0
        self._sample = Sample()
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
            keys = [key for key in keys if key]
            fresh = self._compared(items, keys)
            self.stale |= ends in self._ends
            self.stale &= 0 < len(keys) == len(items)
        self._texts.append("\0".join(("", *keys, "")))
        return fresh

    def _ascend(self, keys: list[Any]) -> bool:
        try:
            if not all(map(operator.lt, (self._highest, *keys), keys)):
                return False
        except TypeError:
            # One has no key.
            return False
        self._highest = keys[-1] if keys else self._highest
        return True

    def _compared(self, items: list[T], keys: list[str]) -> list[T]:
        if self._ascending:
            self._ascending = False
            for text in self._texts:
                self._hashes.update(map(hash, text.split("\0")))
        hashes = set(map(hash, keys))
        fresh = items
        self.stale = not self._sample.brings_new(hashes)
        if (
            len(hashes) < len(keys)
            or not hashes.isdisjoint(self._hashes)
            or not hashes.isdisjoint(self._older_hashes)
        ):
            fresh = self._one_by_one(items)
        if self._hashed_pages == self._pages:
            self._hashes, self._older_hashes = set(), self._hashes
            self._hashed_pages = 0
        self._hashes |= hashes
        self._hashed_pages += 1
        return fresh

    def _one_by_one(self, items: list[T]) -> list[T]:
        fresh: list[T] = []
        here: set[str] = set()
        for item in items:
            key = self._key(item)
            if not key or (key not in here and not self._remembered(key)):
                fresh.append(item)
            if key:
                here.add(key)
        return fresh

    def _remembered(self, key: str) -> bool:
        if hash(key) not in self._hashes and hash(key) not in self._older_hashes:
            return False
        return any(f"\0{key}\0" in text for text in self._texts)
