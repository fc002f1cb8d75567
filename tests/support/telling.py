"""Whether what was told of calls fits together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from jibble_async.events import (
    AttemptFinished,
    AttemptStarted,
    CallEvent,
    CallFinished,
    CallStarted,
    Event,
    ExportFinished,
    ExportStarted,
    WalkFinished,
    WalkStarted,
)


def unfinished(events: Iterable[Event]) -> list[str]:
    """What was told of without its beginning or its end, or after it."""
    calls: defaultdict[str, list[CallEvent]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    for event in events:
        match event:
            case CallEvent():
                calls[event.call_id].append(event)
            case WalkStarted():
                counts[f"walk {event.walk_id}"] += 1
            case WalkFinished():
                counts[f"walk {event.walk_id}"] -= 1
            case ExportStarted():
                counts[event.operation] += 1
            case ExportFinished():
                counts[event.operation] -= 1
            case _:
                pass
    found = [name for name, count in counts.items() if count]
    for name, told in calls.items():
        ends = [type(each) for each in told if isinstance(each, CallStarted | CallFinished)]
        sent = [type(each) for each in told if isinstance(each, AttemptStarted | AttemptFinished)]
        labels = {(each.operation, each.service, each.method, each.path) for each in told}
        whole = ends == [CallStarted, CallFinished] and isinstance(told[-1], CallFinished)
        paired = sent == [AttemptStarted, AttemptFinished] * (len(sent) // 2)
        if not (whole and paired and len(labels) == 1):
            found.append(f"call {name}: {told}")
    return found
