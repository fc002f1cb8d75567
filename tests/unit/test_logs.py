"""The handlers that show the log, and what a record holds."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from jibble_async import ConfigurationError
from jibble_async.core import logs
from jibble_async.events import SlotWaited, TokenRefreshed

WAITED = SlotWaited("people.get", "workspace", "GET", "/v1/People({id})", "5e-1", 1, "bulk", 60.0)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    known = {name: (*logging.getLogger(name).handlers,) for name in logs.LOGGERS}
    yield
    for name, handlers in known.items():
        for handler in logging.getLogger(name).handlers[:]:
            if handler not in handlers:
                logs.detach(handler)


def test_a_library_logs_nowhere_by_itself() -> None:
    for name in logs.LOGGERS:
        logger = logging.getLogger(name)
        assert [type(each) for each in logger.handlers] == [logging.NullHandler]
        assert logger.level == logging.NOTSET


def test_a_record_has_what_the_event_has(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logs.log(logging.getLogger("jibble_async"), WAITED)
    (record,) = caplog.records
    fields = {name: value for name, value in vars(record).items() if name.startswith("jibble_")}
    assert fields == {
        "jibble_event": "SlotWaited",
        "jibble_operation": "people.get",
        "jibble_service": "workspace",
        "jibble_method": "GET",
        "jibble_path": "/v1/People({id})",
        "jibble_call_id": "5e-1",
        "jibble_attempt": 1,
        "jibble_priority": "bulk",
        "jibble_seconds": 60.0,
    }


def test_stderr_shows_both_apis_from_a_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stderr("info")
    old, new = (logging.getLogger(name) for name in logs.LOGGERS)
    for logger in (old, new):
        logs.log(logger, TokenRefreshed(60.0))
    logs.to_stderr("WARNING")
    logs.log(new, TokenRefreshed(70.0))
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO    jibble_async: there is a new token for 60 s")
    assert second.endswith("INFO    jibble_legacy: there is a new token for 60 s")


def test_handlers_have_levels_of_their_own() -> None:
    seen, heard = io.StringIO(), io.StringIO()
    fine, coarse = logging.StreamHandler(seen), logging.StreamHandler(heard)
    fine.setFormatter(logging.Formatter("%(message)s"))
    logs.attach(fine, logging.DEBUG)
    logs.attach(coarse, "warning")
    logger = logging.getLogger("jibble_async")
    assert logger.level == logging.DEBUG
    logs.log(logger, TokenRefreshed(None))
    assert (seen.getvalue(), heard.getvalue()) == ("there is a new token\n", "")
    logs.detach(fine)
    assert logger.level == logging.WARNING
    logs.detach(coarse)
    logs.detach(coarse)
    assert logger.level == logging.NOTSET


def test_a_level_that_the_program_set_is_kept() -> None:
    logger, seen = logging.getLogger("jibble_async"), logging.StreamHandler(io.StringIO())
    logger.setLevel(logging.DEBUG)
    try:
        logs.attach(seen, "warning")
        assert logger.level == logging.DEBUG
        logs.detach(logging.StreamHandler(io.StringIO()))
        logs.detach(seen)
        assert logger.level == logging.DEBUG
        logger.setLevel(logging.ERROR)
        logs.attach(seen, "info")
        assert logger.level == logging.INFO
        logs.detach(seen)
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("level", ["verbose", "", "notset", None, 1.5, b"info"])
def test_a_level_that_there_is_not(level: Any) -> None:
    with pytest.raises(ConfigurationError, match="there are debug, info, warning, error"):
        logs.to_stderr(level)


class Broken(logging.Handler):
    """Raises what it should have handled, as some that send over a network do."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the log's host is away")


def test_a_handler_that_raises_is_shown_and_harms_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken()
    logs.attach(broken, "info")
    logs.log(logging.getLogger("jibble_async"), WAITED)
    assert "OSError: the log's host is away" in capsys.readouterr().err
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logs.log(logging.getLogger("jibble_async"), WAITED)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "level"),
    [(None, logging.NOTSET), ("  ", logging.NOTSET), ("debug", 10), (" Info ", 20), ("error", 40)],
)
def test_what_the_environment_says(text: str | None, level: int) -> None:
    logs.from_env({} if text is None else {"JIBBLE_LOG": text})
    assert {logging.getLogger(name).level for name in logs.LOGGERS} == {level}


def test_a_misspelt_word_in_the_environment_harms_no_import(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.from_env({"JIBBLE_LOG": "verbose"})
    said = capsys.readouterr().err
    assert "JIBBLE_LOG: there is no level 'verbose'" in said
    assert logging.getLogger("jibble_legacy").level == logging.WARNING
