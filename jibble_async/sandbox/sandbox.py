"""The sandbox itself: one organisation, its services, and the means to make trouble."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.faults import Faults
from jibble_async.sandbox.history.past import History, Past
from jibble_async.sandbox.hosts import Hosts
from jibble_async.sandbox.identity import Identity
from jibble_async.sandbox.ledger import Ledger
from jibble_async.sandbox.legacy.host import LegacyHost
from jibble_async.sandbox.legacy.identity import LegacyIdentity
from jibble_async.sandbox.legacy.records import legacy_id, organisation_rows
from jibble_async.sandbox.legacy.rules import LegacyCredentials, LegacyRules
from jibble_async.sandbox.legacy.store import LegacyStore
from jibble_async.sandbox.odata import ODataService
from jibble_async.sandbox.quotas import Quota, QuotaMeter
from jibble_async.sandbox.rules import Rules
from jibble_async.sandbox.scalars import format_instant
from jibble_async.sandbox.server import Server
from jibble_async.sandbox.time_attendance import TimeAttendance
from jibble_async.sandbox.time_tracking import TimeTracking
from jibble_async.sandbox.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE_CAP = 1000
_DAYS = timedelta(days=91)
_YEARS = timedelta(days=3652)
_YOUNG = timedelta(days=14)
_HOSTS = ("identity", "workspace", "time-tracking", "time-attendance")


class Sandbox:
    """A local Jibble on 127.0.0.1.

    Args:
        people: Size of the organisation; of the old one where there is a history.
        since: First day that has time entries; None for 91 days before the last, or for ten years
            with a history.
        until: Last day that has time entries; None for today, with some people at work, and no
            entry that is still to come.
        seed: Equal seeds give equal organisations, at equal instants where the last day is today.
        quota: The rate limit of each credential and service; None for none.
        page_cap: The most rows of a page; None for no cap. Nobody reports more than 1,000 of the
            service.
        next_links: Whether a page that was cut short links to the next. Not seen on the wire.
        token_lifetime: Seconds that a token is valid.
        reported_lifetime: Seconds that `expires_in` says; None for the truth.
        rules: What is refused, and what is unknown of the current API.
        history: What the old account holds of a company that begins with the current API: there
            are a few people then, and no time entry. None for one organisation in both APIs.
        legacy_quota: The old API's rate limit, such as `LEGACY_QUOTA`; None for none.
        legacy_rules: What is unknown of the old API.
        port: TCP port; 0 for a free one.
        clock: The present instant, aware; None for real time.

    Attributes:
        client_id: The credential's id.
        client_secret: The credential's secret.
        dataset: The organisation's rows.
        ledger: What was received and committed.
        faults: Trouble to make.
        rules: As they were given; may be changed.
        hosts: What answers requests, for who carries them without a socket.
        legacy: The old API's rows, made at the first question: a copy of the organisation, or its
            history.
        past: Who was there in a history, and what is odd about it; None without one.
        legacy_rules: As they were given; may be changed.
        legacy_credentials: Of the old API's password grant.
        legacy_token: A bearer of the old API.
        restricted: Workspace sets whose creation the plan does not include (402).

    Example:
        >>> async with Sandbox(people=5) as box:
        ...     print(box.endpoints["workspace"])
    """

    def __init__(
        self,
        people: int = 100,
        since: date | None = None,
        until: date | None = None,
        seed: int = 7,
        *,
        quota: Quota | None = None,
        page_cap: int | None = _PAGE_CAP,
        next_links: bool = False,
        token_lifetime: float = 3600,
        reported_lifetime: int | None = None,
        rules: Rules | None = None,
        history: History | None = None,
        legacy_quota: Quota | None = None,
        legacy_rules: LegacyRules | None = None,
        port: int = 0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        now = clock or _real_time
        self.client_id: str = f"sandbox-client-id-{seed}"
        self.client_secret: str = f"sandbox-client-secret-{seed}"
        self.rules: Rules = rules or Rules()
        present = now() if until is None else None
        last = now().date() if until is None else until
        self.past: Past | None = None
        if history is not None:
            begin = last - _YEARS if since is None else since
            # Of a day that isn't over nothing is told.
            end = last if present is None else last - timedelta(days=1)
            self.past = Past(history, people=people, since=begin, until=end, seed=seed)
            since = last - _YOUNG
        self.dataset: Dataset = Dataset(
            people=people,
            since=last - _DAYS if since is None else since,
            until=last,
            seed=seed,
            present=present,
            half_days_open=self.rules.half_days_open,
            newcomers=self.past.newcomers if self.past else (),
        )
        self.ledger: Ledger = Ledger(self.dataset)
        self.faults: Faults = Faults()
        self._port = port
        self._quotas = QuotaMeter(quota)
        self._identity = Identity(
            self.dataset,
            self.client_id,
            self.client_secret,
            now,
            token_lifetime,
            reported_lifetime,
        )
        self.legacy: LegacyStore = LegacyStore(
            self.past.rows if self.past else partial(organisation_rows, self.dataset)
        )
        self.legacy_rules: LegacyRules = legacy_rules or LegacyRules()
        self.legacy_credentials: LegacyCredentials = LegacyCredentials(
            f"sandbox-legacy-id-{seed}",
            f"sandbox-legacy-secret-{seed}",
            "person1@example.com",
            f"sandbox-password-{seed}",
        )
        self._legacy_quotas = QuotaMeter(legacy_quota)
        self._legacy_identity = LegacyIdentity(
            self.legacy_credentials, self.legacy_rules, self._legacy_quotas, now, seed
        )
        self.legacy_token: str = self._legacy_identity.issue()
        workspace_odata, tracking_odata = (
            ODataService(
                self.dataset,
                lambda: format_instant(now()),
                page_cap=page_cap,
                next_links=next_links,
                etags=etags,
            )
            for etags in (True, False)
        )
        workspace = Workspace(self.dataset, workspace_odata, self.ledger, now, self.rules, seed)
        tracking = TimeTracking(self.dataset, tracking_odata, self.ledger, now, self.rules, seed)
        attendance = TimeAttendance(self.dataset, tracking_odata, self.ledger, now, seed)
        self.restricted: set[str] = workspace.restricted
        self.hosts: Hosts = Hosts(
            identity=self._identity,
            legacy_identity=self._legacy_identity,
            services={
                "workspace": workspace,
                "time-tracking": tracking,
                "time-attendance": attendance,
                "legacy": LegacyHost(self.legacy, self.legacy_rules, self.ledger, now, seed),
            },
            ledger=self.ledger,
            legacy=self.legacy,
            faults=self.faults,
            quotas=self._quotas,
            legacy_quotas=self._legacy_quotas,
            clock=now,
        )
        self._server = Server(self.hosts, self.faults)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Begins to listen."""
        await self._server.start(self._port)

    async def aclose(self) -> None:
        """Stops listening; stalled requests are let go."""
        await self._server.aclose()

    @property
    def url(self) -> str:
        """The origin, such as `http://127.0.0.1:54321`."""
        return self._server.url

    @property
    def endpoints(self) -> dict[str, str]:
        """The base URL of each service of the current API."""
        return {name.replace("-", "_"): f"{self.url}/{name}" for name in _HOSTS}

    @property
    def legacy_url(self) -> str:
        """What the old API's `/api/v1/…` goes behind."""
        return f"{self.url}/legacy"

    @property
    def legacy_token_url(self) -> str:
        """Where the old API's password grant is asked for."""
        return f"{self.url}/legacy-identity/oauth/token"

    @property
    def legacy_quota(self) -> Quota | None:
        """The old API's rate limit in force; may be changed at any time."""
        return self._legacy_quotas.quota

    @legacy_quota.setter
    def legacy_quota(self, quota: Quota | None) -> None:
        self._legacy_quotas.quota = quota

    @staticmethod
    def legacy_id(name: str, guid: str) -> str:
        """The id that the old API has for a row of the current one.

        Args:
            name: The row's entity set, such as `People`; `Users` for a `userId`.
            guid: Its id there.
        """
        return legacy_id(name, guid)

    @property
    def quota(self) -> Quota | None:
        """The rate limit in force; may be changed at any time."""
        return self._quotas.quota

    @quota.setter
    def quota(self, quota: Quota | None) -> None:
        self._quotas.quota = quota

    def environment(self) -> dict[str, str]:
        """The environment variables that point clients here, of the old API too."""
        return {
            "JIBBLE_CLIENT_ID": self.client_id,
            "JIBBLE_CLIENT_SECRET": self.client_secret,
            **{f"JIBBLE_{name.upper()}_URL": url for name, url in self.endpoints.items()},
            "JIBBLE_LEGACY_URL": self.legacy_url,
            "JIBBLE_LEGACY_TOKEN": self.legacy_token,
        }

    async def expire_tokens(self) -> None:
        """Refuses every token issued so far; those of the old API as expired."""
        self._identity.expire()
        self._legacy_identity.expire()


def _real_time() -> datetime:
    return datetime.now(UTC)
