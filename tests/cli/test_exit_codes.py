"""What the program ends with, and what each of it comes from."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jibble_async import JibbleClient, errors
from jibble_async.cli import connection, main
from jibble_async.cli.exit_codes import ExitCode, SetupError, exit_code_of, exit_code_of_all
from jibble_async.errors import (
    AmbiguousWriteError,
    ConnectionLostError,
    DeadlineExceededError,
    JibbleError,
    NotFoundError,
    NotSupportedError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
)
from jibble_async.export.journal.working_folder import WorkingFolder
from jibble_async.sandbox import Fault, Sandbox
from tests.cli.conftest import ROOT
from tests.support import virtual_time

DAYS = ("--since", "2026-07-06", "--until", "2026-07-07")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """What a command ends with on a sandbox that has some faults, in virtual time."""
    monkeypatch.setattr(asyncio, "run", virtual_time.run)

    def run(*arguments: str, faults: tuple[Fault, ...] = ()) -> int:
        def make(**_: Any) -> Sandbox:
            box = Sandbox(people=1)
            for fault in faults:
                box.faults.add(fault)
            return box

        monkeypatch.setattr(connection, "make_sandbox", make)
        return main([*arguments, "--sandbox"])

    return run


def always(kind: str, **more: Any) -> Fault:
    return Fault(kind, times=None, **more)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (always("status", status=400), ExitCode.DATA_REFUSED),
        (always("status", status=409), ExitCode.DATA_REFUSED),
        (always("status", status=503), ExitCode.TRY_LATER),
        (always("too_many", retry_after=3600), ExitCode.TRY_LATER),
        (always("stall"), ExitCode.TRY_LATER),
        (always("reset_before"), ExitCode.TRY_LATER),
        (always("redirect"), ExitCode.PROTOCOL),
        (always("bad_row", field="id", value=5), ExitCode.PROTOCOL),
        (always("wrong_count", by=5), ExitCode.PROTOCOL),
        (always("unauthorized"), ExitCode.NOT_PERMITTED),
        (always("unauthorized", service="identity"), ExitCode.NOT_PERMITTED),
        (always("denied_403"), ExitCode.NOT_PERMITTED),
        (always("status", status=402), ExitCode.NOT_PERMITTED),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value.name,
)
def test_what_the_server_does(
    at: Callable[..., int], capsys: pytest.CaptureFixture[str], fault: Fault, code: ExitCode
) -> None:
    assert at("people", faults=(fault,)) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err


def test_a_host_that_nobody_is_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asyncio, "run", virtual_time.run)
    monkeypatch.setenv("JIBBLE_TOKEN", "canary")
    monkeypatch.setenv("JIBBLE_WORKSPACE_URL", "http://127.0.0.1:1")
    assert main(["people"]) == ExitCode.SERVICE_AWAY
    assert "no connection to 127.0.0.1" in capsys.readouterr().err


def test_a_write_that_nobody_answered(at: Callable[..., int]) -> None:
    """Nothing invites anybody to clock in once more."""
    fault = always("stall", method="POST", committed=True)
    lost = always("status", status=500, method="GET", path="TimeEntries")
    assert at("clock", "in", faults=(fault, lost)) == ExitCode.NOT_ALL_DONE


def test_sets_that_fail_for_one_reason_end_with_it(at: Callable[..., int]) -> None:
    away = always("status", status=503, service="workspace")
    arguments = ("export", "people", "groups", "--give-up-after", "0", "--out", "copy/")
    assert at(*arguments, faults=(away,)) == ExitCode.TRY_LATER
    refused = always("status", status=400, path="Groups")
    assert at(*arguments, faults=(refused, away)) == ExitCode.NOT_ALL_DONE


def test_an_output_that_can_not_be_made(at: Callable[..., int]) -> None:
    assert at("export", "people", "--out", "missing/people.csv") == ExitCode.CANNOT_CREATE
    assert at("people", "--log-file", "missing/log") == ExitCode.CANNOT_CREATE


def test_an_output_that_can_not_be_written(
    at: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert at("export", "people", "--out", "people.csv") == ExitCode.IO_ERROR


def test_an_output_that_another_run_has(at: Callable[..., int], tmp_path: Path) -> None:
    """A night's run that meets the one before it."""
    folder = WorkingFolder(tmp_path / ".people.csv.export", tmp_path / "people.csv")
    with folder:
        assert at("export", "people", "--out", "people.csv") == ExitCode.TRY_LATER


def test_a_package_that_is_missing(at: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert at("export", "people", "--out", "people.parquet") == ExitCode.SETUP


def test_no_credentials_and_bad_usage() -> None:
    assert main(["people"]) == ExitCode.SETUP
    assert main(["people", "--nope"]) == ExitCode.USAGE
    assert main(["report", "tracked-time", *reversed(DAYS)]) == ExitCode.USAGE
    assert main(["--version"]) == ExitCode.DONE


def test_a_mistake_of_the_program(
    at: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(JibbleClient, "from_env", broken)
    assert at("people") == ExitCode.INTERNAL
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert err.endswith("please report what stands above\n")


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_code(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("m", status=400) if issubclass(kind, errors.APIError) else kind("m")
    assert exit_code_of(error) is not ExitCode.INTERNAL


def test_the_nearest_class_decides() -> None:
    bare = ThrottledOrForbiddenError("m", status=403)
    assert exit_code_of(bare) is ExitCode.TRY_LATER
    assert exit_code_of(DeadlineExceededError("m")) is ExitCode.TRY_LATER
    assert exit_code_of(SetupError("m")) is ExitCode.SETUP
    assert exit_code_of(AmbiguousWriteError("m")) is ExitCode.NOT_ALL_DONE
    assert exit_code_of(BrokenPipeError()) is ExitCode.IO_ERROR
    assert exit_code_of(ssl.SSLError()) is ExitCode.IO_ERROR
    assert exit_code_of(KeyError()) is ExitCode.INTERNAL


def test_a_write_that_may_be_done_is_never_to_be_tried_again() -> None:
    lost: JibbleError = ConnectionLostError("m")
    assert exit_code_of(lost) is ExitCode.TRY_LATER
    lost.maybe_processed = True
    assert exit_code_of(lost) is ExitCode.NOT_ALL_DONE


def test_several_errors() -> None:
    away, slow = ServerError("m", status=503), RateLimitedError("m", status=429)
    assert exit_code_of_all([away, slow]) is ExitCode.TRY_LATER
    assert exit_code_of_all([away, NotFoundError("m", status=404)]) is ExitCode.NOT_ALL_DONE
    assert exit_code_of_all([NotSupportedError("m")]) is ExitCode.NOT_ALL_DONE
    assert exit_code_of_all([]) is ExitCode.NOT_ALL_DONE


def test_the_page_of_the_desk_has_each() -> None:
    table = (ROOT / "docs/desk.md").read_text().partition("## Exit codes")[2]
    told = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", table)}
    assert told == {*ExitCode, 3, 129, 130, 143}
