"""A set of rows as a Polars query, which reads the days and columns that it needs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jibble_async.api.set_names import SetName
from jibble_async.errors import MissingExtraError
from jibble_async.export.ahead import Ahead, Give
from jibble_async.export.batches import Connect, record_batches
from jibble_async.export.proof.plan import Extent
from jibble_async.tables.schema import schema_of

if TYPE_CHECKING:
    from polars import DataFrame, Expr, LazyFrame

__all__ = ["scan"]

_EPOCH = date(1970, 1, 1)
_DAY = timedelta(days=1)
# Comparisons whose sides change places.
_TURNED = {"Eq": "Eq", "GtEq": "LtEq", "Gt": "Lt", "LtEq": "GtEq", "Lt": "Gt"}


def scan(
    connect: Connect,
    what: SetName,
    *,
    since: date | None = None,
    until: date | None = None,
    include_archived: bool = False,
    secrets: bool = False,
    concurrency: int = 4,
) -> LazyFrame:
    """A `polars.LazyFrame` of a set's rows, of which a query reads what it needs.

    Days that a query asks for narrow what the server is asked for: conditions that compare the day
    of the rows (`belongsToDate`) with dates, alone or joined by `&`. By all others Polars filters
    rows that came. Columns that it does not name come, and are not decoded.

    Nothing is kept: each `collect()` reads, and a query that has the frame twice reads twice.
    Rows are given as `record_batches` gives them, as they were when they were read.

    Args:
        connect: Makes the client, in a thread of its own, such as `JibbleClient.from_env`. Of
            either API. It is called for each reading, and once to see which columns there are.
        what: The set, such as `time_entries`.
        since: The first working day.
        until: The last one, included.
        include_archived: Whether archived rows and removed people come along.
        secrets: Keep what opens a kiosk, such as a person's PIN.
        concurrency: Windows of days in flight.

    Raises:
        ConfigurationError: An argument that can't be used, or Polars or pyarrow is not installed.
        NotSupportedError: The client's API has no such set.
        JibbleError: The client could not be made; or, when it is collected, a call failed for good.
        PaginationError: When it is collected, rows may be missing.

    Example:
        >>> entries = scan(JibbleClient.from_env, "time_entries")
        >>> july = entries.filter(polars.col("belongsToDate") >= date(2026, 7, 1))
        >>> july.group_by("personId").len().collect()
    """
    try:
        polars: Any = importlib.import_module("polars")
        plugins: Any = importlib.import_module("polars.io.plugins")
    except ImportError:
        raise MissingExtraError(
            "jibble_async.integrations.polars needs polars 1.30 or newer: pip install polars"
        ) from None
    extent = Extent(
        set=what, since=since, until=until, include_archived=include_archived, as_sent=False
    )
    shape, day = _shape(connect, extent)
    empty: Any = polars.from_arrow(schema_of(shape, secrets=secrets).empty_table())
    first_column: str = empty.columns[0]

    def read(
        wanted: list[str] | None, predicate: Expr | None, most: int | None, _: int | None
    ) -> Iterator[DataFrame]:
        asked = (since, until)
        if predicate is not None and day is not None:
            asked = _narrowed(predicate, day, *asked)
        first, last = asked
        if first is not None and last is not None and first > last:
            return
        left = most
        reader = record_batches(
            connect,
            what,
            since=first,
            until=last,
            # A query that only counts asks for none.
            columns=wanted or ([first_column] if wanted is not None else None),
            include_archived=include_archived,
            secrets=secrets,
            concurrency=concurrency,
        )
        for batch in reader:
            rows: Any = polars.from_arrow(batch)
            if left is not None:
                rows = rows.head(left)
                left -= rows.height
            yield rows if predicate is None else rows.filter(predicate)
            if left == 0:
                return

    frame: LazyFrame = plugins.register_io_source(read, schema=empty.schema)
    return frame


def _shape(connect: Connect, extent: Extent) -> tuple[type[Any], str | None]:
    """The class of the rows, and what their day is called if they are asked for by days."""

    async def look(give: Give[tuple[type[Any], str | None]]) -> None:
        async with connect() as client:
            raw = extent.raw_set(client)
            await give((raw.shape, raw.day))

    return next(Ahead(look, 1))


def _narrowed(
    predicate: Expr, day: str, since: date | None, until: date | None
) -> tuple[date | None, date | None]:
    """The days outside of which a condition holds for no row, within a span.

    What Polars tells of a condition is its own affair and may change. What is not understood
    narrows nothing, which is slow and never wrong.
    """
    try:
        told: Any = json.loads(predicate.meta.serialize(format="json"))
    except Exception:
        return since, until
    for low, high in _bounds(told, day):
        since = low if since is None else max(since, low or since)
        until = high if until is None else min(until, high or until)
    return since, until


def _bounds(told: Any, day: str) -> Iterator[tuple[date | None, date | None]]:
    """What each condition that has to hold says of the day."""
    match told:
        case {"BinaryExpr": {"left": left, "op": "And", "right": right}}:
            yield from _bounds(left, day)
            yield from _bounds(right, day)
        case {
            "BinaryExpr": {
                "left": {"Column": name},
                "op": str(operator),
                "right": {"Literal": {"Scalar": {"Date": int(number)}}},
            }
        } if name == day:
            yield _span(operator, number)
        case {
            "BinaryExpr": {
                "left": {"Literal": {"Scalar": {"Date": int(number)}}},
                "op": str(operator),
                "right": {"Column": name},
            }
        } if name == day:
            yield _span(_TURNED.get(operator), number)
        case {
            "Function": {
                "input": [
                    {"Column": name},
                    {"Literal": {"Scalar": {"Date": int(low)}}},
                    {"Literal": {"Scalar": {"Date": int(high)}}},
                ],
                "function": {"Boolean": {"IsBetween": _}},
            }
        } if name == day:
            # Whichever ends are meant, they lie within these.
            yield _span("GtEq", low)
            yield _span("LtEq", high)
        case _:
            return


def _span(operator: str | None, number: int) -> tuple[date | None, date | None]:
    try:
        moment = _EPOCH + number * _DAY
        spans: dict[str | None, tuple[date | None, date | None]] = {
            "Eq": (moment, moment),
            "GtEq": (moment, None),
            "Gt": (moment + _DAY, None),
            "LtEq": (None, moment),
            "Lt": (None, moment - _DAY),
        }
    except OverflowError:
        return None, None
    return spans.get(operator, (None, None))
