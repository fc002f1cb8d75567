"""Reads as a worker of Spark does, in this process: what is pickled there is pickled here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.serializers import CPickleSerializer
from pyspark.sql.datasource import CaseInsensitiveDict

from jibble_async.integrations.spark import JibbleDataSource

PICKLE = CPickleSerializer()


def credentials(path: Path, environment: Mapping[str, str], **more: str) -> str:
    """A file of variables that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in {**environment, **more}.items())
    return str(path)


def source(**options: object) -> JibbleDataSource:
    texts = {name: str(value) for name, value in options.items()}
    return JibbleDataSource(CaseInsensitiveDict(texts))


def handed(value: Any) -> Any:
    """What arrives in another process."""
    return PICKLE.loads(PICKLE.dumps(value))


def planned(**options: object) -> tuple[Any, list[Any]]:
    """A reader, and its partitions, as they arrive at an executor."""
    asked = source(**options)
    reader = asked.reader(asked.schema())
    partitions = reader.partitions()
    return handed(reader), handed(partitions)


def loaded(**options: object) -> pa.Table:
    """All rows of a load."""
    reader, partitions = planned(**options)
    batches = [batch for each in partitions for batch in reader.read(each)]
    if not batches:
        from jibble_async.integrations.spark.columns import arrow_schema
        from jibble_async.integrations.spark.options import asked_for

        return arrow_schema(asked_for(source(**options).options)).empty_table()
    return pa.Table.from_batches(batches)
