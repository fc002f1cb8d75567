"""What is odd about entries that are moved as they are, and whether hours fit the time zone."""

from __future__ import annotations

import msgspec

__all__ = ["Oddities"]

_MORNING, _EVENING = 5, 16


class Oddities(msgspec.Struct, kw_only=True):
    """What is odd about the entries of one person of the new account.

    Two people of the old account may be one over there, so only there can be told what follows
    what.

    Attributes:
        ins: How many Ins there are.
        day_ins: How many of them are from 5 to 16 o'clock on the person's clock.
        no_end: Ins after which the next entry is another In.
        no_beginning: Outs before which there is no In.
        outs_after_outs: How many of those follow another Out, which the new account refuses.
    """

    ins: int = 0
    day_ins: int = 0
    no_end: int = 0
    no_beginning: int = 0
    outs_after_outs: int = 0
    _before: str = ""

    def would_repeat(self, kind: str) -> bool:
        """Whether an Out would follow another."""
        return kind == self._before == "Out"

    def follow(self, kind: str) -> None:
        """Somebody else's entry lies between: it is not counted, but others follow it."""
        self._before = kind

    def add(self, kind: str) -> None:
        """Count an entry, in the order of time.

        Args:
            kind: `In` or `Out`.
        """
        if kind == "In":
            self.ins += 1
            self.no_end += self._before == "In"
        elif self._before != "In":
            self.no_beginning += 1
            self.outs_after_outs += self._before == "Out"
        self._before = kind

    def begin_at(self, hour: int) -> None:
        """Count the hour at which work begins, on the person's clock."""
        self.day_ins += _MORNING <= hour < _EVENING

    @property
    def zone_is_doubtful(self) -> bool:
        """Whether most work begins at night: people do so, or the time zone is another."""
        return self.day_ins * 2 < self.ins
