"""The data source: what Spark asks on the driver, and in its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    DataSourceStreamReader,
    InputPartition,
)
from pyspark.sql.types import StructType

from jibble_async.errors import ConfigurationError
from jibble_async.integrations.spark.columns import Columns, spark_schema
from jibble_async.integrations.spark.options import Asked, asked_for
from jibble_async.integrations.spark.planning import tasks_for
from jibble_async.integrations.spark.tasks import batches_of, partitions_of

__all__ = ["JibbleDataSource", "Reader"]


class JibbleDataSource(DataSource):
    """`spark.read.format("jibble")`, and `spark.readStream`; the options are in docs/spark.md.

    Example:
        >>> spark.dataSource.register(JibbleDataSource)
        >>> july = (
        ...     spark.read.format("jibble")
        ...     .option("set", "time_entries")
        ...     .option("since", "2026-07-01")
        ...     .option("until", "2026-07-31")
        ...     .load()
        ... )
    """

    @classmethod
    def name(cls) -> str:
        """What it is called."""
        return "jibble"

    def schema(self) -> StructType:
        """The columns that the options choose; nothing is asked of Jibble.

        Raises:
            ConfigurationError: An option can't be used.
            NotSupportedError: There is no such set.
        """
        return spark_schema(asked_for(self.options))

    def reader(self, schema: StructType) -> DataSourceReader:
        """What plans and reads.

        Args:
            schema: The columns that are wanted.

        Raises:
            ConfigurationError: An option can't be used, or there is no such column.
        """
        asked = asked_for(self.options, "read")
        Columns.chosen(asked, schema)
        if not asked.narrow:
            return Reader(dict(self.options), schema)
        # Spark refuses whatever has a `pushFilters` where it is not to push any.
        try:
            from jibble_async.integrations.spark.narrowing import NarrowingReader
        except ImportError:
            raise ConfigurationError("jibble: narrow=true needs Spark 4.1 or newer") from None
        return NarrowingReader(dict(self.options), schema)

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's
        """What plans and reads a stream.

        Args:
            schema: The columns that are wanted.

        Raises:
            ConfigurationError: An option can't be used, there is no such column, or Spark is older
                than 4.2.
        """
        asked = asked_for(self.options, "stream")
        Columns.chosen(asked, schema)
        try:
            from jibble_async.integrations.spark.stream import StreamReader
        except ImportError:
            raise ConfigurationError("jibble: streams need Spark 4.2 or newer") from None
        return StreamReader(dict(self.options), schema)


class Reader(DataSourceReader):
    """Plans the tasks of a load, and reads them.

    Args:
        options: Spark's options.
        schema: The columns that are wanted.
    """

    def __init__(self, options: Mapping[str, str], schema: StructType) -> None:
        # As texts, which any version of this package can read on an executor.
        self._options = dict(options)
        self._schema = schema

    def partitions(self) -> list[InputPartition]:
        """The tasks.

        Raises:
            JibbleError: The set could not be counted.
        """
        return partitions_of(tasks_for(self._asked()))

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """The batches of a task.

        Args:
            partition: The task.

        Raises:
            JibbleError: Something of it could not be read.
        """
        return batches_of(partition, self._schema)

    def _asked(self) -> Asked:
        return asked_for(self._options, "read")
