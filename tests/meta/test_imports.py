from __future__ import annotations

import subprocess
import sys

from tests.meta.sources import PACKAGES, imports, modules

# What each part may import beside itself; what is on top may import anything.
FLOORS: dict[str, set[str]] = {
    "errors": set(),
    "entities": set(),
    "sandbox": set(),
    "pairing": {"entities"},
    "query": {"entities", "errors"},
    "limits": {"errors"},
    "core": {"limits", "errors"},
    "odata": {"query", "core", "entities", "errors"},
    "resources": {"api", "odata", "core", "query", "entities", "errors"},
    "config": {"api", "core", "errors"},
    "api": {"core", "query", "entities", "limits", "errors"},
    "client": {"api", "config", "resources", "odata", "core", "limits", "errors"},
    "export": {"api", "core", "entities", "errors"},
}
TOP = {"cli", "testing"}


def part(module: str) -> str:
    """The floor that a module of `jibble_async` is on; empty for the package itself."""
    return [*module.split("."), ""][1]


def test_nothing_imports_what_is_above_it() -> None:
    wrong: list[str] = []
    for name, path in modules():
        floor = part(name)
        if not name.startswith("jibble_async.") or floor in TOP:
            continue
        assert floor in FLOORS, f"{name} is on no floor: say which"
        for imported, _ in imports(path):
            if imported.split(".")[0] == "jibble_legacy":
                wrong.append(f"{name} imports {imported}")
            if imported.split(".")[0] == "jibble_async":
                target = part(imported)
                if target != floor and target not in FLOORS[floor]:
                    wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_the_legacy_package_knows_nothing_of_the_top() -> None:
    for name, path in modules():
        if name.startswith("jibble_legacy"):
            for imported, _ in imports(path):
                assert part(imported) not in TOP | {"sandbox"} or not imported.startswith(
                    "jibble_async"
                ), f"{name} imports {imported}"


def test_the_floors_are_there() -> None:
    """A floor that is never seen would make the test above pass for nothing."""
    seen = {part(name) for name, _ in modules() if name.startswith("jibble_async.")}
    assert seen == {*FLOORS} | TOP


EXTRAS = {
    "odata_query": "sandbox",
    "pyarrow": "parquet",
    "redis": "redis",
    "opentelemetry": "otel",
    "rich": "cli",
    "cyclopts": "cli",
    "httpx": "test",
    "hypothesis": "test",
    "fastapi": "test",
}


def test_what_an_extra_brings_is_imported_where_it_is_needed_only() -> None:
    homes = {"sandbox": {"sandbox"}, "cli": {"cli"}, "redis": {"limits"}, "parquet": {"export"}}
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules()
        for imported, at_once in imports(path)
        if at_once
        and (extra := EXTRAS.get(imported.split(".")[0])) is not None
        and part(name) not in homes.get(extra, set())
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
        timeout=60,
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_little() -> None:
    loaded = loaded_by("import jibble_async")
    assert "jibble_async.client" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_importing_the_package_makes_nothing_that_is_slow_to_make() -> None:
    """A dataclass costs half a millisecond, a pattern a fifth; structs and `re`'s cache don't."""
    loaded = loaded_by(
        "import dataclasses, re, aiohttp, aiolimiter, msgspec, tenacity; "
        "dataclasses.dataclass = re.compile = None; import jibble_async"
    )
    assert "jibble_async.client" in loaded


def test_the_sandbox_loads_nothing_of_the_client() -> None:
    # The package itself is the client's, so it is kept out of the way.
    code = (
        "import sys, types; package = types.ModuleType('jibble_async'); "
        f"package.__path__ = [{str(PACKAGES['jibble_async'] / 'jibble_async')!r}]; "
        "sys.modules['jibble_async'] = package; import jibble_async.sandbox"
    )
    ours = {name for name in loaded_by(code) if name.startswith("jibble_async.")}
    assert "jibble_async.sandbox.server" in ours
    assert {name for name in ours if not name.startswith("jibble_async.sandbox")} == set()
