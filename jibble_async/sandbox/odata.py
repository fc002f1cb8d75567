"""Sets answered as OData answers them: filtered, sorted, paged, projected and expanded.

The rows of a filter and an order are found as far as pages ask for them, and kept until the data
changes, so that walking a large set page by page costs the pages only.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jibble_async.sandbox.entity_types import EntityType
from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.filters import Condition, compile_filter
from jibble_async.sandbox.paths import Paths, find_name, reader
from jibble_async.sandbox.query_options import Options, pairs, parse_options, split
from jibble_async.sandbox.schema import TYPES
from jibble_async.sandbox.search import Found, Sorting, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.exchange import Call

_REMEMBERED = 64
_SAFE = "()',;/$=:"
_EVERYTHING = Condition(lambda _: True, {}, frozenset(), timeless=True)


class ODataService:
    """The query side of one service.

    Args:
        dataset: The rows.
        now: The instant of `now()`.
        page_cap: The most rows of a page, whatever `$top` says; None for no cap. The service's own
            cap is unknown.
        next_links: Whether a page that was cut short links to the next. Not seen on the wire.
        etags: Whether rows carry `@odata.etag`, as on the workspace host.
    """

    def __init__(
        self,
        dataset: Dataset,
        now: Callable[[], str],
        *,
        page_cap: int | None,
        next_links: bool,
        etags: bool,
    ) -> None:
        self._dataset = dataset
        self._now = now
        self._page_cap = page_cap
        self._next_links = next_links
        self._etags = etags
        self._paths = Paths(dataset)
        self._results: dict[tuple[str, str | None, str | None], tuple[tuple[int, ...], Found]] = {}
        self._filters: dict[tuple[int, str], Condition] = {}

    def collection(self, call: Call, name: str, public: str, *, shift: int = 0) -> Row:
        """The page of a set that a request asks for, in its envelope.

        Args:
            call: The request.
            name: The dataset's set.
            public: The set's name on the wire.
            shift: Rows that were pushed in before this page since the walk began; the page shows
                the last ones of the page before it again.

        Raises:
            Refusal: 400, the query is wrong.
        """
        options = parse_options(call.query)
        found = self._found(name, options)
        project = self._projection(TYPES[name], options)
        context = _context(TYPES[name], public, options)
        try:
            return self._page(call, context, options, found, project, shift)
        except TypeError as error:
            # What was found up to here is not all.
            self._results.clear()
            message = f"The query does not fit the values of {public}: {error}"
            raise bad_request(message) from error

    def computed(self, call: Call, entity: EntityType, public: str, rows: list[Row]) -> Row:
        """The page of rows that were computed for this request, in its envelope.

        Args:
            call: The request.
            entity: The type of the rows; its objects are shown only where they are expanded.
            public: The set's name on the wire.
            rows: All of them, in their own order.

        Raises:
            Refusal: 400, the query is wrong.
        """
        options = parse_options(call.query)
        expanded = {find_name(entity, item.name) for item in options.expand}
        if not expanded <= entity.objects.keys():
            raise bad_request(f"{', '.join(sorted(expanded))} cannot be expanded here.")
        hidden = entity.objects.keys() - expanded
        found = Found(iter(self._select(entity, rows, options)))
        names = _selected(entity, options.select)

        def project(row: Row) -> Row:
            return {
                name: value
                for name, value in row.items()
                if name not in hidden and (names is None or name in names)
            }

        shown = ",".join(f"{name}()" for name in sorted(expanded))
        context = f"{public}({shown})" if shown else public
        return self._page(call, context, options, found, project, 0)

    def _page(
        self,
        call: Call,
        context: str,
        options: Options,
        found: Found,
        project: Callable[[Row], Row],
        shift: int,
    ) -> Row:
        start = max(options.skip - shift, 0)
        sizes = [size for size in (options.top, self._page_cap) if size is not None]
        size = min(sizes, default=None)
        rows = found.page(start, None if size is None else start + size)
        envelope: Row = {"@odata.context": f"{call.base}/v1/$metadata#{context}"}
        if options.count:
            envelope["@odata.count"] = found.count() + shift
        envelope["value"] = [project(row) for row in rows]
        if self._next_links and size is not None and size != options.top:
            stop = start + size
            if found.page(stop, stop + 1):
                left = None if options.top is None else options.top - size
                envelope["@odata.nextLink"] = _next_link(call, options.skip + size, left)
        return envelope

    def rows_of(self, call: Call, entity: EntityType, public: str, rows: list[Row]) -> Row:
        """Rows that a function computed, in a collection's envelope."""
        options = parse_options(call.query)
        project = self._projection(entity, options)
        return {
            "@odata.context": f"{call.base}/v1/$metadata#{_context(entity, public, options)}",
            "value": [project(row) for row in rows],
        }

    def entity(self, call: Call, name: str, public: str, row: Row) -> Row:
        """One row as an entity reply.

        Raises:
            Refusal: 400, the query is wrong.
        """
        options = parse_options(call.query)
        project = self._projection(TYPES[name], options)
        context = _context(TYPES[name], public, options)
        return {"@odata.context": f"{call.base}/v1/$metadata#{context}/$entity", **project(row)}

    def _found(self, name: str, options: Options) -> Found:
        """The rows of a set that a question finds; a walk's later pages find them kept."""
        entity = TYPES[name]
        table = self._dataset.table(name)
        condition = self._condition(entity, options.filter)
        order = self._order(entity, options.orderby)
        read = {name, *condition.sets, *(target for item in order for target in item[1])}
        versions = tuple(self._dataset.table(each).version for each in sorted(read))
        key = (name, options.filter, options.orderby)
        kept = self._results.pop(key, None)
        if kept is None or kept[0] != versions or not condition.timeless:
            sorting = [item for item, _ in order]
            kept = versions, search(table, condition.keep, condition.wanted, sorting)
        self._results[key] = kept
        if len(self._results) > _REMEMBERED:
            del self._results[next(iter(self._results))]
        return kept[1]

    def _select(self, entity: EntityType, rows: list[Row], options: Options) -> list[Row]:
        """Those of a few rows that a question finds."""
        keep = self._condition(entity, options.filter).keep
        order = [item for item, _ in self._order(entity, options.orderby)]
        try:
            kept = [row for row in rows if keep(row)]
            for item in reversed(order):
                kept.sort(key=item.key, reverse=item.descending)
        except TypeError as error:
            message = f"The query does not fit the values of {entity.name}: {error}"
            raise bad_request(message) from error
        return kept

    def _condition(self, entity: EntityType, text: str | None) -> Condition:
        if text is None:
            return _EVERYTHING
        condition = self._filters.get((id(entity), text))
        if condition is None:
            condition = compile_filter(text, entity, self._paths, self._now)
            if len(self._filters) >= _REMEMBERED:
                self._filters.clear()
            self._filters[id(entity), text] = condition
        return condition

    def _order(
        self, entity: EntityType, orderby: str | None
    ) -> list[tuple[Sorting, tuple[str, ...]]]:
        """What to sort by, each with the sets that it leads through."""
        order: list[tuple[Sorting, tuple[str, ...]]] = []
        for item in split(orderby or "", ","):
            path, direction = _direction(item)
            resolved = reader(self._paths.resolve(entity, path.split("/")))
            if resolved.kind in {"object", "list"}:
                raise bad_request(f"The rows cannot be ordered by {path!r}.")
            sorting = Sorting(resolved.read, direction == "desc", resolved.name)
            order.append((sorting, resolved.targets))
        return order

    def _projection(self, entity: EntityType, options: Options) -> Callable[[Row], Row]:
        names = _selected(entity, options.select)
        tag = self._etags and entity.etag
        expands = [
            (find_name(entity, item.name), self._expansion(entity, item.name, item.options))
            for item in options.expand
        ]

        def project(row: Row) -> Row:
            shown: Row = {"@odata.etag": _etag(row)} if tag else {}
            if names is None:
                shown.update(row)
            else:
                for name in names:
                    shown[name] = row[name]
            for name, expand in expands:
                shown[name] = expand(row)
            return shown

        return project

    def _expansion(self, entity: EntityType, asked: str, options: Options) -> Callable[[Row], Any]:
        name = find_name(entity, asked)
        if name not in entity.navigations:
            raise bad_request(f"{asked!r} on type {entity.name!r} cannot be expanded.")
        link = entity.navigations[name]
        target = TYPES[link.target]
        follow = self._paths.follow(entity, name)
        project = self._projection(target, options)
        if not link.many:
            if options.filter or options.orderby or options.top is not None or options.skip:
                raise bad_request(f"{asked!r} is one entity; only $select and $expand apply.")

            def one(row: Row) -> Row | None:
                other = follow(row)
                return None if other is None else project(other)

            return one
        stop = None if options.top is None else options.skip + options.top

        def many(row: Row) -> list[Row]:
            others = self._select(target, follow(row), options)
            return [project(other) for other in others[options.skip : stop]]

        return many


def _selected(entity: EntityType, select: tuple[str, ...] | None) -> list[str] | None:
    if select is None or "*" in select:
        return None
    names = [find_name(entity, name) for name in select]
    return [name for name in names if name in entity.properties]


def _direction(item: str) -> tuple[str, str]:
    path, _, direction = item.partition(" ")
    direction = direction.strip().lower() or "asc"
    if direction not in {"asc", "desc"}:
        raise bad_request(f"The '$orderby' item {item!r} must end in asc or desc.")
    return path, direction


def _etag(row: Row) -> str:
    return f'W/"{b64encode(str(row["updatedAt"]).encode()).decode()}"'


def _context(entity: EntityType, public: str, options: Options) -> str:
    shown = _shape(entity, options)
    return f"{public}({shown})" if shown else public


def _shape(entity: EntityType, options: Options) -> str:
    names = [find_name(entity, name) for name in options.select or () if name != "*"]
    for item in options.expand:
        name = find_name(entity, item.name)
        target = TYPES[entity.navigations[name].target]
        names = [other for other in names if other != name]
        names.append(f"{name}({_shape(target, item.options)})")
    return ",".join(names)


def _next_link(call: Call, skip: int, top: int | None) -> str:
    changed = {"$skip": str(skip)} | ({} if top is None else {"$top": str(top)})
    kept = [(name, value) for name, value in pairs(call.query) if name.lower() not in changed]
    query = "&".join(
        f"{name}={quote(value, safe=_SAFE)}" for name, value in (*kept, *changed.items())
    )
    return f"{call.base}{call.path}?{query}"
