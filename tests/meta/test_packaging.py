"""What is built and installed: both packages in one wheel, and the extras that the README names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

from tests.meta.sources import PACKAGES, ROOT
from tests.support.patience import PATIENCE


def test_the_wheel_holds_both_packages(tmp_path: Path) -> None:
    run(["-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)], ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(home).as_posix()
        for package, home in PACKAGES.items()
        for path in (home / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == files
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed
    home = tmp_path / "installed"
    program = tmp_path / "where.py"
    program.write_text("import jibble_legacy, jibble_async\nprint(jibble_legacy, jibble_async)")
    assert run([str(program)], tmp_path, PYTHONPATH=str(home)).count(str(home)) == 2


def test_the_source_distribution_holds_what_its_tests_and_its_readme_need(tmp_path: Path) -> None:
    run(["-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)], ROOT)
    (source,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    linked = set(re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text()))
    # Tests measure with the programs of the benchmarks.
    assert {*linked, "Makefile", "requirements/dev.lock", "benchmarks/measuring.py"} <= packed


def test_the_readme_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    _, _, rest = (ROOT / "README.md").read_text().partition("| extra | brings |\n")
    rows = rest.partition("\n\n")[0].splitlines()
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(project["optional-dependencies"])


def run(arguments: list[str], folder: Path, **env: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
