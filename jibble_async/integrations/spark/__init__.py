"""Jibble's sets as a data source of Spark 4. Needs the extra `spark`, on every executor too.

A task reads windows of days with a client that its process keeps; what it gives are Arrow batches
of one schema. Tasks share the quota where `limiter` says so; without it one task reads all, since
every process would take the whole quota for its own. See docs/spark.md.

Example:
    >>> spark.dataSource.register(JibbleDataSource)
    >>> entries = spark.read.format("jibble").option("set", "time_entries").load()
"""

from __future__ import annotations

from jibble_async.errors import MissingExtraError

try:
    from pyspark.sql.datasource import DataSource as _DataSource
except ImportError as _error:
    raise MissingExtraError(
        'jibble_async.integrations.spark needs pyspark 4: pip install "jibble-async[spark]"'
    ) from _error

from jibble_async.integrations.spark.source import JibbleDataSource

__all__ = ["JibbleDataSource"]

assert issubclass(JibbleDataSource, _DataSource)
