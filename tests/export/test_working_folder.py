"""The folder of an export: who may work in it, and what the next one finds."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jibble_async import ConfigurationError, ExportBusyError, ExportError, Group
from jibble_async.core.pages import RawRow
from jibble_async.export.journal import working_folder
from jibble_async.export.journal.parts import ids_beside
from jibble_async.export.journal.records import Header, Written
from jibble_async.export.journal.working_folder import WorkingFolder, new_temporary
from jibble_async.export.proof.plan import Partition
from jibble_async.export.sinks.json_lines import JsonLinesSink

REQUEST = {"what": "groups", "format": "jsonl"}
HEADER = Header(
    library="1",
    run="0123abcd",
    request=REQUEST,
    account=None,
    mark="2026-07-01T00:00:00Z",
    partitions=[Partition(set="groups", index=index) for index in range(2)],
)


def rows(*keys: str) -> list[RawRow]:
    return [(key, msgspec.Raw(msgspec.json.encode({"id": key}))) for key in keys]


class Place:
    """Where a test exports to."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "all.jsonl"
        self.path = folder / ".all.jsonl.export"

    def open(self, published: str | None = None) -> WorkingFolder:
        return WorkingFolder(self.path, self.out, published)

    def resumed(self, **request: Any) -> WorkingFolder:
        folder = self.open()
        try:
            folder.resume("1", {**REQUEST, **request})
        except BaseException:
            folder.close()
            raise
        return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def write(folder: WorkingFolder, index: int, *keys: str, place: str | None = None) -> Path:
    """A part of a window, whole and in the journal."""
    window = folder.windows[index]
    part = folder.new_part(window, ".jsonl", JsonLinesSink(Group))
    try:
        folder.append(part, window, rows(*keys))
        folder.finish(part, window, Written(partition=index, pages=1, place=place))
    except ExportError:
        part.discard()
        raise
    return part.path


def begun(place: Place) -> tuple[Path, Path]:
    """What an export leaves that ends between its windows."""
    with place.open() as folder:
        folder.begin(HEADER)
        return write(folder, 0, "a", "b"), write(folder, 1, "c", place="behind c")


def test_what_was_written_is_found(place: Place) -> None:
    begun(place)
    with place.resumed() as folder:
        assert folder.header == HEADER
        first, second = folder.windows
        assert (first.done, second.done, second.place) == (True, False, "behind c")
        assert [part.rows for _, part, _ in folder.parts()] == [2, 1]
        assert [part.first for _, part, _ in folder.parts()] == ["a", "c"]
        part = write(folder, 1, "d")
    assert part.read_bytes() == b'{"id":"d"}\n'
    with place.resumed() as folder:
        assert [path.read_bytes().count(b"\n") for _, _, path in folder.parts()] == [2, 1, 1]
        assert all(window.done for window in folder.windows)


def test_an_export_that_kept_nothing_leaves_nothing(place: Place) -> None:
    place.open().close()
    assert not place.path.exists()
    with place.open() as folder:
        folder.begin(HEADER)
        folder.new_part(folder.windows[0], ".jsonl", JsonLinesSink(Group)).discard()
    assert not place.path.exists()


@pytest.mark.parametrize("has_locks", [True, False])
def test_what_can_not_be_removed_is_removed_by_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch, has_locks: bool
) -> None:
    begun(place)
    monkeypatch.setattr(working_folder, "HAS_LOCKS", has_locks)
    unlink = Path.unlink

    def refused(path: Path, *given: Any, **more: Any) -> None:
        if path.name.endswith(".ids"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, *given, **more)

    with place.resumed() as folder:
        monkeypatch.setattr(Path, "unlink", refused)
        folder.remove()
        monkeypatch.undo()
    with place.open() as folder:
        assert folder.is_used
        folder.clear()
    assert not place.path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")
def test_where_no_open_file_can_be_removed_none_is_open(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working_folder, "HAS_LOCKS", False)
    unlink = Path.unlink

    def as_windows(path: Path, *given: Any, **more: Any) -> None:
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if each.readlink() == path:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path, *given, **more)

    begun(place)
    with place.resumed() as folder:
        monkeypatch.setattr(Path, "unlink", as_windows)
        folder.remove()
    assert not place.path.exists()


def test_it_is_for_nobody_else(place: Place) -> None:
    begun(place)
    modes = {oct(each.stat().st_mode & 0o777) for each in place.path.iterdir()}
    assert (oct(place.path.stat().st_mode & 0o777), modes) == ("0o700", {"0o600"})


def test_parts_that_no_line_tells_of_are_removed(place: Place) -> None:
    kept = begun(place)
    with place.open() as folder:
        folder.resume("1", REQUEST)
        part = folder.new_part(folder.windows[1], ".jsonl", JsonLinesSink(Group))
        folder.append(part, folder.windows[1], rows("d", "e"))
        assert part.path.exists()
    with contextlib.suppress(ValueError):
        part.finish()
    with place.resumed() as folder:
        assert not part.path.exists()
        assert {path for _, _, path in folder.parts()} == set(kept)
        assert folder.windows[1].lost == 1


def test_a_part_that_has_gone_begins_its_window_again(place: Place) -> None:
    first, second = begun(place)
    first.unlink()
    with place.resumed() as folder:
        assert ([window.done for window in folder.windows], folder.windows[0].lost) == (
            [False, False],
            1,
        )
        assert [path for _, _, path in folder.parts()] == [second]
    ids_beside(second).unlink()
    with place.resumed() as folder:
        assert folder.parts() == []


def change(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.mark.parametrize("data", [b'{"id":"x"}\n{"id":"b"}\n', b"", b'{"id":"a"}\n'])
def test_a_part_that_was_changed_is_refused_with_the_way_out(place: Place, data: bytes) -> None:
    first, _ = begun(place)
    change(first, data)
    with pytest.raises(ExportError, match=r"is not as it was written: remove it, and its rows are"):
        place.resumed()
    first.unlink()
    place.resumed().close()


@pytest.mark.parametrize("ids", [b'"a"\n', b'"a"\n"c"\n', b'"b"\n"a"\n'])
def test_ids_that_were_changed_are_refused(place: Place, ids: bytes) -> None:
    first, _ = begun(place)
    change(ids_beside(first), ids)
    with pytest.raises(ExportError, match="is not as it was written"):
        place.resumed()


def test_ids_that_have_gone_begin_their_window_again(place: Place) -> None:
    first, _ = begun(place)
    ids_beside(first).unlink()
    with place.resumed() as folder:
        assert (folder.windows[0].parts, folder.windows[0].done) == ([], False)
    assert not first.exists()


@pytest.mark.parametrize("name", ["../../mine", "/etc/mine", "", ".."])
def test_a_journal_names_nothing_outside_of_its_folder(place: Place, name: str) -> None:
    first, _ = begun(place)
    journal = place.path / "journal.jsonl"
    data = journal.read_bytes().replace(first.name.encode(), name.encode())
    journal.write_bytes(data)
    with pytest.raises(ExportError, match="its lines don't fit together"):
        place.resumed()


def test_a_journal_names_no_part_twice(place: Place) -> None:
    first, second = begun(place)
    journal = place.path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(second.name.encode(), first.name.encode()))
    with pytest.raises(ExportError, match="its lines don't fit together"):
        place.resumed()


@pytest.mark.parametrize("data", [b"a diary\n", b"{}\n", b'{"type":"page","partition":0}\n'])
def test_a_foreign_journal_is_refused_and_stays(place: Place, data: bytes) -> None:
    place.path.mkdir()
    (place.path / "journal.jsonl").write_bytes(data)
    with pytest.raises(ExportError, match="none of this program, or was changed"):
        place.resumed()
    assert (place.path / "journal.jsonl").read_bytes() == data


def test_another_query_is_refused_and_what_is_there_stays(place: Place) -> None:
    parts = begun(place)
    with pytest.raises(ConfigurationError, match="columns was None and is "):
        place.resumed(columns=["id"])
    assert all(part.exists() for part in parts)
    place.resumed().close()


def test_without_resume_it_begins_with_nothing(place: Place) -> None:
    begun(place)
    with place.open() as folder:
        assert folder.is_used
        folder.clear()
        assert os.listdir(place.path) == ["journal.jsonl"]
        folder.begin(HEADER)
        write(folder, 0, "z")
    with place.resumed() as folder:
        assert [part.rows for _, part, _ in folder.parts()] == [1]


def test_a_torn_line_is_cut_off_before_the_next_is_written(place: Place) -> None:
    begun(place)
    with (place.path / "journal.jsonl").open("ab") as file:
        # Longer than the line that takes its place.
        file.write(b'{"type":"part","first":"' + b"x" * 2000)
    with place.resumed() as folder:
        write(folder, 1, "d")
    with place.resumed() as folder:
        assert [part.rows for _, part, _ in folder.parts()] == [2, 1, 1]


@pytest.mark.parametrize("at", ["write", "fsync"])
def test_a_line_that_failed_spoils_none_after_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    written, synced = os.write, os.fsync

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def half(descriptor: int, line: Any) -> int:
        monkeypatch.setattr(os, "write", full)
        return written(descriptor, line[: len(line) // 2])

    with place.open() as folder:
        folder.begin(HEADER)
        write(folder, 0, "a")
        monkeypatch.setattr(os, at, half if at == "write" else full)
        with pytest.raises(ExportError, match="No space left"):
            folder.note(folder.windows[1], Written(partition=1))
        monkeypatch.setattr(os, "write", written)
        monkeypatch.setattr(os, "fsync", synced)
        assert not folder.windows[1].done
        write(folder, 1, "b", place="behind b")
    with place.resumed() as folder:
        assert [part.first for _, part, _ in folder.parts()] == ["a", "b"]
        assert not folder.windows[1].done


def test_a_page_that_could_not_be_noted_is_not_in_the_part(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = os.write

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with place.open() as folder:
        folder.begin(HEADER)
        part = folder.new_part(folder.windows[0], ".jsonl", JsonLinesSink(Group))
        folder.append(part, folder.windows[0], rows("a"))
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(ExportError):
            folder.append(part, folder.windows[0], rows("b"))
        monkeypatch.setattr(os, "write", written)
        # What comes again when the window goes on behind the first page must not be there twice.
        assert (part.is_whole, part.rows) == (True, 1)
        part.discard()


def test_a_second_exporter_is_told_of_the_first(place: Place) -> None:
    with (
        place.open(),
        pytest.raises(ExportBusyError, match=r"another export to .*all\.jsonl is runni"),
    ):
        place.open()
    place.open().close()


def test_the_lock_of_a_dead_program_holds_nobody_up(place: Place) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from jibble_async.export.journal.working_folder import WorkingFolder;"
        "folder = WorkingFolder(Path(sys.argv[1]), Path('out')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, place.path], check=False)
    assert place.path.exists()
    with place.open() as folder:
        assert not folder.is_used


def test_without_locks_what_is_there_may_be_in_use(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(place)
    monkeypatch.setattr(working_folder, "lock", lambda _: None)
    with pytest.raises(ExportError, match=r"has no locks.* remove the folder if it does not"):
        place.open()


def test_it_is_made_anew_if_its_owner_removes_it_meanwhile(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = working_folder.lock

    def late(descriptor: int) -> bool | None:
        monkeypatch.setattr(working_folder, "lock", lock)
        (place.path / "journal.jsonl").unlink()
        place.path.rmdir()
        return lock(descriptor)

    monkeypatch.setattr(working_folder, "lock", late)
    with place.open() as folder:
        folder.begin(HEADER)
        write(folder, 0, "a")
    place.resumed().close()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_else_has_its_name_is_left_alone(place: Place, kind: str) -> None:
    if kind == "file":
        place.path.write_text("mine")
    elif kind == "link":
        place.path.symlink_to(place.path.parent)
    else:
        place.path.mkdir()
        (place.path / "notes.txt").write_text("mine")
    before = sorted(place.path.parent.rglob("*"))
    with pytest.raises(ConfigurationError, match="is in the way, and no folder of an export"):
        place.open()
    assert sorted(place.path.parent.rglob("*")) == before


def test_a_folder_that_cannot_be_written_names_the_way_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ConfigurationError, match=r"can't write in .*Read-only.* write to '-'"):
        place.open()


def test_nor_is_there_one_without_a_folder_around_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        WorkingFolder(tmp_path / "missing" / ".x.export", tmp_path / "missing" / "x")


@pytest.mark.parametrize("call", ["fsync", "write"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_failing_disk_is_one_clear_error_and_costs_only_what_is_new(
    place: Place, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    begun(place)

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with place.resumed() as folder, monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(ExportError) as caught:
            write(folder, 1, "d")
        assert str(caught.value) == (
            f"{place.out} could not be written: {os.strerror(number)}; "
            "what had the name before is untouched"
        )
    with place.resumed() as folder:
        assert [part.rows for _, part, _ in folder.parts()] == [2, 1]


def test_what_was_moved_but_not_named_is_taken_back(place: Place) -> None:
    first, second = begun(place)
    for each in (first, ids_beside(first)):
        each.rename(place.path.parent / each.name)
    with place.resumed() as folder:
        assert [path for _, _, path in folder.parts()] == [first, second]
    for each in (first, ids_beside(first)):
        each.rename(place.path.parent / each.name)
    with place.open() as folder:
        folder.clear()
    assert os.listdir(place.path.parent) == []


def test_what_is_published_is_not_taken_back(place: Place) -> None:
    first, _ = begun(place)
    moved = first.rename(place.path.parent / first.name)
    with place.open(HEADER.run) as folder:
        folder.resume("1", REQUEST)
        assert folder.history is None
    assert os.listdir(place.path.parent) == [moved.name]


def test_of_what_goes_to_a_pipe_the_dead_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, removed = new_temporary(Path("-"))
    assert removed == []
    with WorkingFolder(dead, Path("-")) as folder:
        folder.begin(HEADER)
        write(folder, 0, "a")
    living, removed = new_temporary(Path("-"))
    assert (removed, dead.exists()) == ([dead], False)
    with WorkingFolder(living, Path("-")) as folder:
        folder.begin(HEADER)
        write(folder, 0, "a")
        assert new_temporary(Path("-"))[1] == []
