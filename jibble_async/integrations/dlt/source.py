"""The source: which sets it offers, and what can be said of how they are loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, Optional, get_args

import dlt
import msgspec
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from jibble_async.api.set_names import SetName
from jibble_async.checks import require_counts, require_numbers, unseen
from jibble_async.client import JibbleClient
from jibble_async.core.credentials import StaticToken
from jibble_async.errors import ConfigurationError
from jibble_async.export.patience import GIVE_UP_AFTER
from jibble_async.export.sync import Reconcile
from jibble_async.integrations.dlt.connection import Connect, Connection, connects
from jibble_async.integrations.dlt.reading import Asked
from jibble_async.integrations.dlt.resources import OnNotProved, Resources
from jibble_async.query.days import require_span
from jibble_async.query.names import suggestion
from jibble_async.tables.columns import Table, table_of

__all__ = ["jibble_source"]

# Rows of these are people with all days of a span.
_SHEETS = ("timesheets", "timesheet_summaries")


@configspec
class _Settings(BaseConfiguration):
    """The arguments that dlt's configuration may give.

    No others, since dlt takes a setting also from a variable that is called just like it, and
    shells have one called `COLUMNS`.
    """

    client_id: Optional[TSecretStrValue] = None  # noqa: UP045 - dlt reads these annotations
    client_secret: Optional[TSecretStrValue] = None  # noqa: UP045
    limiter: Optional[TSecretStrValue] = None  # noqa: UP045


@dlt.source(name="jibble", section="jibble", spec=_Settings)
@unseen
def jibble_source(
    client_id: str | None = None,
    client_secret: str | None = None,
    *,
    since: date | None = None,
    until: date | None = None,
    periods: Sequence[tuple[date, date]] = (),
    archived: Literal["keep", "delete"] = "keep",
    reconcile: Reconcile = "weekly",
    columns: Mapping[SetName, Sequence[str]] | None = None,
    secrets: bool = False,
    on_not_proved: OnNotProved = "raise",
    lag: float = 300.0,
    limiter: str | None = None,
    limit: int | None = None,
    per: float | None = None,
    workers: int = 1,
    concurrency: int = 4,
    give_up_after: float = GIVE_UP_AFTER,
    connect: Connect | None = None,
) -> Any:
    """A dlt source of Jibble's sets, each of which is a resource, and a table.

    What says when its rows changed is loaded as a whole the first time; after that what has changed
    is merged by id, and the numbers of rows are compared. What does not (`hour_entries`,
    `time_off`) is replaced each time. All that is given to dlt are Arrow tables, whose columns are
    called as dlt would call those of dicts. The table `jibble_loads` says of each load what is
    known of it.

    Args:
        client_id: The id of an API key; dlt's `sources.jibble.client_id`.
        client_secret: Its secret; dlt's `sources.jibble.client_secret`.
        since: The first day, of sets whose rows belong to days.
        until: The last one, included.
        periods: Spans of days, first and last, of which there shall be timesheets; without any
            these are not loaded. Rows of a span replace those of the same span.
        archived: Whether archived rows and removed people are kept as such, or deleted.
        reconcile: How often all ids are looked through for rows that were deleted for good, even if
            the numbers agree.
        columns: The names on the wire of those that are wanted, for sets that shall not have all;
            `id` and `updatedAt` come along.
        secrets: Keep what opens a kiosk, such as a person's PIN.
        on_not_proved: What becomes of a load that may lack rows: an error, or it is loaded, and
            said in the log and in `jibble_loads`.
        lag: Seconds that a change may take until it can be seen, and that servers' clocks differ.
        limiter: Where several programs share the quota: the url of a Redis, or a folder of this
            machine; dlt's `sources.jibble.limiter`.
        limit: Requests that the server accepts in `per` seconds, if that is known.
        per: See `limit`.
        workers: How many programs share it in Redis, at most.
        concurrency: Windows of days in flight, for a set that is read as a whole.
        give_up_after: Seconds that an outage may last.
        connect: Makes the client, instead of the credentials and the limiter.

    Raises:
        ConfigurationError: An argument that can't be used, or no credentials.

    Example:
        >>> pipeline = dlt.pipeline("jibble", destination="duckdb", dataset_name="jibble")
        >>> pipeline.run(jibble_source().with_resources("time_entries", "people"))
    """
    require_numbers("jibble_source()", lag=lag, give_up_after=give_up_after)
    require_counts("jibble_source()", concurrency=concurrency)
    _require_choice("archived", archived, ("keep", "delete"))
    _require_choice("reconcile", reconcile, get_args(Reconcile))
    _require_choice("on_not_proved", on_not_proved, get_args(OnNotProved))
    if lag < 0 or concurrency < 1:
        raise ConfigurationError("jibble_source(): lag= is at least 0, and concurrency= at least 1")
    for first, last in periods:
        require_span(first, last)
    wanted = columns or {}
    for name in wanted:
        if name not in get_args(SetName):
            there = suggestion(name, get_args(SetName))
            raise ConfigurationError(f"columns= has no set {name!r}: {there}")
    made = connect or connects(client_id, client_secret, limiter, limit, per, workers)
    resources = Resources(Connection(made), on_not_proved)
    found: list[Any] = []
    # It asks nothing: it knows the sets.
    client = JibbleClient(auth=StaticToken("none"))
    for name in get_args(SetName):
        of_periods = name in _SHEETS
        has_days = getattr(client, name).spans and not of_periods
        asked = Asked(
            set=name,
            since=since if has_days else None,
            until=until if has_days else None,
            include_archived=archived == "keep",
            secrets=secrets,
            reconcile=reconcile,
            lag=lag,
            concurrency=concurrency,
            give_up_after=give_up_after,
        )
        if of_periods:
            table = _table(name, getattr(client, name).entity, wanted, secrets=secrets)
            found.append(resources.by_period(asked, table, periods))
            continue
        raw = asked.extent.raw_set(client)
        table = _table(name, raw.shape, wanted, secrets=secrets)
        make = resources.replaced if raw.changes is None else resources.changing
        found.append(make(asked, table))
    return [*found, resources.loads()]


def _table(
    name: SetName, shape: Any, columns: Mapping[SetName, Sequence[str]], *, secrets: bool
) -> Table:
    """The columns of a set, with what tells its rows apart, and when they changed."""
    chosen = columns.get(name)
    if chosen is not None and not isinstance(chosen, str):
        known = {each.encode_name for each in msgspec.structs.fields(shape)}
        needed = [each for each in ("id", "updatedAt") if each in known and each not in chosen]
        chosen = [*needed, *chosen]
    return table_of(shape, columns=chosen, secrets=secrets)


def _require_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name}={value!r}: there are {', '.join(choices)}")
