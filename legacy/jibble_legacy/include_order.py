"""Everything of a query but its condition: `filter[include]` and `filter[order]`.

One of either is documented. Several are written as LoopBack takes them (measured there).
"""

from __future__ import annotations

from collections.abc import Iterable

from jibble_async.errors import NotSupportedError
from jibble_async.query.clauses import Expand, Ordering, Query
from jibble_legacy.names import field_name, relation_name

__all__ = ["render_options"]


def render_options(query: Query) -> tuple[tuple[str, str], ...]:
    """The query options for what a query expands and sorts by.

    Raises:
        ConfigurationError: It sorts by a field of something else.
        NotSupportedError: The old API has no words for it.
    """
    if query.select:
        names = ", ".join(name.name for name in query.select)
        raise NotSupportedError(
            f"the old API always sends whole objects: leave out select= (of {names})"
        )
    include = [_relation(query, item) for item in query.expand]
    order = [_key(query, item) for item in query.order_by]
    return (*_numbered("filter[include]", include), *_numbered("filter[order]", order))


def _relation(query: Query, item: Expand) -> str:
    name = relation_name(query.entity, item.name.name)
    if item != Expand(item.name, item.entity):
        raise NotSupportedError(
            f"the old API expands {query.entity.__name__}.{item.name.name} as a whole: "
            f"write expand=[{item.name.name!r}]"
        )
    return name


def _key(query: Query, item: Ordering) -> str:
    direction = "DESC" if item.descending else "ASC"
    return f"{field_name(query.entity, item.path)} {direction}"


def _numbered(name: str, values: list[str]) -> Iterable[tuple[str, str]]:
    if len(values) == 1:
        return [(name, values[0])]
    return [(f"{name}[{number}]", value) for number, value in enumerate(values)]
