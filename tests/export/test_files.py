from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jibble_async import ConfigurationError, ExportError
from jibble_async.export.files.atomic import PartFile, Spool, remove_dead_parts

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def test_a_file_has_its_name_only_when_published(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    with PartFile(out) as part:
        part.write(b"a")
        part.write(b"b")
        assert not out.exists()
        part.publish()
        assert out.read_bytes() == b"ab"
        assert part.size == 2
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_without_publishing_nothing_is_left(tmp_path: Path) -> None:
    with PartFile(tmp_path / "rows.csv") as part:
        part.write(b"a")
    assert os.listdir(tmp_path) == []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private_while_it_is_written_and_afterwards(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with PartFile(tmp_path / "rows.csv") as part:
            (half,) = tmp_path.iterdir()
            assert mode(half) == 0o600
            part.publish()
    finally:
        os.umask(old)
    assert mode(tmp_path / "rows.csv") == 0o600


@pytest.mark.parametrize("before", [0o600, 0o400, 0o644, 0o660, 0o4755])
def test_a_file_keeps_the_mode_of_what_it_replaces(tmp_path: Path, before: int) -> None:
    out = tmp_path / "rows.csv"
    out.touch()
    out.chmod(before)
    with PartFile(out) as part:
        (half,) = (each for each in tmp_path.iterdir() if each != out)
        assert mode(half) == 0o600
        part.publish()
    assert mode(out) == before & 0o777


@as_root
def test_a_file_keeps_the_owner_of_what_it_replaces(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.touch(0o640)
    os.chown(out, 12345, 23456)
    with PartFile(out) as part:
        part.publish()
    found = out.stat()
    assert (found.st_uid, found.st_gid, mode(out)) == (12345, 23456, 0o640)


@as_root
def test_a_group_that_can_not_be_kept_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    out = tmp_path / "rows.csv"
    out.touch()
    out.chmod(0o664)
    os.chown(out, 0, 23456)
    monkeypatch.setattr(os, "fchown", refuse)
    with PartFile(out) as part:
        part.publish()
    assert mode(out) == 0o604


@pytest.mark.parametrize(
    "name",
    [
        "n" * 245 + ".csv",
        "n" * 251 + ".csv",
        "\u00fc" * 125 + ".csv",
        "\u5ba2" * 83 + ".csv",
        "\udcff" * 249,
    ],
)
def test_a_name_as_long_as_names_can_be(tmp_path: Path, name: str) -> None:
    with PartFile(tmp_path / name) as part:
        part.write(b"a")
        assert all(len(os.fsencode(each)) <= 143 for each in os.listdir(tmp_path))
        part.publish()
    assert os.listdir(tmp_path) == [name]
    dead = killed_part(tmp_path / name)
    assert remove_dead_parts(tmp_path / name) == [dead]


def killed_part(out: Path) -> Path:
    """What a writer leaves that is killed."""
    before = set(out.parent.iterdir())
    code = (
        "import os, sys; from pathlib import Path;"
        "from jibble_async.export.files.atomic import PartFile;"
        "part = PartFile(Path(sys.argv[1])); part.write(b'Ann'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(out)], check=False)
    (part,) = set(out.parent.iterdir()) - before
    return part


def test_what_a_killed_writer_left_is_removed_and_named(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    dead = [killed_part(out), killed_part(out)]
    other = killed_part(tmp_path / "rows.csv.part")
    mine = tmp_path / ".rows.csv.part-notes.txt"
    mine.touch()
    (tmp_path / ".rows.csv.part-00000000").symlink_to(mine)
    (tmp_path / ".rows.csv.part-11111111").mkdir()
    with PartFile(out) as living:
        assert remove_dead_parts(out) == sorted(dead)
        living.publish()
    assert {other, mine, out} <= set(tmp_path.iterdir())
    assert remove_dead_parts(out) == []
    assert remove_dead_parts(tmp_path / "missing" / "rows.csv") == []


@as_root
def test_what_somebody_else_left_stays(tmp_path: Path) -> None:
    dead = killed_part(tmp_path / "rows.csv")
    os.chown(dead, 12345, -1)
    assert remove_dead_parts(tmp_path / "rows.csv") == []
    assert dead.exists()


def test_without_locks_nothing_is_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    dead = killed_part(tmp_path / "rows.csv")
    monkeypatch.setattr("fcntl.flock", unsupported)
    with PartFile(tmp_path / "rows.csv") as part:
        assert remove_dead_parts(tmp_path / "rows.csv") == []
        part.publish()
    assert set(tmp_path.iterdir()) == {dead, tmp_path / "rows.csv"}


def test_a_part_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        for each in tmp_path.iterdir():
            each.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with PartFile(tmp_path / "rows.csv") as part:
        part.publish()
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_a_part_begins_again(tmp_path: Path) -> None:
    with PartFile(tmp_path / "rows.csv") as part, PartFile(tmp_path / "same.csv") as same:
        part.write(b"first reading")
        part.restart()
        for each in (part, same):
            each.write(b"second")
            each.publish()
        assert (part.size, part.sha256) == (same.size, same.sha256)
    assert (tmp_path / "rows.csv").read_bytes() == b"second"


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EBUSY])
def test_a_failure_leaves_the_last_good_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    out = tmp_path / "rows.csv"
    out.write_text("yesterday's")
    monkeypatch.setattr(os, call, fail)
    with PartFile(out) as part:
        part.write(b"a")
        with pytest.raises(ExportError) as caught:
            part.publish()
    assert str(caught.value) == (
        f"{out} could not be written: {os.strerror(number)}; what had the name before is untouched"
    )
    assert os.listdir(tmp_path) == ["rows.csv"]
    assert out.read_text() == "yesterday's"


def test_a_folder_that_can_not_be_written_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigurationError, match=r"can't write in .*Read-only.* write to '-'"):
        PartFile(tmp_path / "rows.csv")


def test_what_is_abandoned_is_not_published(tmp_path: Path) -> None:
    with PartFile(tmp_path / "rows.csv") as part:
        part.abandon()
        part.publish()
    assert os.listdir(tmp_path) == []


def test_an_open_file_gets_all_of_it_behind_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "all.jsonl"
    log.write_bytes(b"earlier\n")
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    for rows in (b"one\n", b"two\n"):
        with Spool(Path("-"), descriptor) as spool:
            spool.write(b"half a reading")
            spool.restart()
            spool.write(rows)
            assert not log.read_bytes().endswith(rows)
            spool.publish()
        with Spool(Path("-"), descriptor) as spool:
            spool.write(b"never published")
    os.close(descriptor)
    assert log.read_bytes() == b"earlier\none\ntwo\n"


def test_a_spool_on_a_full_disk_passes_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w+b", buffering=0)  # noqa: SIM115 - closed by the spool
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
    with Spool(Path("-"), 1) as spool, pytest.raises(ExportError, match="nothing of it was passed"):
        spool.write(b"a")


def test_a_reader_that_has_gone_is_an_error_of_ours() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with Spool(Path("-"), writer) as spool:
        spool.write(b"a")
        with pytest.raises(ExportError, match="Broken pipe; a part"):
            spool.publish()
    os.close(writer)


def test_a_system_that_takes_no_more_bytes(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with PartFile(tmp_path / "rows.csv") as part, pytest.raises(ExportError) as caught:
            part.write(b"x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.strerror(errno.EFBIG) in str(caught.value)
    assert str(tmp_path / "rows.csv") in str(caught.value)
    assert os.listdir(tmp_path) == []
