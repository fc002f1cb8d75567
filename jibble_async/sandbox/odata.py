"""Sets answered as OData answers them: filtered, sorted, paged, projected and expanded.

The rows of a filter and an order are worked out once for each version of the data, so that walking
a large set page by page costs the pages only.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.filters import compile_filter
from jibble_async.sandbox.options import Options, pairs, parse_options, split
from jibble_async.sandbox.paths import Paths, find_name, reader
from jibble_async.sandbox.schema import TYPES, EntityType

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.exchange import Call
    from jibble_async.sandbox.schema import Row

_REMEMBERED = 64
_SAFE = "()',;/$=:"


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
        self._results: dict[tuple[str, int, str | None, str | None], list[Row]] = {}
        self._filters: dict[tuple[str, str], Callable[[Row], Any]] = {}

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
        rows = self._rows(name, options)
        project = self._projection(TYPES[name], options)
        context = _context(TYPES[name], public, options)
        return self._page(call, context, options, rows, project, shift)

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
        rows = self._select(entity, entity.name, rows, options)
        names = _selected(entity, options.select)

        def project(row: Row) -> Row:
            return {
                name: value
                for name, value in row.items()
                if name not in hidden and (names is None or name in names)
            }

        shown = ",".join(f"{name}()" for name in sorted(expanded))
        context = f"{public}({shown})" if shown else public
        return self._page(call, context, options, rows, project, 0)

    def _page(
        self,
        call: Call,
        context: str,
        options: Options,
        rows: list[Row],
        project: Callable[[Row], Row],
        shift: int,
    ) -> Row:
        start = max(options.skip - shift, 0)
        wanted = len(rows) if options.top is None else options.top
        size = wanted if self._page_cap is None else min(wanted, self._page_cap)
        page = [project(row) for row in rows[start : start + size]]
        envelope: Row = {"@odata.context": f"{call.base}/v1/$metadata#{context}"}
        if options.count:
            envelope["@odata.count"] = len(rows) + shift
        envelope["value"] = page
        if self._next_links and size < wanted and start + size < len(rows):
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

    def _rows(self, name: str, options: Options) -> list[Row]:
        key = (name, self._dataset.version, options.filter, options.orderby)
        found = self._results.get(key)
        if found is None or (options.filter and "now(" in options.filter):
            found = self._select(TYPES[name], name, self._dataset.rows(name), options)
            while len(self._results) >= _REMEMBERED:
                del self._results[next(iter(self._results))]
            self._results[key] = found
        return found

    def _select(
        self, entity: EntityType, name: str, rows: list[Row], options: Options
    ) -> list[Row]:
        if options.filter is not None:
            keep = self._filters.get((name, options.filter))
            if keep is None:
                keep = compile_filter(options.filter, entity, self._paths, self._now)
                if len(self._filters) >= _REMEMBERED:
                    self._filters.clear()
                self._filters[name, options.filter] = keep
            try:
                rows = [row for row in rows if keep(row)]
            except TypeError as error:
                message = f"The $filter {options.filter!r} does not fit its values: {error}"
                raise bad_request(message) from error
        return self._sorted(entity, rows, options.orderby)

    def _sorted(self, entity: EntityType, rows: list[Row], orderby: str | None) -> list[Row]:
        rows = list(rows)
        for item in reversed(split(orderby or "", ",")):
            path, direction = _direction(item)
            resolved = reader(self._paths.resolve(entity, path.split("/")))
            if resolved.kind in {"object", "list"}:
                raise bad_request(f"The rows cannot be ordered by {path!r}.")
            rows.sort(key=_null_first(resolved.read), reverse=direction == "desc")
        return rows

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
            others = self._select(target, link.target, follow(row), options)
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


def _null_first(read: Callable[[Row], Any]) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = read(row)
        return value is not None, value

    return key


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
