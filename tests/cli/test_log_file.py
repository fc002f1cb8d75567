"""What `--log-file` keeps."""

from __future__ import annotations

import logging
import shutil
import stat
from pathlib import Path

import pytest

from jibble_async.cli import main
from jibble_async.cli.connection import Common
from jibble_async.cli.log_file import logged
from jibble_async.core import logs


@pytest.mark.usefixtures("small")
def test_what_is_said_is_logged_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "jibble.log"
    for _ in range(2):
        assert main(["clock", "in", "--sandbox", "--person", "x@y", "--log-file", str(log)]) == 2
    said = capsys.readouterr().err.splitlines()[0].removeprefix("jibble: ")
    lines = log.read_text().splitlines()
    told = [line.partition(" jibble: ")[2] for line in lines if " jibble: " in line]
    assert told == [said, "exit code 2"] * 2
    assert any(" jibble_async: " in line for line in lines)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_that_is_there_keeps_its_mode_and_its_lines(tmp_path: Path) -> None:
    log = tmp_path / "jibble.log"
    log.write_text("before\n")
    log.chmod(0o640)
    before = logging.getLogger("jibble").level
    with logged(Common(log_file=log)):
        logging.getLogger("jibble_async.x").info("first")
        logging.getLogger("jibble_async.x").debug("too much")
        # As logrotate does.
        log.rename(tmp_path / "jibble.log.1")
        logging.getLogger("jibble_legacy.x").warning("second \udc80")
    logging.getLogger("jibble_async.x").error("nobody listens")
    assert logging.getLogger("jibble").level == before
    old = tmp_path / "jibble.log.1"
    assert old.read_text().startswith("before\n")
    assert old.read_text().endswith("INFO    jibble_async.x: first\n")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert log.read_text().endswith("WARNING jibble_legacy.x: second \\udc80\n")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_log_on_a_full_disk_changes_no_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "groups", "-q", "--sandbox", "--log-file", "/dev/full"]) == 0
    assert capsys.readouterr().err.count("can't log to /dev/full") == 1


def test_an_interruption_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "jibble.log"
    interrupt = KeyboardInterrupt()
    interrupt.add_note("a write may have arrived")
    with pytest.raises(KeyboardInterrupt), logged(Common(log_file=log)):
        raise interrupt
    assert log.read_text().endswith("WARNING jibble: interrupted; a write may have arrived\n")


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 1), (2, 2)])
def test_verbose_shows_what_the_library_logs(
    capsys: pytest.CaptureFixture[str], verbose: int, lines: int
) -> None:
    with logged(Common(verbose=verbose)):
        logging.getLogger("jibble_async.x").info("first")
        logging.getLogger("jibble_async.x").debug("second")
        logging.getLogger("jibble").info("said already")
    assert capsys.readouterr().err.count("\n") == lines


@pytest.mark.parametrize(("environment", "lines"), [("debug", 2), ("error", 1)])
def test_verbose_beside_what_the_environment_says_shows_each_line_once(
    capsys: pytest.CaptureFixture[str], environment: str, lines: int
) -> None:
    logs.from_env({"JIBBLE_LOG": environment})
    try:
        with logged(Common(verbose=1)):
            logging.getLogger("jibble_async.x").info("first")
            logging.getLogger("jibble_async.x").debug("second")
        assert capsys.readouterr().err.count("\n") == lines
        assert logs.STDERR.level == getattr(logging, environment.upper())
    finally:
        logs.detach(logs.STDERR)


def test_a_log_that_can_not_be_written_any_more_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with logged(Common(log_file=folder / "log")):
        shutil.rmtree(folder)
        for _ in range(2):
            logging.getLogger("jibble").info("unheard")
    err = capsys.readouterr().err
    assert err.startswith(f"jibble: can't log to {folder}/log: ")
    assert err.count("\n") == 1
