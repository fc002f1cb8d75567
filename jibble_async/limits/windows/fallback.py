"""What a worker may send on its own while the store that counts for all is away."""

from __future__ import annotations

from collections.abc import Sequence

from jibble_async.limits.windows.stored import GivenBack

__all__ = ["FallbackQuota"]


class FallbackQuota:
    """A rolling window of a worker's own part of the limit, kept in memory.

    Args:
        limit: How many slots it has.
        lost_after: Seconds for which a slot counts that does not come back.
    """

    def __init__(self, limit: int, lost_after: float) -> None:
        self.limit = limit
        self._lost_after = lost_after
        self._free_at: dict[str, float] = {}

    def give_back(self, slot: GivenBack) -> bool:
        """Count `slot` on for as long as it says; False if it is not of this quota."""
        if slot.key not in self._free_at:
            return False
        if slot.free_at is None:
            del self._free_at[slot.key]
        else:
            self._free_at[slot.key] = slot.free_at
        return True

    def take(self, keys: Sequence[str], now: float) -> Sequence[str]:
        """As many of `keys` as are free are counted from now on, and returned."""
        self._free_at = {key: due for key, due in self._free_at.items() if due > now}
        granted = keys[: max(0, self.limit - len(self._free_at))]
        self._free_at.update(dict.fromkeys(granted, now + self._lost_after))
        return granted

    def dues(self, look: int) -> list[float]:
        """When the next `look` slots come due; sorted."""
        return sorted(self._free_at.values())[:look]

    def counted(self) -> list[GivenBack]:
        """All that is counted, for the store to count when it is back."""
        return [GivenBack(key, due) for key, due in self._free_at.items()]

    def clear(self) -> None:
        """Forget all: the store counts again."""
        self._free_at.clear()
