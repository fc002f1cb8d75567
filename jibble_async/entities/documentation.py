"""The texts of fields, which stand below them in the source, where editors show them."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import get_origin, is_typeddict

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
    # A typed dictionary has no bases when the program runs, but those that it was declared with.
    bases = getattr(cls, "__orig_bases__" if is_typeddict(cls) else "__bases__", ())
    found: dict[str, str] = {}
    for base in reversed(bases):
        found |= field_docs(get_origin(base) or base)
    return MappingProxyType(found | _own(cls))


def _own(cls: type) -> dict[str, str]:
    if cls.__module__ in {"builtins", "typing"}:
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
