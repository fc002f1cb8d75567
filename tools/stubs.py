"""The stubs that tell type checkers and editors what is made at run time: `make stubs`.

A test compares them with what this writes, so they can't differ from the code.
"""

from __future__ import annotations

import subprocess
import sys
import typing
from collections.abc import Container
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

import jibble_legacy
from jibble_legacy import query_fields

import jibble_async
from jibble_async import entities, export
from jibble_async.api.base_client import resources_of
from jibble_async.entities import base
from jibble_async.query import vocabulary
from jibble_async.query.entity_fields import Fields, Vocabulary, field_class, fields_class
from jibble_async.query.fields import EnumField
from jibble_async.query.names import annotation, encoded
from jibble_async.resources.base import Listing
from jibble_async.resources.catalog import Catalog

ROOT = Path(__file__).parents[1]


def stubs() -> dict[Path, str]:
    """The text of each stub, by its file."""
    known = vocabulary.VOCABULARY
    made = {
        "jibble_async/query/vocabulary.pyi": _fields_of(known, ()),
        "legacy/jibble_legacy/query_fields.pyi": _fields_of(query_fields.VOCABULARY, known.owners),
        "jibble_async/__init__.pyi": _exports_of(jibble_async),
        "jibble_async/entities/__init__.pyi": _exports_of(entities),
        "jibble_async/export/__init__.pyi": _exports_of(export),
        "legacy/jibble_legacy/__init__.pyi": _exports_of(jibble_legacy),
        "jibble_async/api/set_names.py": _set_names(),
    }
    return {ROOT / name: stub.text(name) for name, stub in made.items()}


class _Stub:
    """A stub in the making: what it declares, and what that takes to be imported."""

    def __init__(self, docstring: str = "") -> None:
        self._docstring = docstring
        self._imports: set[str] = set()
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        self._lines += lines

    def take(self, module: str, name: str) -> str:
        """A name, which is imported from a module."""
        self._imports.add(f"from {module} import {name}")
        return name

    def type(self, item: type) -> str:
        """The name of a class, which is imported from where users find it."""
        public = hasattr(entities, item.__name__)
        return self.take(entities.__name__ if public else item.__module__, item.__name__)

    def text(self, name: str) -> str:
        """The whole, as the formatter would have it.

        Args:
            name: The file.
        """
        head = "# Written by `make stubs`: change what it is written from instead."
        text = "\n".join([head, self._docstring, *sorted(self._imports), *self._lines, ""])
        for command in ("check --fix-only --select=I", "format"):
            ruff = [
                sys.executable,
                "-m",
                "ruff",
                *command.split(),
                "-q",
                "--stdin-filename",
                name,
                "-",
            ]
            done = subprocess.run(  # noqa: S603 - nothing of it comes from outside
                ruff, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True
            )
            text = done.stdout
        return text


def _exports_of(package: ModuleType) -> _Stub:
    """The public names of a package."""
    stub = _Stub()
    stub.add(f"__all__ = {package.__all__!r}")
    # Of what is an alias or a text, only the package itself knows the home.
    said: dict[str, list[str]] = getattr(package, "_HOMES", {})
    homes = {
        name: resolve_name(f".{home}", package.__name__)
        for home, names in said.items()
        for name in names
    }
    for name in package.__all__:
        home = getattr(getattr(package, name), "__module__", "")
        own = home if home.startswith(package.__name__) else homes.get(name, base.__name__)
        stub.take(own, name)
    return stub


def _set_names() -> _Stub:
    """The names of the sets that can be exported, for type checkers and at run time."""
    offered = resources_of(Catalog).items()
    names = sorted(name for name, each in offered if issubclass(each, Listing) and each.exportable)
    stub = _Stub('"""The sets that can be exported: those of the resources that say so."""')
    stub.add(
        '__all__ = ["SetName"]',
        f"SetName: {stub.take('typing', 'TypeAlias')} = {stub.take('typing', 'Literal')}{names}",
    )
    return stub


def _fields_of(known: Vocabulary, elsewhere: Container[str]) -> _Stub:
    """The classes of entities' fields, and an overload of `fields()` for each.

    Args:
        known: The entities.
        elsewhere: The classes that the stub of the common vocabulary declares.
    """
    stub, classes = _Stub(), list(map(fields_class, known.owners.values()))
    stub.add(f"VOCABULARY: {stub.type(Vocabulary)}")
    for made in classes:
        if made.__name__ in elsewhere:
            stub.take(vocabulary.__name__, made.__name__)
        else:
            _declare(stub, made, classes)
    # The first overload that fits is taken, and that of a base would fit its subclasses.
    for made in sorted(classes, key=lambda made: -len(made.__mro__)):
        stub.add(
            f"@{stub.take('typing', 'overload')}",
            f"def fields(entity: type[{stub.type(made.entity)}]) -> {made.__name__}: ...",
        )
    return stub


def _declare(stub: _Stub, made: type[Fields], classes: list[type[Fields]]) -> None:
    base = made.__base__ if made.__base__ in classes else None
    inherited = encoded(base.entity) if base else {}
    stub.add(f"class {made.__name__}({base.__name__ if base else stub.type(Fields)}):")
    for name in encoded(made.entity):
        if name not in inherited:
            stub.add(f"    {name}: {_type(stub, annotation(made.entity, name))}")


def _type(stub: _Stub, kind: Any) -> str:
    made = field_class(kind)
    if issubclass(made, Fields):
        return made.__name__
    if made is not EnumField:
        return stub.type(made)
    (enum,) = (part for part in typing.get_args(kind) if part is not type(None))
    return f"{stub.type(made)}[{stub.type(enum)} | str]"


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
