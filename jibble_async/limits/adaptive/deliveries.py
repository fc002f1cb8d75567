"""What a server accepted lately, and how fast."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Cycle", "Windows"]


class Cycle(Struct):
    """What was accepted since the end of an episode that did not come early."""

    since: float
    accepted: int = 0

    def delivery_rate(self, now: float) -> float:
        """Accepted requests per second until `now`."""
        return self.accepted / max(now - self.since, 1e-9)


class Windows(Struct):
    """What was accepted in the last window, and in the present one so far."""

    last: Cycle
    present: Cycle

    def count(self, now: float, length: float) -> None:
        """Count an accepted request; a window as long as `length` is over."""
        self.present.accepted += 1
        if now - self.present.since > length:
            self.last, self.present = self.present, Cycle(now)

    def delivery_rate(self, now: float) -> float:
        """Accepted requests per second until `now`."""
        accepted = self.last.accepted + self.present.accepted
        return Cycle(self.last.since, accepted).delivery_rate(now)

    def move(self, by: float) -> None:
        """Let all times be later by some seconds."""
        self.last.since += by
        self.present.since += by
