from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path

import pytest

from jibble_async import ExportError
from jibble_async.export.files import PartFile


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


def test_it_may_be_read_by_those_whom_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with PartFile(tmp_path / "rows.csv") as part:
            part.publish()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "rows.csv").stat().st_mode) == 0o640


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
