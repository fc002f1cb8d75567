"""Rates of pay from a table, and what hours come to by them. Decimal throughout."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext

import msgspec

from jibble_async.entities import Overtime, Schedule
from jibble_async.errors import ConfigurationError
from jibble_async.payroll.hours import OVERTIME
from jibble_async.payroll.lines import Payee, PayrollLine

__all__ = ["ROUNDING", "Amount", "Rate", "Rates", "amount_of", "factors_of", "read_rates"]

ROUNDING = (
    "each amount is hours x rate x factor, exact to the microsecond, rounded half up to the "
    "currency's smallest unit; totals are sums of rounded amounts"
)
"""How amounts are rounded, for whoever signs them."""

PAID = ("regular", *OVERTIME, "other", "paid_time_off")
_FACTORS = PAID[1:]
# Unless the table says otherwise, these are paid as any hour is.
_PLAIN: Mapping[str, Decimal] = {
    "regular": Decimal(1),
    "paid_time_off": Decimal(1),
}
_EVERYBODY = "*"
# Digits behind the point, where there are not two (ISO 4217).
_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND")
) | {"VUV", "XAF", "XOF", "XPF"}
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
# Three digits behind a point or comma could be thousands. More in front of it is a slip, and sums
# would be inexact at some point.
_NUMBER = re.compile("([0-9]{1,12})(?:[.,]([0-9]{1,2}|[0-9]{4,8}))?")
_CURRENCY = re.compile("[A-Z]{3}")
_MICROSECOND = timedelta(microseconds=1)
_HOUR = Decimal(3_600_000_000)


class Rate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody is paid.

    Attributes:
        rate: For an hour.
        currency: Its ISO 4217 code.
        factors: By which hours of a kind are multiplied, where the table says so.
    """

    rate: Decimal
    currency: str
    factors: Mapping[str, Decimal]


class Rates:
    """Rates by person.

    Args:
        rows: What the table has in its first column, and the rate.
        source: What the table is called.

    Raises:
        ConfigurationError: Somebody is in it twice.
    """

    def __init__(self, rows: Iterable[tuple[str, Rate]], source: str) -> None:
        self._source = source
        self._rates: dict[str, Rate] = {}
        self._written: dict[str, str] = {}
        for name, rate in rows:
            key = _key(name)
            if key in self._rates:
                raise ConfigurationError(f"{source} has {name!r} twice: leave one of them")
            self._rates[key] = rate
            self._written[key] = name

    def unknown(self, everybody: Iterable[Payee]) -> list[str]:
        """The rows that are of nobody, as they are written: a slip, or somebody else's.

        Args:
            everybody: All that there are, whether they are paid or not.
        """
        called = _called(everybody)
        return [
            name for key, name in self._written.items() if key != _EVERYBODY and key not in called
        ]

    def by_person(self, payees: Sequence[Payee], others: Iterable[Payee] = ()) -> dict[str, Rate]:
        """The rate of each person by id.

        Args:
            payees: All who are paid.
            others: Who else may be meant by a name, though nothing is to be paid to them.

        Raises:
            ConfigurationError: Somebody has none, or two, or a name is that of several people.
        """
        paid = {payee.id for payee in payees}
        called = _called([*payees, *others])
        found: dict[str, Rate] = {}
        for key, rate in self._rates.items():
            people = called.get(key, set())
            if people.isdisjoint(paid):
                continue
            if len(people) > 1:
                raise ConfigurationError(
                    f"{self._source}: {key!r} are {len(people)} people: write their codes, e-mail "
                    "addresses or ids instead"
                )
            for person_id in people:
                if found.setdefault(person_id, rate) is not rate:
                    raise ConfigurationError(f"{self._source} has {key!r} twice, by two names")
        common = self._rates.get(_EVERYBODY)
        if common is not None:
            return {payee.id: found.get(payee.id, common) for payee in payees}
        missing = [payee.name for payee in payees if payee.id not in found]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise ConfigurationError(
                f"{self._source} has no rate for {', '.join(missing[:3])}{more}: add rows, or one "
                "for *, which is everybody else"
            )
        return found


class Amount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a line of a payroll comes to.

    Attributes:
        parts: By kind of hours; see `Hours`.
        total: All of them.
    """

    person_id: str
    since: date
    until: date
    currency: str
    rate: Decimal
    parts: Mapping[str, Decimal]
    total: Decimal


def read_rates(text: str, source: str) -> Rates:
    r"""The rates of a CSV.

    Its columns are `person` (a name, code, e-mail address or id; `*` for everybody else), `rate`
    (for an hour), `currency`, and where wanted a factor for each kind of hours, such as
    `daily_overtime`. Columns are separated by commas, semicolons or tabs.

    Args:
        text: The table.
        source: What it is called, for errors.

    Raises:
        ConfigurationError: Something in it can't be used.

    Example:
        >>> rates = read_rates("person,rate,currency\nE-0001,21.50,EUR\n", "rates.csv")
    """
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(";\t,", key=head.count)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise ConfigurationError(f"{source} is no CSV: {error}") from None
    names = [_column(name) for name in records[0]] if records else []
    for name in ("person", "rate", "currency"):
        if names.count(name) != 1:
            raise ConfigurationError(f"{source} needs one column {name!r} in its first line")
    unknown = sorted(set(names) - {"person", "rate", "currency", *_FACTORS, ""})
    if unknown or len(set(names)) < len(names):
        offered = ", ".join(_FACTORS)
        what = ", ".join(unknown) or "a column twice"
        raise ConfigurationError(
            f"{source} has {what}: there are person, rate, currency, {offered}"
        )
    rows: list[tuple[str, Rate]] = []
    for line, record in enumerate(records[1:], 2):
        if any(cell.strip() for cell in record):
            if len(record) != len(names):
                raise ConfigurationError(
                    f"{source}, row {line}: {len(record)} cells under {len(names)} columns"
                )
            cells = dict(zip(names, (cell.strip() for cell in record), strict=True))
            rows.append(_rate(cells, f"{source}, row {line}"))
    return Rates(rows, source)


def factors_of(rate: Rate, schedule: Schedule | None) -> dict[str, Decimal]:
    """By what each kind of hours is multiplied: as the table says, else as the schedule says.

    Args:
        rate: What the table says.
        schedule: The person's.
    """
    overtime = (schedule and schedule.overtime) or Overtime()
    said = {kind: getattr(overtime, f"{kind}_multiplier") for kind in OVERTIME}
    # By its shortest text: 1.1 is meant, not the number in binary that is next to it.
    scheduled = {kind: Decimal(str(factor)) for kind, factor in said.items() if factor is not None}
    return {**_PLAIN, **scheduled, **rate.factors}


def amount_of(
    line: PayrollLine, payee: Payee, rate: Rate, factors: Mapping[str, Decimal]
) -> Amount:
    """What a line comes to; see `ROUNDING`.

    Args:
        line: The hours.
        payee: Whose.
        rate: What is paid for an hour.
        factors: By what each kind of hours is multiplied.

    Raises:
        ConfigurationError: There are hours of a kind that has no factor.
    """
    unit = _unit(rate.currency)
    parts: dict[str, Decimal] = {}
    for kind in PAID:
        length: timedelta = getattr(line.hours, kind)
        if not length:
            parts[kind] = Decimal(0).quantize(unit)
            continue
        if kind not in factors:
            raise ConfigurationError(
                f"{payee.name} has hours of the kind {kind}, and neither the rates nor the "
                f"schedule say how they are paid: add a column {kind} to the rates"
            )
        with localcontext(prec=60):
            exact = Decimal(length // _MICROSECOND) * rate.rate * factors[kind] / _HOUR
            parts[kind] = exact.quantize(unit, ROUND_HALF_UP)
    return Amount(
        person_id=line.person_id,
        since=line.since,
        until=line.until,
        currency=rate.currency,
        rate=rate.rate,
        parts=parts,
        total=sum(parts.values(), Decimal(0).quantize(unit)),
    )


def _rate(cells: Mapping[str, str], where: str) -> tuple[str, Rate]:
    if not cells["person"]:
        raise ConfigurationError(f"{where}: no person")
    currency = cells["currency"].upper()
    if not _CURRENCY.fullmatch(currency):
        raise ConfigurationError(f"{where}: {currency!r} is no currency: write it as EUR")
    factors = {
        kind: _number(cells[kind], f"{where}, {kind}") for kind in _FACTORS if cells.get(kind)
    }
    rate = _number(cells["rate"], f"{where}, rate")
    return cells["person"], Rate(rate=rate, currency=currency, factors=factors)


def _number(text: str, where: str) -> Decimal:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"{where}: {text!r} is no number that can be read in one way only: write it as 1250.50"
        )
    return Decimal(f"{match[1]}.{match[2] or 0}")


def _unit(currency: str) -> Decimal:
    digits = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    return Decimal(1).scaleb(-digits)


def _column(name: str) -> str:
    return "_".join(name.strip().lower().replace("_", " ").split())


def _called(people: Iterable[Payee]) -> dict[str, set[str]]:
    """Whom each name, code, address or id may mean."""
    called: dict[str, set[str]] = {}
    for each in people:
        for name in (each.id, each.code, each.email, each.name):
            if name:
                called.setdefault(_key(name), set()).add(each.id)
    return called


def _key(name: str) -> str:
    """What is the same for two spellings of a name."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
