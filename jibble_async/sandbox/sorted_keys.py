"""Keys in order, to which single ones are added while a million are there.

They lie in short lists one behind the other, so that an addition moves a few hundred neighbours
and not all that come after it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Key: TypeAlias = tuple[str, ...]

TOP = "\U0010ffff"
"""Comes after every text, so `(value, TOP)` is behind all keys that begin with the value."""

_HALF = 500


class SortedKeys:
    """A sorted collection of different keys.

    Args:
        keys: What it begins with, in any order.

    Example:
        >>> keys = SortedKeys([("b", "2"), ("a", "1")])
        >>> keys.add(("a", "3"))
        >>> list(keys.between(("a",), ("a", TOP)))
        [('a', '1'), ('a', '3')]
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        ordered = sorted(keys)
        self._parts = [ordered[at : at + _HALF] for at in range(0, len(ordered), _HALF)]
        self._lasts = [part[-1] for part in self._parts]

    def add(self, key: Key) -> None:
        """Puts a key in its place."""
        if not self._parts:
            self._parts, self._lasts = [[key]], [key]
            return
        place = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        part = self._parts[place]
        insort(part, key)
        if len(part) > 2 * _HALF:
            self._parts.insert(place + 1, part[_HALF:])
            self._lasts.insert(place + 1, part[-1])
            del part[_HALF:]
        self._lasts[place] = part[-1]

    def remove(self, key: Key) -> None:
        """Takes a key out.

        Raises:
            KeyError: It is not there.
        """
        place = bisect_left(self._lasts, key)
        part = self._parts[place] if place < len(self._parts) else []
        at = bisect_left(part, key)
        if part[at : at + 1] != [key]:
            raise KeyError(key)
        del part[at]
        # What is noted as a list's last key may come after all of its keys: it still parts them
        # from the next list's.
        if not part:
            del self._parts[place], self._lasts[place]

    def count(self, low: Key, high: Key) -> int:
        """How many keys there are from `low` on and before `high`."""
        (first, start), (last, stop) = self._place(low), self._place(high)
        if (first, start) >= (last, stop):
            return 0
        return sum(map(len, self._parts[first:last])) + stop - start

    def between(self, low: Key, high: Key, *, backwards: bool = False) -> Iterator[Key]:
        """The keys from `low` on and before `high`, in order, or in the opposite one."""
        (first, start), (last, stop) = self._place(low), self._place(high)
        step = -1 if backwards else 1
        for place in range(first, last + 1)[::step]:
            if place < len(self._parts):
                part = self._parts[place]
                begin = start if place == first else 0
                end = stop if place == last else len(part)
                yield from part[begin:end][::step]

    def _place(self, key: Key) -> tuple[int, int]:
        part = bisect_left(self._lasts, key)
        if part == len(self._parts):
            return part, 0
        return part, bisect_left(self._parts[part], key)
