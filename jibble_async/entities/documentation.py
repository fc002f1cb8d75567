"""The texts of fields, which stand below them in the source, where editors show them."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, is_typeddict

__all__ = ["field_docs"]


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """What is said of each field of a class, those of its bases included.

    Python itself forgets these texts, so the source is read, once for each class; where there is
    none, as in a frozen program, nothing is known.

    Args:
        cls: A class with annotated fields.

    Example:
        >>> field_docs(TimeEntry)["offset"]
        'What `local_time` is ahead of UTC.'
    """
    node = _node(cls)
    bases: Iterable[Any] = cls.__bases__
    if node is not None and is_typeddict(cls):
        # It has no bases when the program runs, but those that it was declared with.
        module = vars(sys.modules[cls.__module__])
        bases = [module.get(ast.unparse(base)) for base in node.bases]
    found: dict[str, str] = {}
    for base in reversed([*bases]):
        if isinstance(base, type):
            found |= field_docs(base)
    return MappingProxyType(found | _own(node))


def _node(cls: type) -> ast.ClassDef | None:
    if cls.__module__ in {"builtins", "typing"}:
        return None
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return node if isinstance(node, ast.ClassDef) else None


def _own(node: ast.ClassDef | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in itertools.pairwise([] if node is None else node.body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = inspect.cleandoc(said).strip()
            case _:
                pass
    return found
