"""What a load asks for, from Spark's options; pure, so that all of them are looked at at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, urlsplit

import msgspec

from jibble_async.api.raw import RawSet
from jibble_async.api.set_names import SetName
from jibble_async.checks import pattern
from jibble_async.client import JibbleClient
from jibble_async.core.credentials import StaticToken
from jibble_async.errors import ConfigurationError
from jibble_async.export.patience import GIVE_UP_AFTER
from jibble_async.export.proof.plan import ROWS, Extent
from jibble_async.query.names import suggestion

__all__ = ["ALL_ACCOUNTS", "FROM_ENVIRONMENT", "Asked", "Mode", "Use", "asked_for", "raw_set"]

Mode: TypeAlias = Literal["rows", "changes", "mark"]
Use: TypeAlias = Literal["read", "stream"]

ALL_ACCOUNTS = "*"
"""Stands for every account that the folder of credentials has a file of."""
FROM_ENVIRONMENT = "redis"
"""Stands for the Redis whose url is in `JIBBLE_REDIS_URL`."""

_SECRET = re.compile("secret|token|password|passwd|api_?key")
_ACCOUNT = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_URL = ("redis://", "rediss://", "unix://")
_OF_WINDOW = ("limit", "per", "workers", "linger", "lease", "trust_empty")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a load; each field is one, and underscores and case do not matter."""

    set: SetName
    """The set."""
    mode: Mode = "rows"
    """What is given: the rows, those that changed since a mark, or the mark of now."""
    since: date | None = None
    """The first day."""
    until: date | None = None
    """The last day, included."""
    mark: str | None = None
    """From when on changes are asked for: what `mode=mark` gave."""
    columns: tuple[str, ...] | None = None
    """The names on the wire of those that are wanted."""
    include_archived: bool = False
    """Whether archived rows and removed people come along."""
    credentials: str | None = None
    """A file with variables, or for several accounts a folder of them; on every executor."""
    accounts: tuple[str, ...] | None = None
    """The names of those files without their `.env`."""
    limiter: str | None = None
    """Where tasks share the quota: the url of a Redis, `redis`, or a folder of this machine."""
    limiter_key: str | None = None
    """What the quota is called there; by default something made of the credentials."""
    limit: int | None = None
    """Requests of the quota, where it is known."""
    per: float | None = None
    """Seconds of the quota."""
    workers: int | None = None
    """Processes that share the quota in Redis at most."""
    linger: float = 60.0
    """See `RollingWindow`."""
    lease: float = 60.0
    """See `SharedWindow`."""
    trust_empty: bool = False
    """See `RedisWindow`."""
    partitions: Literal["one", "windows"] | None = None
    """Whether one task reads all, or several do; by default the latter where they share a quota."""
    concurrency: int = 4
    """Windows, or accounts, that a task reads at a time."""
    rows_per_window: int = ROWS
    """About how many rows a window has."""
    rows_per_batch: int = 10_000
    """How many rows an Arrow batch has."""
    page_size: int | None = None
    """Rows to ask for at a time."""
    give_up_after: float = GIVE_UP_AFTER
    """Seconds that an outage may last."""
    poll_every: float = 60.0
    """Seconds between looks for changes, of a stream."""
    narrow: bool = False
    """Whether conditions on the day make fewer days be asked for."""

    @property
    def extent(self) -> Extent:
        """What of the set is meant."""
        return Extent(
            set=self.set,
            since=self.since,
            until=self.until,
            include_archived=self.include_archived,
            page_size=self.page_size,
            as_sent=False,
        )

    @property
    def are_rows(self) -> bool:
        """Whether the rows of the set are given: also those that a stream begins with."""
        return self.mode == "rows" or (self.mode == "changes" and self.mark is None)

    @property
    def is_shared(self) -> bool:
        """Whether several tasks read, as far as there is something to share among them."""
        return self.partitions == "windows" or (
            self.partitions is None and self.limiter is not None and self.accounts is None
        )


_FIELDS = {each.name.replace("_", ""): each for each in msgspec.structs.fields(Asked)}


def asked_for(options: Mapping[str, str], use: Use | None = None) -> Asked:
    """What a load asks for.

    Args:
        options: Spark's options.
        use: Whether it is for `read` or `readStream`; None if that is not known yet.

    Raises:
        ConfigurationError: An option that can't be used; what it holds is not shown if it may be
            a secret.
        NotSupportedError: There is no such set.
    """
    asked = _converted(dict(_named(options)))
    for problem in _problems(asked, use):
        raise ConfigurationError(f"jibble: {problem}")
    if raw_set(asked).changes is None and asked.mode != "rows":
        raise ConfigurationError(f"jibble: nothing tells which {asked.set} changed: read them all")
    return asked


def raw_set(asked: Asked) -> RawSet:
    """What is known of a set before anybody has credentials.

    Args:
        asked: The options.

    Raises:
        ConfigurationError: It has no days, or they can't be used.
        NotSupportedError: There is no such set.
    """
    return asked.extent.raw_set(JibbleClient(auth=StaticToken("none")))


def _named(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for given, value in options.items():
        name = given.lower().replace("_", "")
        if _SECRET.search(given.lower()) or _SECRET.search(name):
            raise ConfigurationError(
                f"jibble: option {given!r} is refused: options are shown in plans, logs and the "
                "UI. Set JIBBLE_CLIENT_ID and JIBBLE_CLIENT_SECRET in the executors' environment, "
                "or name a file that holds them by the option 'credentials'"
            )
        if name == "path":
            raise ConfigurationError("jibble: load() takes no path: name a set by option('set', …)")
        field = _FIELDS.get(name)
        if field is None:
            known = [each.name for each in _FIELDS.values()]
            raise ConfigurationError(f"jibble: no option {given!r}: {suggestion(given, known)}")
        yield field.name, value


def _converted(given: dict[str, str]) -> Asked:
    if "set" not in given:
        raise ConfigurationError(
            f"jibble: option 'set' is missing: one of {', '.join(get_args(SetName))}"
        )
    if given["set"] not in get_args(SetName):
        known = list(get_args(SetName))
        raise ConfigurationError(
            f"jibble: no set {given['set']!r}: {suggestion(given['set'], known)}"
        )
    texts: dict[str, object] = {name: value.strip() for name, value in given.items()}
    for name in {"columns", "accounts"} & texts.keys():
        texts[name] = tuple(each.strip() for each in given[name].split(","))
    try:
        return msgspec.convert(texts, Asked, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].strip("`")
        shown = "" if name == "limiter" else f"={given.get(name)!r}"
        raise ConfigurationError(
            f"jibble: option {name}{shown} can't be used: {_FORMS.get(name, 'a number')} is wanted"
        ) from None


_FORMS = {
    "mode": "'rows', 'changes' or 'mark'",
    "since": "a day such as 2026-07-01",
    "until": "a day such as 2026-07-31",
    "include_archived": "'true' or 'false'",
    "trust_empty": "'true' or 'false'",
    "narrow": "'true' or 'false'",
    "partitions": "'one' or 'windows'",
    "limit": "a whole number",
    "workers": "a whole number",
    "concurrency": "a whole number",
    "rows_per_window": "a whole number",
    "rows_per_batch": "a whole number",
    "page_size": "a whole number",
}


def _problems(asked: Asked, use: Use | None) -> Iterator[str]:
    yield from _of_mode(asked, use)
    yield from _of_accounts(asked)
    yield from _of_numbers(asked)
    yield from _of_limiter(asked)


def _of_mode(asked: Asked, use: Use | None) -> Iterator[str]:
    if use == "stream" and asked.mode != "changes":
        yield "a stream needs mode=changes: it gives the rows, and then those that change"
    if use == "stream" and asked.accounts is not None:
        yield "a stream reads one account: start one for each"
    if use == "read" and asked.mode == "changes" and asked.mark is None:
        yield "mode=changes needs option mark: what a load with mode=mark gave the last time"
    if asked.mode != "changes" and asked.mark is not None:
        yield "option mark is for mode=changes"
    if asked.mark is not None:
        try:
            is_moment = datetime.fromisoformat(asked.mark).tzinfo is not None
        except ValueError:
            is_moment = False
        if not is_moment:
            yield f"option mark={asked.mark!r} is no mark: give what a load with mode=mark gave"
    if asked.mode == "changes" and asked.columns is not None and "id" not in asked.columns:
        yield "option columns lacks 'id', by which changed rows are merged: add it"


def _of_accounts(asked: Asked) -> Iterator[str]:
    if asked.accounts is None:
        return
    if asked.credentials is None:
        yield "option accounts needs credentials: a folder with a file NAME.env for each"
    if asked.accounts != (ALL_ACCOUNTS,):
        for name in asked.accounts:
            if not pattern(_ACCOUNT).fullmatch(name):
                yield (
                    f"account {name!r}: names are letters, digits, '.', '-' and '_', separated by "
                    "commas; or '*' for every file in the folder"
                )
        if len(set(asked.accounts)) < len(asked.accounts):
            yield "an account is named twice"
    if asked.partitions == "windows":
        yield "partitions=windows is for one account: several are shared out as they are"
    if asked.limiter_key is not None:
        yield "option limiter_key is for one account: each has a quota of its own"


def _of_numbers(asked: Asked) -> Iterator[str]:
    counts = ("concurrency", "rows_per_window", "rows_per_batch", "page_size", "limit", "workers")
    for name in counts:
        value = getattr(asked, name)
        if value is not None and value < 1:
            yield f"option {name}={value}: at least 1 is needed"
    for name in ("per", "linger", "lease", "give_up_after", "poll_every"):
        value = getattr(asked, name)
        if value is not None and not 0 <= value < float("inf"):
            yield f"option {name}={value}: seconds are wanted"


def _of_limiter(asked: Asked) -> Iterator[str]:
    limiter, is_known = asked.limiter, asked.limit is not None or asked.per is not None
    if limiter is None:
        if asked.partitions == "windows":
            yield (
                "partitions=windows needs option limiter: every task would take the whole quota "
                "for its own. Name a Redis that the executors reach (limiter=redis://host:6379/0); "
                "where all of them are on this machine, a folder (limiter=/var/tmp/jibble-pace); "
                "or leave partitions out, and one task reads all windows"
            )
        given = [name for name in ("limiter_key", *_OF_WINDOW) if _is_given(asked, name)]
        if given:
            yield f"option {given[0]} needs option limiter, which says where tasks share the quota"
        return
    if limiter.startswith(_URL):
        yield from _of_url(limiter)
    elif limiter != FROM_ENVIRONMENT and not limiter.startswith(("/", "~")):
        yield (
            "option limiter is the url of a Redis (redis://host:6379/0); 'redis' for the url in "
            "JIBBLE_REDIS_URL; or the whole path of a folder of this machine"
        )
    if is_known and (asked.limit is None or asked.per is None):
        yield "options limit and per go together: so many requests in so many seconds"
    of_redis = limiter == FROM_ENVIRONMENT or limiter.startswith(_URL)
    if is_known and of_redis and asked.workers is None:
        yield (
            "option workers is missing: how many processes share the quota at most, which is the "
            "cores of all executors and one more for the driver"
        )
    if not is_known:
        given = [name for name in _OF_WINDOW if _is_given(asked, name)]
        if given:
            yield f"option {given[0]} is for a quota that is known: give limit and per too"


def _is_given(asked: Asked, name: str) -> bool:
    return bool(getattr(asked, name) != _FIELDS[name.replace("_", "")].default)


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        named = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        yield "option limiter is no url"
        return
    if "@" in parts.netloc or named & {"password", "username"}:
        yield (
            "option limiter holds a password, and options are shown in plans, logs and the UI: "
            "put the url into JIBBLE_REDIS_URL, in the executors' environment or the file of "
            "credentials, and say limiter=redis"
        )
