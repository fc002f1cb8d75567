"""The sandbox, loaded by dlt into DuckDB."""

from __future__ import annotations

import importlib
import sys
import traceback
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ConfigurationError, JibbleClient, MissingExtraError
from jibble_async.sandbox import Fault
from tests.engines.dlt_pipelines import WIRE, Company, PipelineStepFailed, company, quiet
from tests.support.canaries import chain, found, local_variables
from tests.support.chaos import TIMES, seeds

# Behind what leaves these tests out where dlt is missing.
from jibble_async.integrations.dlt import jibble_source  # isort: skip

__all__ = ["company"]

pytestmark = pytest.mark.real_time

ENTRIES = "time_entries"


def test_all_sets_equal_the_ledger_in_every_column(company: Company) -> None:
    week = (date(2026, 7, 6), date(2026, 7, 12))
    company.load(periods=[week])
    company.require_equal(*WIRE)
    loads = company.loads()
    assert loads.keys() == {*WIRE, "timesheets", "timesheet_summaries"}
    assert {row["outcome"] for row in loads.values()} == {"proved"}
    # One client for all of them.
    assert len(company.box.ledger.token_requests) == 1
    assert company.query("SELECT DISTINCT period_since, period_until FROM timesheets") == [
        {"period_since": week[0], "period_until": week[1]}
    ]


def test_a_second_load_brings_only_what_changed(company: Company) -> None:
    company.load(ENTRIES, "people")
    first = len(company.box.ledger.requests)
    company.edit(3, note="later")
    # By another object, on the same folder.
    company.load(ENTRIES, "people")
    company.require_equal(ENTRIES, "people")
    loads = company.loads()
    assert (loads[ENTRIES]["whole"], loads[ENTRIES]["rows"], loads["people"]["rows"]) == (
        False,
        1,
        0,
    )
    assert len(company.box.ledger.requests) < first
    # And by one on another folder, which takes the state from the destination.
    company.edit(4, note="later still")
    company.load(ENTRIES, pipeline=company.pipeline(pipelines_dir=str(company.folder / "other")))
    company.require_equal(ENTRIES)
    loads = company.loads()
    assert (loads[ENTRIES]["whole"], loads[ENTRIES]["rows"]) == (False, 1)


def test_archived_rows_are_kept_or_deleted_and_what_was_deleted_for_good_goes(
    company: Company,
) -> None:
    company.load(ENTRIES)
    gone = company.edit(3, status="Archived")
    company.load(ENTRIES, reconcile="never")
    company.require_equal(ENTRIES)
    assert company.query(f"SELECT status FROM time_entries WHERE id = '{gone}'") == [
        {"status": "Archived"}
    ]
    # Another wish makes the table anew, and what is not meant any more goes.
    company.load(ENTRIES, archived="delete", reconcile="never")
    company.require_equal(ENTRIES, include_archived=False)
    assert company.loads()[ENTRIES]["whole"]
    # Not before the table has more rows than the server is it asked which were deleted for good.
    archived = company.edit(5, status="Archived")
    entries = company.box.dataset.table("TimeEntries")
    entries.remove(next(row for row in entries.rows if row["status"] == "Active"))
    company.load(ENTRIES, archived="delete", reconcile="never")
    company.require_equal(ENTRIES, include_archived=False)
    loaded = company.loads()[ENTRIES]
    assert (loaded["whole"], loaded["rows"], loaded["deleted"]) == (False, 0, 2)
    assert company.query(f"SELECT id FROM time_entries WHERE id = '{archived}'") == []


def test_numbers_that_hide_a_deletion_are_looked_behind(company: Company) -> None:
    company.load("projects")
    company.box.dataset.table("Projects").rows.pop()
    company.box.dataset.table("Projects").touch()
    with company.warehouse() as database:
        database.execute("DELETE FROM projects WHERE id = (SELECT min(id) FROM projects)")
    company.load("projects", reconcile="never")
    with pytest.raises(AssertionError):
        company.require_equal("projects")
    company.load("projects", reconcile="daily")
    company.require_equal("projects")
    # The one that somebody took away is there again, since all was read.
    assert company.loads()["projects"]["whole"]


def test_a_load_that_fails_changes_nothing_and_is_made_good(company: Company) -> None:
    company.load(ENTRIES, "people")
    before = company.pipeline().state["sources"]
    company.edit(3, note="later")
    company.box.faults.add(Fault("status", status=400, path="People", times=1000))
    with pytest.raises(PipelineStepFailed, match="people"):
        company.load(ENTRIES, "people")
    assert company.pipeline().state["sources"] == before
    assert not company.pipeline().has_pending_data
    company.box.faults.clear()
    company.load(ENTRIES, "people")
    company.require_equal(ENTRIES, "people")


# dlt's own way to say that packages wait.
@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")
def test_what_was_not_loaded_is_loaded_by_the_next_run(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.load(ENTRIES)
    company.edit(3, note="later")
    pipeline = company.pipeline()
    with monkeypatch.context() as patch:

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("the warehouse is away")

        patch.setattr(pipeline, "load", fail)
        with pytest.raises(OSError, match="away"):
            company.load(ENTRIES, pipeline=pipeline)
    # While something waits, the table says nothing of what was given already.
    source = jibble_source(connect=company.connect)
    pipeline.extract(source.with_resources(ENTRIES, "jibble_loads"))
    company.edit(4, note="later still")
    # dlt loads what waits, and extracts nothing; the run after that does.
    company.load(ENTRIES)
    assert company.loads()[ENTRIES]["outcome"] == "complete by updatedAt, count not compared"
    company.load(ENTRIES)
    company.require_equal(ENTRIES)


@pytest.mark.parametrize("fault", ["wrong_count", "html"])
def test_what_is_not_proved_is_an_error_or_is_said(company: Company, fault: str) -> None:
    if fault == "html":
        # The page of a login, with a 200.
        page = Fault("status", status=200, body="<html>", path="Projects", times=None)
        company.box.faults.add(page)
        with pytest.raises(PipelineStepFailed):
            company.load("projects", give_up_after=0.0)
        return
    company.box.faults.add(Fault("wrong_count", path="Projects", by=3, times=None))
    with pytest.raises(PipelineStepFailed, match="may lack rows"):
        company.load("projects")
    company.load("projects", on_not_proved="warn")
    loaded = company.loads()["projects"]
    assert loaded["outcome"] == "not proved"
    assert loaded["reason"]
    company.box.faults.clear()
    company.load("projects")
    company.require_equal("projects")


def failed(company: Company, *sets: str, match: str, **options: Any) -> None:
    with pytest.raises(PipelineStepFailed, match=match):
        company.load(*sets, **options)


def test_a_new_field_does_as_the_contract_says(company: Company) -> None:
    company.load("groups")
    groups = company.box.dataset.table("Groups")

    def change() -> None:
        groups.change(groups.rows[0], {"costCenter": "K1", "updatedAt": company.stamp()})

    change()
    # Nothing of it is loaded, and it can be tried again.
    failed(company, "groups", match="cost_center", run={"schema_contract": "freeze"})
    company.load("groups", run={"schema_contract": {"columns": "discard_value"}})
    assert "cost_center" not in company.query("FROM groups")[0]
    change()
    company.load("groups", run={"schema_contract": "evolve"})
    assert {each["cost_center"] for each in company.query("FROM groups")} == {"K1", None}
    assert company.loads()["groups"]["new_fields"] == "costCenter"


def test_sets_and_columns_are_chosen_and_chosen_anew(company: Company) -> None:
    columns = {"projects": ["name", "status"]}
    company.load("projects", columns=columns)
    assert company.query("FROM projects")[0].keys() == {
        "id",
        "name",
        "status",
        "updated_at",
        "_jibble_deleted",
    }
    asked = {each.path for each in company.box.ledger.select(service="workspace")}
    assert {path.rpartition("/")[2] for path in asked} == {"Projects"}
    company.load("projects", columns=columns)
    assert not company.loads()["projects"]["whole"]
    # No row keeps what others of it have no more, or has not what others have.
    company.load("projects")
    company.require_equal("projects")
    assert company.loads()["projects"]["whole"]


def test_each_run_of_dev_mode_has_a_dataset_of_its_own(company: Company) -> None:
    names = set()
    for _ in range(2):
        pipeline = company.load("groups", pipeline=company.pipeline(dev_mode=True))
        names.add(pipeline.dataset_name)
        loaded = company.query("FROM jibble_loads", pipeline.dataset_name)
        assert [(row["whole"], row["rows"]) for row in loaded] == [(True, 5)]
        company.now += timedelta(seconds=1)
    assert len(names) == 2


def test_another_organization_is_refused(company: Company, tmp_path: Path) -> None:
    company.load("groups")
    with Company.founded(tmp_path, seed=4) as other:
        failed(other, "groups", match="another organization")
    company.require_equal("groups")


def test_a_source_that_failed_may_be_run_again(company: Company) -> None:
    source = jibble_source(connect=company.connect)
    source = source.with_resources("groups", "projects", "jibble_loads")
    company.box.faults.add(Fault("status", status=400, path="Projects", nth=3, times=None))
    with pytest.raises(PipelineStepFailed, match="projects"):
        company.pipeline().run(source)
    company.box.faults.clear()
    company.pipeline().run(source)
    company.require_equal("groups", "projects")
    # What the first run had read by then is not told of twice.
    assert sorted(row["set"] for row in company.query("FROM jibble_loads")) == [
        "groups",
        "projects",
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"archived": "maybe"}, "keep, delete"),
        ({"reconcile": "hourly"}, "weekly"),
        ({"on_not_proved": "shrug"}, "raise, warn"),
        ({"columns": {"peoples": ["id"]}}, "people"),
        ({"columns": {"people": ["fullNam"]}}, "fullName"),
        ({"columns": {"people": ["pinCode"]}}, "secrets=True"),
        ({"columns": {"people": "id"}}, "list of names"),
        ({"since": date(2026, 7, 2), "until": date(2026, 7, 1)}, "since="),
        ({"periods": [(date(2026, 7, 2), date(2026, 7, 1))]}, "since="),
        ({"lag": -1.0}, "lag="),
        ({"concurrency": 0}, "concurrency="),
        ({"connect": None}, "sources.jibble.client_secret"),
        ({"connect": None, "client_id": "one"}, "sources.jibble.client_secret"),
    ],
)
def test_what_can_not_be_is_said_before_anything_is_sent(
    options: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quiet(monkeypatch, tmp_path)
    with pytest.raises(ConfigurationError, match=says):
        jibble_source(**{"connect": JibbleClient.from_env, **options})


def test_settings_are_those_of_dlt_and_none_of_a_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quiet(monkeypatch, tmp_path)
    # dlt takes a setting from a variable that is called like it, too.
    for name in ("COLUMNS", "LIMIT", "PER", "WORKERS", "SINCE", "LAG", "SECRETS", "PERIODS"):
        monkeypatch.setenv(name, "80")
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SOURCES__ACME__{name}", "theirs")
    acme = jibble_source.clone(name="acme", section="acme")
    assert (acme().name, acme().section) == ("acme", "acme")
    with pytest.raises(ConfigurationError, match="no credentials"):
        jibble_source()


def test_timesheets_need_periods(company: Company) -> None:
    failed(company, "timesheets", match="give periods=")
    periods = [(date(2026, 7, 6), date(2026, 7, 7)), (date(2026, 7, 8), date(2026, 7, 8))]
    company.load("timesheets", periods=periods)
    count = "SELECT count(*) AS rows, count(DISTINCT person_id) AS people FROM timesheets"
    assert company.query(count) == [{"rows": 12, "people": 6}]
    # Those of a span are replaced, and others stay.
    company.box.dataset.table("People").rows.pop()
    company.box.dataset.table("People").touch()
    company.load("timesheets", periods=periods[:1])
    assert company.query(count) == [{"rows": 11, "people": 6}]


def test_an_empty_company_has_empty_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(monkeypatch, tmp_path)
    with Company.founded(tmp_path) as company:
        table = company.box.dataset.table("Projects")
        table.rows.clear()
        table.touch()
        for _ in range(2):
            company.load("projects", "hour_entries", reconcile="always")
            assert company.query("SELECT id, name, updated_at FROM projects") == []
            assert company.query("FROM hour_entries") == []


def test_credentials_come_from_dlt_and_are_in_nothing_that_it_writes(
    company: Company, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in company.box.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SOURCES__JIBBLE__{name}", getattr(company.box, name.lower()))
        monkeypatch.delenv(f"JIBBLE_{name}")
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    pace = company.folder / "pace"
    pipeline = company.load("groups", "people", connect=None, limiter=str(pace))
    company.require_equal("groups")
    assert not {"pin_code", "nfc_token"} & company.query("FROM people")[0].keys()
    assert [each.name.rpartition("-")[0] for each in pace.glob("*.db")] == ["workspace"]
    secrets = (company.box.client_secret, company.box.client_id)
    company.box.faults.add(Fault("status", status=400, path="Groups", times=None))
    with pytest.raises(PipelineStepFailed) as caught:
        company.load("groups", connect=None)
    told = [*capfd.readouterr(), shown_of(caught.value), str(pipeline.last_trace.asdict())]
    assert found(secrets, *told) == []
    written = [each for each in company.folder.rglob("*") if each.is_file()]
    assert any(each.suffix == ".duckdb" for each in written)
    assert any(each.name == "trace.pickle" for each in written)
    for each in written:
        content = each.read_bytes()
        assert not [each.name for secret in secrets if secret.encode() in content]


def shown_of(error: BaseException) -> str:
    """Everything that may be seen of an error of dlt's, which can't be pickled."""
    return "\n".join(
        [
            *traceback.format_exception(error),
            local_variables(error),
            *(repr(vars(each)) for each in chain(error)),
        ]
    )


def test_without_dlt_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "jibble_async.integrations.dlt"
    monkeypatch.setitem(sys.modules, "dlt", None)
    monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r'pip install "jibble-async\[dlt\]"'):
        importlib.import_module(name)


@seeds(20, few=1)
def test_nights(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each night the table is the set, whatever people do, even meanwhile."""
    quiet(monkeypatch, tmp_path)
    with Company.founded(tmp_path, seed=seed) as company:
        for night in range(20 if TIMES > 1 else 3):
            # And some of it while the copy is being put in step.
            company.box.faults.add(
                Fault("mutate", path="TimeEntries", change=company.change, nth=3, times=1)
            )
            company.load(ENTRIES, "people", archived="delete" if seed % 2 else "keep")
            company.require_equal(ENTRIES, "people", include_archived=seed % 2 == 0)
            loaded = company.loads()
            assert {row["outcome"] for row in loaded.values()} == {"proved"}
            assert loaded[ENTRIES]["whole"] == (night == 0)
            assert night == 0 or loaded[ENTRIES]["rows"] + loaded[ENTRIES]["deleted"] < 20
            company.day()
