"""The columns of a load: Spark's schema, and Arrow batches that are exactly of it.

Spark looks at the first batch of a task only, and reads the others as if they were like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyspark.sql.pandas.types
from pyspark.sql.types import StructType

from jibble_async.errors import ConfigurationError
from jibble_async.integrations.spark.options import Asked, raw_set
from jibble_async.query.names import suggestion
from jibble_async.tables.columns import table_of
from jibble_async.tables.schema import arrow, schema_of

__all__ = ["ACCOUNT", "IN_SCOPE", "MARK", "Columns", "arrow_schema", "spark_schema"]

ACCOUNT = "account"
"""The column with the name of the account that a row is of, where several are read."""
IN_SCOPE = "inScope"
"""The column that says whether a changed row is still one of those that are meant."""
MARK = "mark"
"""The column of a load with `mode=mark`."""


class Columns:
    """What the batches of a load have.

    Args:
        schema: An Arrow schema that `arrow_schema` gave, or some of its fields in another order.

    Attributes:
        fields: The names of those that rows have.
    """

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        ours = {ACCOUNT, IN_SCOPE, MARK}
        # Something has to be read of a row for it to be counted.
        self.fields: list[str] = [name for name in schema.names if name not in ours] or ["id"]

    @classmethod
    def chosen(cls, asked: Asked, wanted: StructType) -> Columns:
        """Those of a schema that Spark gives, which may be one that somebody wrote.

        Args:
            asked: The options.
            wanted: The schema.

        Raises:
            ConfigurationError: It has a column that there is not, or of another type.
        """
        offered = arrow_schema(asked)
        types = {field.name: field for field in spark_schema(asked).fields}
        if len(set(wanted.names)) < len(wanted.names):
            raise ConfigurationError("jibble: the schema has a column twice")
        for field in wanted.fields:
            known = types.get(field.name)
            if known is None:
                raise ConfigurationError(
                    f"jibble: no column {field.name!r}: {suggestion(field.name, list(types))}"
                )
            if field.dataType != known.dataType:
                raise ConfigurationError(
                    f"jibble: the column {field.name!r} is {known.dataType.simpleString()}, not "
                    f"{field.dataType.simpleString()}: cast it after loading"
                )
            if not field.nullable:
                raise ConfigurationError(
                    f"jibble: the column {field.name!r} may be empty: leave out NOT NULL"
                )
        pa = arrow()
        return cls(pa.schema([offered.field(name) for name in wanted.names]))

    def of_rows(
        self, batch: Any, account: str | None, in_scope: Sequence[bool] | None = None
    ) -> Any:
        """A batch of rows, as it has to be.

        Args:
            batch: Has the fields.
            account: Whose rows they are.
            in_scope: For each whether it is meant; by default all are.
        """
        pa = arrow()
        rows = batch.num_rows
        arrays: list[Any] = []
        for field in self._schema:
            if field.name == ACCOUNT:
                arrays.append(pa.repeat(pa.scalar(account, field.type), rows))
            elif field.name == IN_SCOPE:
                arrays.append(pa.array([True] * rows if in_scope is None else in_scope, field.type))
            else:
                arrays.append(batch.column(field.name).cast(field.type))
        if not arrays:
            # Of no column: Arrow would have no rows.
            return batch.select([])
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def of_mark(self, mark: str, account: str | None) -> Any:
        """The one row of a mark."""
        values = {ACCOUNT: account, MARK: mark}
        return arrow().RecordBatch.from_pylist(
            [{name: values[name] for name in self._schema.names}], schema=self._schema
        )


def arrow_schema(asked: Asked) -> Any:
    """The Arrow schema of a load.

    Args:
        asked: The options.

    Raises:
        ConfigurationError: A column is chosen that there is not.
    """
    pa = arrow()
    members: list[Any] = []
    if asked.accounts is not None:
        members.append(pa.field(ACCOUNT, pa.string()))
    if asked.mode == "mark":
        return pa.schema([*members, pa.field(MARK, pa.string())])
    shape = raw_set(asked).shape
    for name in sorted(table_of(shape).hidden.intersection(asked.columns or ())):
        raise ConfigurationError(
            f"jibble: the column {name!r} opens a kiosk, and is not given to Spark: leave it out"
        )
    found = schema_of(shape, columns=asked.columns)
    members.extend(found)
    if asked.mode == "changes":
        members.append(pa.field(IN_SCOPE, pa.bool_()))
    return pa.schema(members)


def spark_schema(asked: Asked) -> StructType:
    """The same in Spark's words; raises as `arrow_schema` does."""
    types: Any = pyspark.sql.pandas.types
    found: StructType = types.from_arrow_schema(arrow_schema(asked))
    return found
