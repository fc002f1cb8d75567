"""The same pages by frameworks that page by themselves; none of them is a dependency of this."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.job import HEADERS, Job

__all__ = ["azure_pages", "dlt_pages", "dlt_pipeline", "dlt_rest", "dlt_source", "singer_pages"]


def dlt_pages(job: Job) -> Iterable[list[Any]]:
    """By dlt's RESTClient."""
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

    paginator = OffsetPaginator(
        limit=job.size,
        offset_param="$skip",
        limit_param="$top",
        total_path="'@odata.count'",
    )
    client = RESTClient(f"{job.base}/v1", headers=HEADERS)
    for page in client.paginate(
        "TimeEntries", params=job.query, paginator=paginator, data_selector="value"
    ):
        yield list(page)


def dlt_pipeline(job: Job) -> int:
    """By dlt's pipeline to Parquet files, with a table for what it keeps itself.

    Returns:
        The rows that were loaded.
    """
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    with TemporaryDirectory(dir=job.folder) as folder:
        files = dlt.destinations.filesystem(bucket_url=f"file://{folder}/out")
        rows = dlt.resource(lambda: dlt_pages(job), name="time_entries")
        return _loaded(folder, files, rows, "parquet")


def dlt_rest(job: Job, *, loaded_as: Any) -> int:
    """By dlt's rest_api source into DuckDB, merged by id.

    Args:
        job: What to export.
        loaded_as: The format that dlt loads; None for its default, which is SQL.
    """
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt
    from dlt.sources.rest_api import rest_api_source

    config: Any = {
        "client": {
            "base_url": f"{job.base}/v1",
            "headers": HEADERS,
            "paginator": {
                "type": "offset",
                "limit": job.size,
                "offset_param": "$skip",
                "limit_param": "$top",
                "total_path": "'@odata.count'",
            },
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": "time_entries",
                "endpoint": {
                    "path": "TimeEntries",
                    "params": {"$count": "true", "$orderby": "id asc"},
                    "data_selector": "value",
                },
            }
        ],
    }
    with TemporaryDirectory(dir=job.folder) as folder:
        duckdb = dlt.destinations.duckdb(f"{folder}/all.duckdb")
        return _loaded(folder, duckdb, rest_api_source(config), loaded_as)


def dlt_source(job: Job, connect: Any) -> int:
    """By this library's source into DuckDB, merged by id, and proved.

    Args:
        job: What to export.
        connect: Makes a client.
    """
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    from jibble_async.integrations.dlt import jibble_source

    with TemporaryDirectory(dir=job.folder) as folder:
        duckdb = dlt.destinations.duckdb(f"{folder}/all.duckdb")
        source = jibble_source(connect=connect, concurrency=job.concurrency)
        return _loaded(folder, duckdb, source.with_resources("time_entries"), None)


def _loaded(folder: str, to: Any, data: Any, loaded_as: Any) -> int:
    import dlt

    pipeline = dlt.pipeline(
        "entries", destination=to, dataset_name="copy", pipelines_dir=f"{folder}/state"
    )
    pipeline.run(data, loader_file_format=loaded_as)
    return int(pipeline.last_trace.last_normalize_info.row_counts["time_entries"])


def azure_pages(job: Job) -> Iterable[list[Any]]:
    """By azure-core's pipeline and pager."""
    from azure.core import PipelineClient
    from azure.core.paging import ItemPaged
    from azure.core.rest import HttpRequest

    client = PipelineClient(job.base)
    urls = job.urls

    def get_next(token: str | None) -> Any:
        request = HttpRequest("GET", urls[int(token or 0)], headers=HEADERS)
        response = client.send_request(request)
        response.raise_for_status()
        return int(token or 0) + 1, response

    def extract(found: Any) -> tuple[str | None, Iterator[Any]]:
        following, response = found
        token = str(following) if following < len(urls) else None
        return token, iter(json.loads(response.content)["value"])

    with client:
        for page in ItemPaged(get_next, extract).by_page():
            yield list(page)


def singer_pages(job: Job) -> Iterable[list[Any]]:
    """By singer-sdk's stream of records; what targets are sent, and its schema, are left out."""
    from singer_sdk import RESTStream, Tap
    from singer_sdk.pagination import BaseOffsetPaginator

    class Pages(BaseOffsetPaginator):
        def has_more(self, response: Any) -> bool:
            return bool(self.current_value + job.size < job.rows)

    class TimeEntries(RESTStream[int]):
        name = "time_entries"
        path = "/v1/TimeEntries"
        url_base = job.base
        records_jsonpath = "$.value[*]"
        schema = {"properties": {"id": {"type": "string"}}}  # noqa: RUF012 - as they are written
        http_headers = HEADERS

        def get_new_paginator(self) -> Any:
            return Pages(0, job.size)

        def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
            return {**job.query, "$skip": next_page_token or 0, "$top": job.size}

    class Jibble(Tap):
        name = "tap-jibble"
        config_jsonschema = {"properties": {}}  # noqa: RUF012 - as they are written

        def discover_streams(self) -> list[Any]:
            return [TimeEntries(self)]

    records = iter(Jibble().streams["time_entries"].get_records(None))
    while page := [*itertools.islice(records, job.size)]:
        yield page
