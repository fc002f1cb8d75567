from __future__ import annotations

import subprocess
import sys

import pytest

from tests.meta.sources import ROOT, imports, modules
from tests.support.patience import PATIENCE


def test_the_contracts_of_imports_are_kept() -> None:
    """Which they are stands in `pyproject.toml`."""
    # In a process of its own: import-linter's logging set-up silences every logger that is there.
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


EXTRAS = {
    "lark": "sandbox",
    "pyarrow": "parquet",
    "redis": "redis",
    "opentelemetry": "otel",
    "dlt": "dlt",
    "pyspark": "spark",
    "rich": "cli",
    "keyring": "keyring",
    "platformdirs": "cli",
    "tomli_w": "cli",
    "cyclopts": "cli",
    "httpx": "test",
    "hypothesis": "test",
    "fastapi": "test",
    "pydantic": "test",
    "polars": "test",
    "pandas": "test",
}


def test_what_an_extra_brings_is_imported_where_it_is_needed_only() -> None:
    homes = {
        "sandbox": {"sandbox"},
        "cli": {"cli"},
        "redis": {"limits"},
        "otel": {"integrations"},
        "dlt": {"integrations"},
        "spark": {"integrations"},
    }
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules()
        if any(extra in path.read_text() for extra in EXTRAS)
        for imported, at_once in imports(path)
        if at_once
        and (extra := EXTRAS.get(imported.split(".")[0])) is not None
        and name.split(".")[1] not in homes.get(extra, set())
    ]
    assert wrong == []


HEAVY = [
    "jibble_async.cli",
    "jibble_async.sandbox",
    "jibble_async.testing",
    "jibble_async.export",
    "jibble_legacy",
    *EXTRAS,
]


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return set(done.stdout.split())


def test_importing_the_client_loads_little() -> None:
    loaded = loaded_by("from jibble_async import JibbleClient")
    assert "jibble_async.client" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_importing_the_client_makes_nothing_that_is_slow_to_make() -> None:
    """A dataclass costs half a millisecond, a pattern a fifth; structs and `re`'s cache don't."""
    loaded = loaded_by(
        "import dataclasses, re, aiohttp, aiolimiter, msgspec, tenacity; "
        "dataclasses.dataclass = re.compile = None; from jibble_async import JibbleClient"
    )
    assert "jibble_async.client" in loaded


def ours(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.startswith(("jibble_async.", "jibble_legacy."))}


def test_importing_a_package_loads_none_of_its_names() -> None:
    loaded = loaded_by("import jibble_async, jibble_async.export, jibble_legacy")
    assert ours(loaded) == {"jibble_async.on_demand", "jibble_async.export"}
    assert loaded.isdisjoint({"aiohttp", "asyncio", "msgspec"})


def test_the_sandbox_loads_nothing_of_the_client() -> None:
    loaded = ours(loaded_by("import jibble_async.sandbox"))
    assert "jibble_async.sandbox.server" in loaded
    assert {name for name in loaded if not name.startswith("jibble_async.sandbox")} == {
        "jibble_async.on_demand"
    }


@pytest.mark.parametrize(
    ("command", "not_loaded"),
    [
        ("--version", {"aiohttp", "asyncio", "cyclopts", "rich"}),
        ("--help", {"aiohttp", "asyncio"}),
        ("people --help", {"aiohttp", "asyncio"}),
        ("people --sandbox -q", {"jibble_async.export", "jibble_legacy", "rich"}),
    ],
)
def test_a_command_loads_what_it_needs(command: str, not_loaded: set[str]) -> None:
    code = f"from jibble_async.cli import main; assert main({command.split()!r}) == 0"
    assert loaded_by(code).isdisjoint(not_loaded)
