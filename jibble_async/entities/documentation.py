"""The texts of fields, which stand below them in the source, where editors show them."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from types import MappingProxyType

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
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _own(base)
    return MappingProxyType(found)


def _own(cls: type) -> dict[str, str]:
    if cls.__module__ == "builtins":
        return {}
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    body = node.body if isinstance(node, ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = inspect.cleandoc(said)
            case _:
                pass
    return found
