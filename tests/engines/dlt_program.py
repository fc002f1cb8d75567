"""A program that loads a sandbox by dlt, and may be killed."""

from __future__ import annotations

import os
import sys

import dlt

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.integrations.dlt import jibble_source


def connect() -> JibbleClient:
    config = ClientConfig(endpoints=endpoints_from(os.environ), page_size=50)
    return JibbleClient.from_env(config=config, limiter=Unlimited())


def main(folder: str, until: str) -> None:
    """Load, or stop dead behind a step."""
    pipeline = dlt.pipeline(
        "nightly",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.duckdb(f"{folder}/warehouse.duckdb"),
        dataset_name="jibble",
    )
    source = jibble_source(connect=connect, concurrency=1)
    source = source.with_resources("time_entries", "jibble_loads")
    if until == "load":
        pipeline.run(source)
        return
    pipeline.extract(source)
    if until == "normalize":
        pipeline.normalize()
    os.kill(os.getpid(), 9)


if __name__ == "__main__":
    main(*sys.argv[1:])
