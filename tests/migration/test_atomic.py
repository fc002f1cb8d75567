"""Files that tell of people: theirs only, whole or as they were."""

import stat
from pathlib import Path

import pytest
from jibble_legacy.migration.files.atomic import replacing


def test_a_new_file_is_for_its_owner_only_and_one_that_was_there_stays_for_whom_it_was(
    tmp_path: Path,
) -> None:
    new, old = tmp_path / "people.csv", tmp_path / "clients.csv"
    old.write_text("before")
    old.chmod(0o640)
    for path in (new, old):
        with replacing(path, "utf-8-sig") as file:
            file.write("Zoë")
            file.write(";")
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.read_bytes() == old.read_bytes() == "\ufeffZoë;".encode()


def test_what_fails_half_way_leaves_the_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("before")

    def fail() -> None:
        with replacing(path) as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
