from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jibble_async import ConfigurationError
from jibble_async.export.files import destinations
from jibble_async.export.files.destinations import (
    Destination,
    destination_of,
    is_trusted,
    mount_points,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def refused(out: Path | str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        destination_of(out)
    return str(caught.value)


def test_links_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "real" / "latest.csv").symlink_to("../real/july.csv")
    expected = Destination(tmp_path / "real" / "july.csv")
    assert destination_of(tmp_path / "folder" / "latest.csv") == expected
    monkeypatch.chdir(tmp_path)
    assert destination_of("folder/../real/./latest.csv") == expected
    assert destination_of("july.csv") == Destination(tmp_path / "july.csv")
    (tmp_path / "round").symlink_to("round")
    assert "symbolic links" in refused("round")


@pytest.mark.parametrize("name", ["x" * 256 + ".csv", "\u00fc" * 128])
def test_a_name_that_is_too_long_is_told_at_once(tmp_path: Path, name: str) -> None:
    assert "File name too long" in refused(tmp_path / name)


def test_what_is_no_folder_holds_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "there is no folder" in refused(tmp_path / "file" / "rows.csv")


@pytest.fixture
def descriptor(tmp_path: Path) -> int:
    """The number of a file that is open for writing."""
    with (tmp_path / "log").open("ab") as log:
        os.dup2(log.fileno(), 237)
    return 237


@pytest.mark.parametrize(
    "name",
    [
        "/dev/fd/237",
        "/proc/self/fd/237",
        "/proc/thread-self/fd/237",
        "/dev/../proc/self/fd/237",
        "/proc/{pid}/fd/237",
        "/proc/{pid}/task/{pid}/fd/237",
    ],
)
def test_the_name_of_an_open_file_is_that_file(descriptor: int, name: str) -> None:
    name = name.format(pid=os.getpid())
    try:
        assert destination_of(name) == Destination(Path(name), descriptor)
    finally:
        os.close(descriptor)


def test_a_link_to_an_open_file_is_that_file(tmp_path: Path, descriptor: int) -> None:
    (tmp_path / "rows.csv").symlink_to("/dev/fd/237")
    try:
        assert destination_of(tmp_path / "rows.csv").descriptor == descriptor
    finally:
        os.close(descriptor)


def test_standard_output() -> None:
    assert destination_of("-") == Destination(Path("-"), 1)
    assert destination_of("/dev/stdout") == Destination(Path("/dev/stdout"), 1)
    assert destination_of("./-") == Destination(Path.cwd() / "-")


def test_what_is_not_open_for_writing_is_refused(tmp_path: Path) -> None:
    assert "descriptor 238 can't be written" in refused("/dev/fd/238")
    (tmp_path / "input").touch()
    reading = os.open(tmp_path / "input", os.O_RDONLY)
    assert f"descriptor {reading} can't be written" in refused(f"/dev/fd/{reading}")
    os.close(reading)


@pytest.mark.parametrize(
    ("folder_mode", "owner", "trusted"),
    [
        (0o1777, "mine", True),
        (0o1777, "of the folder", True),
        (0o1777, "another", False),
        (0o0777, "another", True),
        (0o1775, "another", True),
    ],
)
def test_whose_link_is_followed(folder_mode: int, owner: str, trusted: bool) -> None:
    ids = {"mine": 1, "of the folder": 2, "another": 3}
    link = os.stat_result((0o120777, 0, 0, 1, ids[owner], 0, 0, 0, 0, 0))
    folder = os.stat_result((0o040000 | folder_mode, 0, 0, 1, 2, 0, 0, 0, 0, 0))
    assert is_trusted(link, folder, user=1) is trusted


@as_root
@pytest.mark.parametrize("depth", ["rows.csv", "folder/rows.csv"])
def test_a_link_that_somebody_else_left_is_not_followed(tmp_path: Path, depth: str) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / depth.partition("/")[0]
    link.symlink_to(tmp_path if "/" in depth else tmp_path / "victim.csv")
    assert destination_of(shared / depth).path.parent == tmp_path
    os.lchown(link, 12345, 12345)
    assert f"{link} is a link that somebody else made" in refused(shared / depth)


def test_a_file_that_only_somebody_else_may_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "rows.csv").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert "only they can replace it" in refused(tmp_path / "rows.csv")
    tmp_path.chmod(0o777)
    assert destination_of(tmp_path / "rows.csv") == Destination(tmp_path / "rows.csv")


def test_mounts_are_found_in_the_table() -> None:
    table = (
        "36 35 98:0 /mnt1 /mnt/with\\040space rw,noatime master:1 - ext3 /dev/root rw\n"
        "37 35 98:0 /x /data/out.csv rw - ext3 /dev/root rw\n\nnonsense\n"
    )
    assert mount_points(table) == {"/mnt/with space", "/data/out.csv"}


def test_a_file_that_is_a_mount_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.csv"
    out.touch()
    table = tmp_path / "mountinfo"
    table.write_text(f"37 35 98:0 /x {out} rw - ext3 /dev/root rw\n")
    monkeypatch.setattr(destinations, "_MOUNTS", table)
    assert "mount its folder, or write to '-'" in refused(out)
    assert destination_of(tmp_path / "other.csv")
    monkeypatch.setattr(destinations, "_MOUNTS", tmp_path / "missing")
    assert destination_of(out)


@as_root
def test_a_real_mount_is_refused(tmp_path: Path) -> None:
    out, outside = tmp_path / "out \u00fc.csv", tmp_path / "outside.csv"
    out.touch()
    outside.touch()
    if subprocess.run(
        ["mount", "--bind", outside, out], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        assert "is a mount of its own" in refused(out)
    finally:
        subprocess.run(["umount", out], check=True)
