from __future__ import annotations

import ast
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jibble_legacy.resources.catalog import LegacyCatalog

import jibble_async
from jibble_async import JibbleClient, Safety, StaticToken, entities, errors
from jibble_async.api.base_client import resources_of
from jibble_async.api.listing import Routes
from jibble_async.api.set_names import SetName
from jibble_async.config import Service
from jibble_async.core.operation import Operation
from jibble_async.errors import MissingExtraError
from jibble_async.resources.attendance import Reports
from jibble_async.resources.base import Listing, Resource
from tests.meta.sources import PACKAGES, ROOT, modules
from tests.support.patience import PATIENCE


def test_the_exported_names_are_sorted_and_all_there_is() -> None:
    names = jibble_async.__all__
    assert names == sorted(names)
    # What these stand for has no home of ours.
    aliases = {"Auth", "Hook", "Priority", "Service"}
    for name in set(names) - {"__version__", *aliases}:
        assert getattr(jibble_async, name).__module__.startswith("jibble_async"), name
    assert jibble_async.__version__ == importlib.metadata.version("jibble-async")
    ours = {
        name
        for name, value in vars(jibble_async).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("jibble_async")
    }
    assert ours <= set(names)


def test_every_entity_and_error_is_exported() -> None:
    marks = {"Guid", "ValueObject"}
    assert set(entities.__all__) - marks <= set(jibble_async.__all__)
    assert set(errors.__all__) - {"ExportError"} <= set(jibble_async.__all__)


def test_the_sets_that_are_exported_are_documented() -> None:
    text = (ROOT / "docs/export.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("- **Sets**"))
    assert tuple(re.findall(r"`(\w+)`", line)) == get_args(SetName)
    by_client = resources_of(LegacyCatalog).items()
    old = next(line for line in text.splitlines() if "takes a `LegacyClient`" in line)
    named = re.findall(r"`([a-z_]+)`", old)
    assert named == sorted(name for name, each in by_client if each.exportable)


def test_what_is_public_is_documented() -> None:
    bare: list[str] = []

    def look(owner: ast.Module | ast.ClassDef, prefix: str) -> None:
        for node in owner.body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            marks = [ast.unparse(each) for each in node.decorator_list]
            # A setter has its getter's words, an overload those of what it overloads.
            spared = any(mark == "overload" or mark.endswith(".setter") for mark in marks)
            if node.name.startswith("_") or spared:
                continue
            if not ast.get_docstring(node):
                bare.append(f"{prefix}.{node.name}")
            if isinstance(node, ast.ClassDef):
                look(node, f"{prefix}.{node.name}")

    for name, path in modules():
        tree = ast.parse(path.read_text())
        if tree.body and not ast.get_docstring(tree):
            bare.append(name)
        look(tree, name)
    assert bare == []


def test_a_module_fits_in_a_head() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def operations() -> dict[str, Operation]:
    """Every operation that is a module's or a class's, by itself or among its routes."""
    found: dict[str, Operation] = {}
    for name, path in modules():
        if name.startswith(("jibble_async.sandbox", "jibble_async.cli")) or not path.stat().st_size:
            continue
        try:
            module = importlib.import_module(name)
        except MissingExtraError:
            # What joins an engine that is not here; in CI all of them are.
            continue
        classes = [item for item in vars(module).values() if isinstance(item, type)]
        owners: list[Any] = [module, *classes]
        for owner in owners:
            for key in dir(owner):
                value = getattr(owner, key, None)
                parts = msgspec.structs.asdict(value) if isinstance(value, Routes) else {key: value}
                for part, each in parts.items():
                    if isinstance(each, Operation):
                        found[f"{name}.{owner.__name__}.{part}"] = each
    return found


def test_every_operation_says_what_it_means_to_send_it_twice() -> None:
    found = operations()
    assert len(found) > 10
    for name, operation in found.items():
        assert isinstance(operation.safety, Safety), name
        if name.startswith("jibble_legacy"):
            # Where tokens are to be had is the caller's to say, path and all.
            services, shape = ("legacy", "legacy-token"), r"(/api/v1/[a-z]+(/\{id\})?)?"
        else:
            services = get_args(Service)
            shape = r"/(v1|connect)/[A-Za-z]+(\((personId=)?\{id\}\)(/[A-Za-z]+)?|/\{id\})?"
        assert operation.service in services, name
        assert re.fullmatch(shape, operation.path), name
        if operation.safety is Safety.READ:
            assert operation.method == "GET", name
        elif operation.method == "GET":
            assert operation.safety is Safety.ONCE, name
    assert len([name for name in found if name.startswith("jibble_legacy")]) > 20


def test_every_resource_has_its_operations() -> None:
    client = JibbleClient(auth=StaticToken("x"))
    resources = {name: value for name, value in vars(client).items() if not name.startswith("_")}
    assert len(resources) >= 18
    for name, resource in resources.items():
        assert isinstance(resource, Listing | Reports), name
        if isinstance(resource, Listing):
            assert resource.routes.listing.safety is Safety.READ
        if isinstance(resource, Resource):
            assert "{id}" in resource.routes.member.path


# In parts, so that this file is not among those it looks for.
REGISTRIES = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))
]
SKIPPED = {"__pycache__", "build", "dist"}


def own_files() -> list[Path]:
    tops = [
        path
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.name not in SKIPPED
    ]
    files = [path for top in tops for path in (top.rglob("*") if top.is_dir() else [top])]
    return [path for path in files if path.is_file() and not SKIPPED.intersection(path.parts)]


def test_no_file_names_a_package_registry() -> None:
    files = own_files()
    assert len(files) > 50
    for path in files:
        text = path.read_text(errors="replace")
        assert not [host for host in REGISTRIES if host in text], path


@pytest.mark.type_checkers
@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_type_is_known(package: str) -> None:
    """What `--verifytypes` says of a package as it is installed."""
    home = str(Path(sys.executable).parent)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "basedpyright",
            "--verifytypes",
            package,
            "--ignoreexternal",
        ],
        # It asks the first python of the path where packages are.
        env={**os.environ, "PATH": os.pathsep.join((home, os.environ.get("PATH", "")))},
        cwd=PACKAGES[package],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    lines = done.stdout.splitlines()
    problems = [line.strip() for line in lines if " error:" in line]
    assert problems == []
    assert "Type completeness score: 100%" in done.stdout, done.stdout + done.stderr
