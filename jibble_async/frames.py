"""Rows as tables of Arrow, Polars and pandas, always of the same columns and types.

They are those of a Parquet export of the same set, whatever the rows hold, or if there are none.
For sets that memory has no room for there is `jibble_async.export.record_batches`.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from jibble_async.core.pager import Pager
from jibble_async.core.pages import Page, RawRow
from jibble_async.entities.dicts import DictForm, as_dict
from jibble_async.errors import ConfigurationError, DecodeError, MissingExtraError
from jibble_async.pairing import WorkSessions
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.columns import table_of
from jibble_async.tables.schema import arrow

__all__ = ["to_arrow", "to_pandas", "to_polars"]

# Arrow reads a text at a time, which may not have more than two gigabytes.
_AT_ONCE = 10_000


def to_arrow(
    rows: Iterable[msgspec.Struct] | Page[Any], entity: Any = None, *, secrets: bool = False
) -> Any:
    """A `pyarrow.Table` of rows.

    Columns go by the names of the wire. Moments are UTC in microseconds, those on a person's clock
    (`localTime`) have no zone; lengths of time and times of day are texts, objects are structs.
    What is expanded, and what may hold anything, has no column.

    Args:
        rows: Entities of one class, or a page of them; stretches of work too.
        entity: Their class. What `collect()` gives knows it, and other rows tell it, if there
            are any.
        secrets: Keep what opens a kiosk, such as a person's PIN.

    Raises:
        ConfigurationError: There are no rows and no class, rows of several classes, or something
            else; or pyarrow is not installed.

    Example:
        >>> table = to_arrow(await jibble.time_entries.list(since=monday).collect())
        >>> table.group_by("personId").aggregate([("id", "count")])
    """
    kind, given = _checked(rows, entity)
    form = DictForm(names="wire", secrets=secrets, exclude_none=True, as_text=True)
    made = ArrowRows(table_of(kind, secrets=secrets), {}, _ignore, _refuse)
    tables = [made.schema.empty_table()]
    while some := [*itertools.islice(given, _AT_ONCE)]:
        tables.append(made.table([_raw(row, kind, form) for row in some]))
    return arrow().concat_tables(tables)


def to_polars(
    rows: Iterable[msgspec.Struct] | Page[Any], entity: Any = None, *, secrets: bool = False
) -> Any:
    """A `polars.DataFrame` of rows, with the columns that `to_arrow()` gives.

    Args:
        rows: As for `to_arrow()`.
        entity: As for `to_arrow()`.
        secrets: Keep what opens a kiosk, such as a person's PIN.

    Raises:
        ConfigurationError: As for `to_arrow()`, or Polars is not installed.

    Example:
        >>> frame = to_polars(await jibble.time_entries.list(since=monday).collect())
        >>> frame.group_by("personId").len()
    """
    polars = _engine("polars", "to_polars()")
    return polars.from_arrow(to_arrow(rows, entity, secrets=secrets))


def to_pandas(
    rows: Iterable[msgspec.Struct] | Page[Any], entity: Any = None, *, secrets: bool = False
) -> Any:
    """A `pandas.DataFrame` of rows, with the columns that `to_arrow()` gives.

    Its types don't depend on what is missing: flags and numbers are pandas' nullable ones, moments
    and days `datetime64`. Objects are dicts.

    Args:
        rows: As for `to_arrow()`.
        entity: As for `to_arrow()`.
        secrets: Keep what opens a kiosk, such as a person's PIN.

    Raises:
        ConfigurationError: As for `to_arrow()`, or pandas is not installed.

    Example:
        >>> frame = to_pandas(await jibble.time_entries.list(since=monday).collect())
        >>> frame.groupby("personId").size()
    """
    pandas = _engine("pandas", "to_pandas()")
    table = to_arrow(rows, entity, secrets=secrets)
    types = {
        "string": pandas.StringDtype(),
        "bool": pandas.BooleanDtype(),
        "int64": pandas.Int64Dtype(),
        "double": pandas.Float64Dtype(),
    }

    def dtype(kind: Any) -> Any:
        return types.get(str(kind))

    return table.to_pandas(types_mapper=dtype, date_as_object=False)


def _checked(given: Any, entity: Any) -> tuple[type[msgspec.Struct], Iterator[Any]]:
    """The class of the rows, and the rows."""
    if isinstance(given, Pager):
        raise ConfigurationError("a list is fetched first: to_arrow(await pager.collect())")
    rows: Any = given
    if isinstance(given, Page):
        rows = rows.items
    kind: Any = getattr(rows, "entity", None) if entity is None else entity
    try:
        left: Iterator[Any] = iter(rows)
    except TypeError:
        name = type(rows).__name__
        hint = ": give its `work` or `breaks`" if isinstance(rows, WorkSessions) else ""
        raise ConfigurationError(f"frames are made of rows, not of {name}{hint}") from None
    for first in left:
        left = itertools.chain([first], left)
        if kind is None:
            kind = first.__class__
        break
    if kind is None:
        raise ConfigurationError("no rows: name their class, as in to_arrow(rows, TimeEntry)")
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise ConfigurationError(f"frames are made of entities, not of {kind!r}")
    return kind, left


def _raw(row: Any, kind: type[msgspec.Struct], form: DictForm) -> RawRow:
    """A row as the server would write it."""
    if not isinstance(row, kind):
        raise ConfigurationError(
            f"frames are made of rows of one class: {kind.__name__}, and not {type(row).__name__}"
        )
    key = str(getattr(row, "id", None))
    try:
        return key, msgspec.Raw(msgspec.json.encode(as_dict(row, form)))
    except (TypeError, ValueError) as error:
        raise DecodeError(f"the row {key!r} does not fit its columns: {error}") from None


def _engine(module: str, purpose: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(f"{purpose} needs {module}: pip install {module}") from None


def _ignore(_name: str, _rows: int) -> None:
    # What is expanded, or of a subclass, has no column.
    return


def _refuse(_: int, row: RawRow, reason: str) -> None:
    raise DecodeError(f"the row {row[0]!r} does not fit its columns: {reason}")
