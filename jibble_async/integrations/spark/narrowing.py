"""Conditions on the day of rows, as bounds of what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias, TypeVar

import msgspec
from pyspark.sql.datasource import (
    EqualNullSafe,
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    InputPartition,
    LessThan,
    LessThanOrEqual,
)

from jibble_async.integrations.spark.options import Asked, raw_set
from jibble_async.integrations.spark.source import Reader
from jibble_async.integrations.spark.tasks import Task, partitions_of

__all__ = ["NarrowingReader"]

F = TypeVar("F", bound=Filter)
Bounds: TypeAlias = tuple[date | None, date | None]

_DAY = timedelta(days=1)


class NarrowingReader(Reader):
    """One that asks for fewer days where a query has conditions on the day."""

    _bounds: Sequence[Bounds] = ()

    def pushFilters(self, filters: list[F]) -> Iterable[F]:  # noqa: N802 - Spark's name
        """Take conditions on the day as bounds; Spark looks at every row once more.

        Args:
            filters: The conditions, all of which have to hold.
        """
        raw = raw_set(self._asked())
        if raw.day is not None:
            self._bounds = [_bounds(each, raw.day) for each in filters]
        return filters

    def partitions(self) -> list[InputPartition]:
        """The tasks; none has anything to read where conditions leave no day."""
        asked = super()._asked()
        since, until = self._narrowed(asked)
        if since is not None and until is not None and since > until:
            # Of no partition Spark would make one of None.
            return partitions_of([Task(asked=asked, pieces=())])
        return super().partitions()

    def _asked(self) -> Asked:
        asked = super()._asked()
        since, until = self._narrowed(asked)
        return msgspec.structs.replace(asked, since=since, until=until)

    def _narrowed(self, asked: Asked) -> Bounds:
        lows = [low for low, _ in self._bounds if low is not None]
        highs = [high for _, high in self._bounds if high is not None]
        if asked.since is not None:
            lows.append(asked.since)
        if asked.until is not None:
            highs.append(asked.until)
        return max(lows, default=None), min(highs, default=None)


def _bounds(condition: Filter, day: str) -> Bounds:
    """The first and last day that a condition leaves; None where it leaves all."""
    given: Any = getattr(condition, "value", None)
    values: list[Any] = [*given] if isinstance(given, tuple | list) else [given]
    days = [each for each in values if isinstance(each, date) and not isinstance(each, datetime)]
    if getattr(condition, "attribute", None) != (day,) or not days or len(days) < len(values):
        return None, None
    low, high = min(days), max(days)
    match condition:
        case EqualTo() | EqualNullSafe() | In():
            return low, high
        case GreaterThanOrEqual():
            return low, None
        case LessThanOrEqual():
            return None, high
        case GreaterThan() if low < date.max:
            return low + _DAY, None
        case LessThan() if high > date.min:
            return None, high - _DAY
        case _:
            return None, None
