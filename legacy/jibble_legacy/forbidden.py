"""What a 403 without a reason means: a pure decision, one step at a time.

The old API answers so to one who is over the limit (documented), and perhaps to one who lacks a
right. Where nearly all of the limit is used, it is taken for the limit: everybody is held back
until there is room, and the request is sent again. Otherwise, or if that does not help, a request
that needs no particular right settles it. There is one such wait, one such question, and the
request is repeated twice at most.
"""

from __future__ import annotations

import enum

__all__ = ["Probe", "Procedure", "Step", "nearly_full"]

_NEARLY = 0.9


class Step(enum.Enum):
    """What to do next."""

    WAIT = "hold everybody back until there is room, then send the request again"
    PROBE = "send a request that needs no particular right"
    AGAIN = "send the request again"
    FORBIDDEN = "give up: a right is missing"
    UNDECIDED = "give up: it can't be told"


class Probe(enum.Enum):
    """What became of the request that needs no particular right."""

    ANSWERED = "answered"
    REFUSED = "refused in the same way"
    FAILED = "failed in another way, or not sent"


class Procedure:
    """The steps after a first refusal of one request."""

    __slots__ = ("_probe", "_waited")

    def __init__(self) -> None:
        self._waited = False
        self._probe: Probe | None = None

    def refused(self, *, crowded: bool) -> Step:
        """What to do after the request was refused, for the first time or again.

        Args:
            crowded: Whether there is reason to think that the limit is reached.
        """
        if self._probe is Probe.ANSWERED:
            return Step.FORBIDDEN
        if self._probe is not None:
            return Step.UNDECIDED
        return self._wait() if crowded and not self._waited else Step.PROBE

    def probed(self, probe: Probe) -> Step:
        """What to do after the question was put.

        Args:
            probe: What became of it.
        """
        self._probe = probe
        if probe is Probe.ANSWERED:
            return Step.AGAIN
        return self._wait() if probe is Probe.REFUSED and not self._waited else Step.UNDECIDED

    def _wait(self) -> Step:
        self._waited = True
        return Step.WAIT


def nearly_full(used: int | None, limit: int) -> bool:
    """Whether so much of a limit is used that a refusal is likely to be about it.

    Args:
        used: Requests that count at present; None if that is not known.
        limit: How many the server accepts.
    """
    return used is not None and used >= _NEARLY * limit
