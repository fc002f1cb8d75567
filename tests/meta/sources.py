"""The package's own files, read without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {"jibble_async": ROOT, "jibble_legacy": ROOT / "legacy"}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module's dotted name and its file."""
    for package, home in PACKAGES.items():
        for path in sorted((home / package).rglob("*.py")):
            parts = path.relative_to(home).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports, and whether that happens as soon as it is imported."""
    tree = ast.parse(path.read_text())
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from ((alias.name, id(node) not in late) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module, id(node) not in late
            case ast.ImportFrom():
                raise AssertionError(f"{path}: a relative import")
            case _:
                continue
