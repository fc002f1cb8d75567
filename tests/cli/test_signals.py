"""How commands end at Ctrl-C, SIGTERM and SIGHUP."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jibble_async.cli import app, commands, main
from jibble_async.cli.signals import Interruption
from jibble_async.export.journal.gathering import Gathering
from tests.cli.conftest import ROOT
from tests.support.patience import PATIENCE

EXPORT = ("export", "people", "--sandbox", "--out", "people.csv")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
each_signal = pytest.mark.parametrize(("number", "code"), SIGNALS)


@pytest.fixture(autouse=True)
def as_before() -> Any:
    before = [signal.getsignal(number) for number, _ in SIGNALS]
    yield
    assert [signal.getsignal(number) for number, _ in SIGNALS] == before


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.fixture
def midway(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that come after the first page of an export."""
    coming: list[int] = []
    read = Gathering.read

    async def interrupted(self: Gathering) -> None:
        def kill() -> None:
            numbers, coming[:] = coming[:], []
            for number in numbers:
                os.kill(os.getpid(), number)

        self._on_page = kill  # pyright: ignore[reportPrivateUsage]
        await read(self)

    monkeypatch.setattr(Gathering, "read", interrupted)
    return coming


@each_signal
@pytest.mark.usefixtures("small")
def test_an_export_keeps_what_came_and_says_how_to_go_on(
    midway: list[int], capsys: pytest.CaptureFixture[str], tmp_path: Path, number: int, code: int
) -> None:
    midway.append(number)
    assert main(EXPORT) == code
    out = tmp_path / "people.csv"
    told = f"what was read is kept for {out}: go on with resume"
    assert said(capsys) == f"jibble: interrupted; {told}\n"
    assert os.listdir(tmp_path) == [".people.csv.export"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("second", "code"), [(signal.SIGHUP, 143), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_two_signals_leave_no_file(
    midway: list[int], tmp_path: Path, second: int, code: int
) -> None:
    midway.extend([signal.SIGTERM, second])
    assert main(EXPORT) == code
    # The disk's thread, for which the program's end waits, if not the command's.
    for thread in threading.enumerate():
        if thread.name.startswith("jibble-disk"):
            thread.join()
    assert os.listdir(tmp_path) == [".people.csv.export"]


def test_another_signal_behind_the_first_does_not_end_the_tidying_up() -> None:
    tidied: list[int] = []

    async def tidy() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(0)
        finally:
            signal.raise_signal(signal.SIGHUP)
            await asyncio.sleep(0)
            tidied.append(signal.SIGHUP)

    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        interruption.run(tidy())
    assert (tidied, interruption.exit_code) == ([signal.SIGHUP], 143)


def test_an_interrupt_that_is_swallowed_takes_no_other_one_away() -> None:
    with Interruption() as interruption:
        for number, code in SIGNALS:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
            assert interruption.exit_code == code


@pytest.mark.usefixtures("small")
def test_what_is_ignored_from_outside_stays_ignored(midway: list[int], tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        midway.append(signal.SIGHUP)
        assert main(EXPORT) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert os.listdir(tmp_path) == ["people.csv"]


@pytest.mark.usefixtures("small")
def test_a_shell_that_ignores_ctrl_c_in_the_background_leaves_sigterm(midway: list[int]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        midway.append(signal.SIGTERM)
        assert main(EXPORT) == 143
    finally:
        signal.signal(signal.SIGINT, before)


@each_signal
def test_while_arguments_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(commands, "COMMANDS", SimpleNamespace(parse_args=interrupted))
    assert main(["whoami"]) == code
    assert said(capsys) == "jibble: interrupted\n"


@each_signal
def test_while_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    class Interrupted:
        def __getattr__(self, _: str) -> Any:
            signal.raise_signal(number)

    monkeypatch.setitem(sys.modules, app.__name__, Interrupted())
    assert main(["whoami"]) == code
    assert said(capsys) == "jibble: interrupted\n"


@each_signal
def test_a_loop_that_waits_is_woken(process: Any, number: int, code: int) -> None:
    box = process("sandbox", "--people", "2")
    assert "until you press Ctrl-C" in box.stderr.readline()
    box.send_signal(number)
    # A sandbox is meant to end with Ctrl-C.
    assert box.wait(PATIENCE) == (0 if number == signal.SIGINT else code)
    rest = box.stderr.read()
    assert rest == ("" if number == signal.SIGINT else "jibble: interrupted\n")


def test_the_same_signal_again_does_not_wait() -> None:
    async def stubborn() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)
        finally:
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError

    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        interruption.run(stubborn())
    assert interruption.exit_code == 143


def test_a_signal_behind_the_end_of_a_command_is_not_lost() -> None:
    with Interruption() as interruption:
        interruption.run(asyncio.sleep(0))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert interruption.exit_code == 143


@pytest.mark.real_time
async def test_another_thread_has_no_say_in_signals() -> None:
    def inside() -> None:
        with Interruption() as interruption:
            interruption.run(asyncio.sleep(0))

    await asyncio.to_thread(inside)


def test_killed_for_good_it_leaves_what_the_next_export_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import os, sys; from jibble_async.export.journal.held import HeldParts as H;"
        "from jibble_async.cli import *;"
        "H.__init__ = lambda *_: os.kill(os.getpid(), 9); main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *EXPORT],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    (part,) = os.listdir(tmp_path)
    assert main([*EXPORT[:-1], "other.csv", "--json"]) == 0
    assert part in os.listdir(tmp_path)
    capsys.readouterr()
    assert main(EXPORT) == 0
    assert f"removed {tmp_path / part}, which a run that was killed had left" in (
        capsys.readouterr().err
    )
    assert set(os.listdir(tmp_path)) == {"other.csv", "people.csv"}


_AMID_A_TEXT = """
import os, signal, sys
from jibble_async.cli.signals import Interruption
with Interruption() as interruption:
    try:
        exec("os.kill(os.getpid(), signal.SIGTERM)\\nfor _ in range(10**6): pass")
    except KeyboardInterrupt:
        pass
sys.exit(interruption.exit_code)
"""


@pytest.mark.real_time
def test_a_signal_while_a_library_makes_code_ends_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "loading.py").write_text(_AMID_A_TEXT)
    done = subprocess.run(
        [sys.executable, "-m", "loading"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'legacy'}"},
        check=False,
    )
    assert done.returncode == 143
