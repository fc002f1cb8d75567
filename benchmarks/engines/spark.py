"""Spark and the quota: `python -m benchmarks.engines.spark`.

Real clusters of this machine (`local-cluster`), a real Redis, and sandboxes in a process of their
own, whose answers take 30 ms:

- 200,000 rows in 31 windows on two executors that share a window of 6 requests in 3 seconds; once
  more with an executor killed on the way, and with speculation. Workers are started before;
- 50 organisations with a quota each, by one executor after the other.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa

from benchmarks.engines.spark_server import Companies, Company, Heard, companies
from benchmarks.measuring import table
from jibble_async import JibbleClient
from jibble_async.export import record_batches
from tests.engines.spark_cluster import Cluster, cluster
from tests.engines.spark_reading import credentials
from tests.limits.redis_server import RedisServer

LIMIT, PER = 6, 3.0
JULY = (date(2026, 7, 1), date(2026, 7, 31))
KILL_AFTER = 40
OF_EACH = 4
WAYS: list[tuple[str, dict[str, str], int]] = [
    ("four windows a task", {}, 4),
    ("four, an executor killed after 40 requests", {}, 4),
    ("four, with speculation", {"spark.speculation": "true"}, 4),
    ("one window a task", {}, 1),
]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1400, help="of the large organisation")
    parser.add_argument("--organisations", type=int, default=50)
    parser.add_argument("--only", choices=("quota", "organisations"))
    parser.add_argument("--once", action="store_true", help="only the first way of a quota")
    arguments = parser.parse_args()
    if arguments.only != "organisations":
        one_quota(arguments.people, once=arguments.once)
    if arguments.only != "quota":
        many_quotas(arguments.organisations)


def one_quota(people: int, *, once: bool = False) -> None:
    """What two executors use of one quota."""
    company = Company(people, *JULY, LIMIT, PER)
    rows: list[list[str]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(companies(company))
        expected = _truth(served)
        login = credentials(folder / "jibble.env", served.environments[0])
        redis = stack.enter_context(_redis(folder))
        for name, settings, at_once in WAYS[: 1 if once else None]:
            with cluster(folder / name.replace(" ", "-"), settings) as spark:
                options = {
                    "set": "time_entries",
                    "since": JULY[0],
                    "until": JULY[1],
                    "credentials": login,
                    "rows_per_window": len(expected) // 1000,
                    "concurrency": at_once,
                    "limiter": redis,
                    "limit": LIMIT,
                    "per": PER,
                    "workers": 3,
                    "linger": 1,
                    "lease": 10,
                    "trust_empty": True,
                    "limiter_key": name,
                }
                _warm(spark, login)
                served.heard()
                if "killed" in name:
                    _kill_later(spark, served)
                frame = spark.read(**options)
                found = frame.toArrow()
                (heard,) = served.heard()
                rows.append([name, *_shares(heard), _verdict(found, expected)])
    table(
        f"{len(expected):,} rows in windows of days, {LIMIT} requests in {PER:g} s",
        ["", "requests", "refused", "tokens", "seconds", "used of the quota", "rows"],
        rows,
    )


def _warm(spark: Cluster, login: str) -> None:
    """Have every process start and import what it needs, which takes seconds, once."""
    people = [spark.read(set="people", credentials=login, columns="id") for _ in range(2)]
    people[0].union(people[1]).toArrow()


def _shares(heard: Heard) -> list[str]:
    seconds = max(heard.moments) - min(heard.moments)
    # At most so many are let through: a window's worth at once, and then by its rate.
    used = (len(heard.moments) - heard.refused) / (LIMIT * (1 + seconds / PER))
    return [
        f"{len(heard.moments)}",
        f"{heard.refused}",
        f"{heard.tokens}",
        f"{seconds:.0f}",
        f"{used:.1%}",
    ]


def _truth(served: Companies) -> pa.Table:
    """The rows, as one client reads them."""
    environment = served.environments[0]
    served.limit(False)
    reader = record_batches(
        lambda: JibbleClient.from_env(environment), "time_entries", since=JULY[0], until=JULY[1]
    )
    found: pa.Table = reader.read_all().sort_by("id")
    served.limit(True)
    return found


def _verdict(found: pa.Table, expected: pa.Table) -> str:
    found = found.sort_by("id").cast(expected.schema)
    same = found.equals(expected)
    return f"{found.num_rows:,}, {'every column equal' if same else 'NOT EQUAL'}"


def _kill_later(spark: Cluster, served: Companies) -> None:
    first = served.requests()

    def wait() -> None:
        while served.requests() < first + KILL_AFTER:
            time.sleep(0.1)
        spark.kill_an_executor()

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is missing: apt install redis-server")
    server = RedisServer(program, folder)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()


def many_quotas(organisations: int) -> None:
    """How many rows a second come of organisations with a quota each."""
    # Some ten requests each.
    wanted = [Company(4, *JULY, OF_EACH, 1.0, page_cap=100)] * organisations
    rows: list[list[str]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(companies(*wanted))
        accounts = folder / "accounts"
        accounts.mkdir()
        for number, environment in enumerate(served.environments):
            credentials(accounts / f"company-{number:03}.env", environment)
        expected = sorted(key for each in served.heard() for key in each.rows)
        for executors, at_once in ((1, 1), (2, 1), (2, 5), (2, 25)):
            place = folder / f"{executors}-{at_once}"
            with cluster(place, master=f"local-cluster[{executors},1,1024]") as spark:
                frame = spark.read(
                    set="time_entries",
                    since=JULY[0],
                    until=JULY[1],
                    credentials=accounts,
                    accounts="*",
                    columns="id,updatedAt",
                    page_size=100,
                    concurrency=at_once,
                )
                _warm(spark, str(accounts / "company-000.env"))
                served.heard()
                ids = sorted(frame.toArrow()["id"].to_pylist())
                print(f"{executors} executors, {at_once} accounts a task: done", file=sys.stderr)
                heard = served.heard()
                moments = [moment for each in heard for moment in each.moments]
                seconds = max(moments) - min(moments)
                rows.append(
                    [
                        f"{executors}",
                        f"{at_once}",
                        f"{min(organisations, executors * at_once)}",
                        f"{seconds:.0f}",
                        f"{len(ids) / seconds:,.0f}",
                        f"{len(moments) / seconds:.1f}",
                        f"{sum(each.refused for each in heard)}",
                        "equal" if ids == expected else "NOT EQUAL",
                    ]
                )
    table(
        f"{organisations} organisations, each {OF_EACH} requests a second, {len(expected):,} rows",
        [
            "executors",
            "accounts a task",
            "at a time",
            "seconds",
            "rows/s",
            "requests/s",
            "refused",
            "rows",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
