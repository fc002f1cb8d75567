"""The data source on a real cluster of two executors, with one session for all tests."""

from __future__ import annotations

import json
import runpy
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async import JibbleClient
from jibble_async.export import SetName, record_batches
from jibble_async.sandbox import Fault, Sandbox
from jibble_async.sandbox.ledger import Received
from tests.docs.blocks import ROOT, Block, blocks_of
from tests.support.canaries import found
from tests.support.programs import engine, program
from tests.support.served import served

engine("pyspark.sql.datasource", "spark")
program("java", "default-jre-headless")

from pyspark.errors import StreamingQueryException  # noqa: E402
from pyspark.sql import DataFrame  # noqa: E402

from tests.engines.spark_cluster import (  # noqa: E402
    Cluster,
    cluster,
    command_line,
    processes_below,
)
from tests.engines.spark_reading import credentials  # noqa: E402

# Another process looks at clocks of its own.
pytestmark = pytest.mark.real_time

ENTRIES = {"set": "time_entries"}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with served(people=10, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=3) as running:
        yield running


@pytest.fixture
def login(box: Sandbox, tmp_path: Path) -> dict[str, str]:
    return {"credentials": credentials(tmp_path / "jibble.env", box.environment())}


@pytest.fixture
def windows(login: dict[str, str], tmp_path: Path) -> dict[str, str]:
    pace = {"limiter": str(tmp_path / "pace"), "rows_per_window": "100", "page_size": "50"}
    return {**login, **pace, "concurrency": "2", "rows_per_batch": "60"}


def rows_of(frame: DataFrame) -> list[dict[str, Any]]:
    table: Any = frame.toArrow()
    found: list[dict[str, Any]] = table.sort_by("id").to_pylist()
    return found


def truth(box: Sandbox, what: SetName = "time_entries") -> list[dict[str, Any]]:
    reader = record_batches(lambda: JibbleClient.from_env(box.environment()), what)
    found: list[dict[str, Any]] = reader.read_all().sort_by("id").to_pylist()
    return found


def pages(box: Sandbox) -> list[Received]:
    return [each for each in box.ledger.requests if each.target.endswith("top=50")]


def change(box: Sandbox, key: object, **fields: Any) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    box.dataset.update("TimeEntries", str(key), {**fields, "updatedAt": now})


def test_rows_equal_the_source_in_every_column(
    spark: Cluster, box: Sandbox, login: dict[str, str], windows: dict[str, str]
) -> None:
    expected = truth(box)
    for options, processes in ((login, 1), (windows, 3)):
        before = len(box.ledger.select(service="identity"))
        assert rows_of(spark.read(**ENTRIES, **options)) == expected
        # A token for each process: that which plans, and one or two that read.
        assert len(box.ledger.select(service="identity")) - before == processes
    # Lists, objects in them, and names with slashes.
    assert rows_of(spark.read(set="groups", **login)) == truth(box, "groups")


def test_conditions_narrow_where_spark_may_push_them(
    spark: Cluster, box: Sandbox, login: dict[str, str]
) -> None:
    setting = "spark.sql.python.filterPushdown.enabled"
    day = "belongsToDate = DATE'2026-07-08'"
    expected = sorted(
        str(row["id"])
        for row in box.ledger.rows("TimeEntries", since=date(2026, 7, 8), until=date(2026, 7, 8))
    )
    with pytest.raises(Exception, match="filterPushdown"):
        spark.read(**ENTRIES, **login, narrow=True).where(day).count()
    spark.spark.conf.set(setting, "true")
    try:
        frame = spark.read(**ENTRIES, **login, narrow=True).where(day)
        assert [row["id"] for row in rows_of(frame)] == expected
    finally:
        spark.spark.conf.unset(setting)
    (*_, asked) = [each.target for each in box.ledger.requests if "belongsToDate" in each.target]
    assert "belongsToDate%20eq%202026-07-08" in asked


def test_an_executor_is_killed_and_whole_windows_are_read_again(
    spark: Cluster, box: Sandbox, windows: dict[str, str]
) -> None:
    expected = truth(box)
    assert rows_of(spark.read(**ENTRIES, **windows)) == expected
    usual = len(pages(box))
    killed: list[int] = []

    def kill(received: Received) -> None:
        if not killed and len(pages(box)) == usual + 6:
            killed.append(received.number)
            spark.kill_an_executor()

    box.faults.script = kill
    assert rows_of(spark.read(**ENTRIES, **windows)) == expected
    assert killed
    # No more than the two windows of the task that was killed, of a few pages each.
    assert usual <= len(pages(box)) - usual <= usual + 10


def test_a_task_that_fails_is_tried_again_and_one_that_can_not_be_whole_fails(
    spark: Cluster, box: Sandbox, windows: dict[str, str]
) -> None:
    expected = truth(box)
    refused: list[int] = []

    def refuse(received: Received) -> Fault | None:
        # A page, since what plans is tried once.
        if refused or len(pages(box)) < 6 or not received.target.endswith("top=50"):
            return None
        refused.append(received.number)
        return Fault("status", status=400)

    box.faults.script = refuse
    assert rows_of(spark.read(**ENTRIES, **windows)) == expected
    assert len(refused) == 1
    box.faults.add(Fault("status", status=400, path="TimeEntries", times=None))
    with pytest.raises(Exception, match="BadRequestError"):
        spark.read(**ENTRIES, credentials=windows["credentials"]).count()


PAGE = "docs/spark.md"
BLOCKS = blocks_of(PAGE, (ROOT / PAGE).read_text())


def run_block(word: str, login: dict[str, str], folder: Path) -> None:
    """Run the one block of the page that has a word, as it stands but for two places."""
    (block,) = [each for each in BLOCKS if word in each.text]
    text = block.text.replace("/etc/jibble/spark.env", login["credentials"])
    Block(PAGE, block.line, text.replace("/tmp/jibble", str(folder)), runs=True).run()


def test_the_page_begins_with_what_works(
    spark: Cluster, login: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_block(".show()", login, tmp_path)
    assert "personId" in capsys.readouterr().out


def test_changes_are_merged_as_the_page_says(
    spark: Cluster, box: Sandbox, login: dict[str, str], tmp_path: Path
) -> None:
    edited, archived = box.ledger.rows("TimeEntries")[:2]

    def edit(dataset: Any) -> None:
        change(box, edited["id"], note="new")
        change(box, archived["id"], status="Archived")

    # After the rows were read, and found whole.
    box.faults.add(Fault("mutate", path="TimeEntries", nth=6, change=edit))
    run_block("newest_first", login, tmp_path)
    after = rows_of(spark.spark.read.parquet(str(tmp_path / "time_entries")))
    expected = truth(box)
    # What the server works out from other rows is as it was when a row was read: docs/proof.md.
    for row in (*after, *expected):
        del row["previousTimeEntryId"], row["nextTimeEntryId"]
    assert after == expected
    read = {row["id"]: row["note"] for row in rows_of(spark.spark.read.parquet(f"{tmp_path}/read"))}
    assert str(archived["id"]) in read
    assert read[str(edited["id"])] != "new"


def test_a_stream_goes_on_where_it_was(
    spark: Cluster,
    box: Sandbox,
    login: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told() -> str:
        for attempt in range(3):
            try:
                run_block("readStream", login, tmp_path)
            except StreamingQueryException as error:
                # Spark gives the Python of a stream ten seconds to start, on any machine.
                if attempt == 2 or "failed to connect back" not in str(error):
                    raise
            else:
                break
        return capsys.readouterr().out

    assert told() == f"0 {len(box.ledger.rows('TimeEntries'))}\n"
    assert told() == ""
    edited, archived = box.ledger.rows("TimeEntries")[:2]
    change(box, edited["id"], note="new")
    change(box, archived["id"], status="Archived")
    assert told() == "1 2\n"


def test_the_example_for_many_organisations(
    spark: Cluster, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, out = tmp_path / "keys", tmp_path / "out"
    keys.mkdir()
    with served(people=3, since=date(2026, 7, 6), until=date(2026, 7, 8), seed=4) as other:
        credentials(keys / "acme.env", box.environment())
        credentials(keys / "globex.env", other.environment())
        program = "spark_organisations.py"
        monkeypatch.setattr(sys, "argv", [program, f"{keys}", "2026-07-01", "2026-07-31", f"{out}"])
        runpy.run_path(str(ROOT / "examples" / "engines" / program))
    counts: Any = spark.spark.read.parquet(str(out)).groupBy("account").sum("count").toArrow()
    assert dict(zip(*(column.to_pylist() for column in counts), strict=True)) == {
        "acme": len(box.ledger.rows("TimeEntries")),
        "globex": len(other.ledger.rows("TimeEntries")),
    }


def test_secrets_are_seen_nowhere(
    spark: Cluster, box: Sandbox, windows: dict[str, str], tmp_path: Path
) -> None:
    secrets = ("canary-of-a-secret", "canary-of-redis")
    login = credentials(
        tmp_path / "canaries.env",
        box.environment(),
        JIBBLE_CLIENT_SECRET=secrets[0],
        JIBBLE_REDIS_URL=f"redis://:{secrets[1]}@127.0.0.1:1/0",
    )
    with pytest.raises(Exception, match="AuthenticationError") as caught:
        spark.read(**ENTRIES, credentials=login).count()
    with pytest.raises(Exception, match="JIBBLE_REDIS_URL"):
        spark.read(**ENTRIES, limiter=f"redis://:{secrets[1]}@127.0.0.1:1/0")
    frame = spark.read(**ENTRIES, **windows)
    rows_of(frame)
    secrets += (box.client_secret,)
    places = [str(caught.value), *_command_lines(spark), *_pages(spark), *_files(spark.home)]
    explained: Any = frame
    places.append(explained._jdf.queryExecution().toString())
    assert sum(map(len, places)) > 100_000
    assert found(secrets, *places) == []


def _command_lines(spark: Cluster) -> list[str]:
    return [command_line(pid) for pid in processes_below(spark.driver)]


def _pages(spark: Cluster) -> list[str]:
    """The UI, and what its REST API gives."""
    home = str(spark.spark.sparkContext.uiWebUrl)
    port = home.rpartition(":")[2]
    home = f"http://127.0.0.1:{port}"
    pages = ["jobs/", "stages/", "environment/", "executors/", "SQL/", "SQL/execution/?id=0"]
    applications = json.loads(_fetched(f"{home}/api/v1/applications"))
    rest = f"{home}/api/v1/applications/{applications[0]['id']}"
    names = ["environment", "jobs", "stages", "allexecutors", "sql?details=true&length=1000"]
    fetched = [_fetched(f"{home}/{page}") for page in pages]
    return [*fetched, *(_fetched(f"{rest}/{name}") for name in names)]


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def _files(home: Path) -> list[str]:
    """The event log, and what executors wrote; not what is Spark's own."""
    folders = [home / "events", home / "spark" / "work"]
    files = [each for folder in folders for each in folder.rglob("*") if each.is_file()]
    assert {"stdout", "stderr"} <= {each.name for each in files}
    assert any(each.is_relative_to(home / "events") for each in files)
    return [each.read_text(errors="replace") for each in files]
