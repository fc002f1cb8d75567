"""Jibble as a source of dlt pipelines. Needs the extra `dlt`; see docs/dlt.md.

Example:
    >>> pipeline = dlt.pipeline("jibble", destination="duckdb", dataset_name="jibble")
    >>> pipeline.run(jibble_source().with_resources("time_entries", "people"))
"""

from __future__ import annotations

from jibble_async.errors import MissingExtraError

try:
    import dlt
except ImportError:
    raise MissingExtraError(
        'jibble_async.integrations.dlt needs dlt: pip install "jibble-async[dlt]"'
    ) from None

from jibble_async.integrations.dlt.source import jibble_source

__all__ = ["jibble_source"]

del dlt
