"""What the script of `RedisWindow` does, said in Python, so that it can run in virtual time."""

from __future__ import annotations

from collections.abc import Sequence

Reply = list[str | int]


class ScriptModel:
    """A store for all workers of a test; `down` makes every call fail."""

    def __init__(self) -> None:
        self.now = 0.0
        self.down = False
        self.calls = 0
        self.flush()

    def flush(self) -> None:
        """Forget all."""
        self._held: dict[str, float] = {}
        self._cooling: dict[str, float] = {}
        self._epoch = ""
        self._closed = 0.0

    def run(self, now: float, args: Sequence[str | float]) -> Reply:
        """One call of the script at the store's time `now`.

        The line of processes is left out, and what bulk calls leave to interactive ones.
        """
        holder, first, clicks, bulk, _, limit, hold, known, fresh, trusted = args[:10]
        first, limit, hold = int(first), int(limit), float(hold)
        want = int(clicks) + int(bulk)
        self.calls += 1
        if (known and known != self._epoch) or (not self._epoch and not trusted):
            self._closed = now + hold
        self._epoch = self._epoch or str(fresh)
        for key, remaining in zip(args[19::2], args[20::2], strict=True):
            self._held.pop(str(key), None)
            self._cooling.pop(str(key), None)
            if float(remaining) > 0:
                self._cooling[str(key)] = now + float(remaining)
        for slots in (self._held, self._cooling):
            for key in [key for key, due in slots.items() if due <= now]:
                del slots[key]
        if want == 0 or self._closed > now:
            return [self._epoch, 0, str(max(0.0, self._closed - now))]
        free = limit - len(self._held) - len(self._cooling)
        if free > 0:
            count = min(want, free)
            self._held.update({f"{holder}:{first + i}": now + hold for i in range(count)})
            return [self._epoch, count, "0", limit - free + count, "0"]
        rest = str(max(min(self._cooling.values(), default=now + 0.1) - now, 0.01))
        return [self._epoch, 0, "0", limit, rest, rest, rest]
