"""What the steps of a migration print: how far they are, and what they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import singledispatch
from typing import Any, cast

import msgspec
from jibble_legacy.migration.checking.verify import VerifyReport
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.progress import Progress
from jibble_legacy.migration.reading.estimating import Estimate
from jibble_legacy.migration.reading.extract import ExtractReport
from jibble_legacy.migration.states import Kind
from jibble_legacy.migration.status import Status
from jibble_legacy.migration.writing.apply import ApplyReport
from jibble_legacy.migration.writing.probe import ProbeReport
from jibble_legacy.migration.writing.rollback import RollbackReport

from jibble_async.cli.forms import Form, clean
from jibble_async.cli.output import say, show_facts, show_json, show_lines
from jibble_async.pages import hours_words

__all__ = ["Told", "facts_of", "line_of", "show"]

Facts = dict[str, Any]

_EVERY = 5.0
"""Seconds between two lines about one thing."""
_ESTIMATE = "estimate"
_WORDS = {
    _ESTIMATE: "entries to read",
    Kind.ENTRY: "entries",
    Kind.PERSON: "people",
    Kind.POWER_UP: "power-ups",
    "missing": "ids that no list shows",
    "doubts": "what is in doubt",
}
_SHOWN = 12
"""Lines of a list; the files have all."""


class Told:
    """Says how far a step is, on stderr: of each thing at once, and then now and then.

    Args:
        monotonic: Seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at: str | None = None
        self._again = 0.0

    def __call__(self, progress: Progress) -> None:
        """Tell of what was done, unless that was told of just now."""
        now = self._monotonic()
        if progress.what == self._at and now < self._again:
            return
        self._at, self._again = progress.what, now + _EVERY
        say(line_of(progress))


def line_of(progress: Progress) -> str:
    """What there is to say of it, such as `extract: 1,200 of about 33,000 entries`."""
    what = _WORDS.get(progress.what, progress.what)
    told = f"{progress.done:,} {what}" if progress.done else what
    if progress.what == _ESTIMATE:
        told = f"about {progress.done:,} {what}"
    elif progress.total is not None:
        about = "about " if progress.ends is not None else ""
        told = f"{progress.done:,} of {about}{progress.total:,} {what}"
    parts = [f"{progress.step}: {told}", progress.note]
    if progress.ends is not None:
        parts.append(f"done about {_moment(progress.ends)}")
    return ", ".join(part for part in parts if part)


def show(report: msgspec.Struct, form: Form | None = None) -> None:
    """Print what a step did: names and values, and lists below them; or in another form.

    Args:
        report: What the step gave.
        form: What it is printed as; `json` and `jsonl` have all of it.
    """
    if form in {"json", "jsonl"}:
        show_json(msgspec.to_builtins(report, enc_hook=str), form)
        return
    facts = {name: value for name, value in facts_of(report).items() if value not in (None, "")}
    lists = [name for name, value in facts.items() if isinstance(value, tuple)]
    show_facts({name: _text(facts[name]) for name in facts if name not in lists}, form, id="plan")
    if form not in {None, "table"}:
        return
    for name in lists:
        show_lines(_listed(name, facts[name]))


@singledispatch
def facts_of(report: Any) -> Facts:
    """What people are told of a report, in its order; lists come last.

    Args:
        report: What a step gave.
    """
    values = {name: getattr(report, name) for name in report.__struct_fields__}
    values.pop("exit", None)
    return {name.replace("_", " "): value for name, value in values.items()}


@facts_of.register
def _(report: Estimate) -> Facts:
    return {
        "entries": f"{report.least:,} to {report.most:,}",
        "requests": report.requests,
        "takes": f"{hours_words(timedelta(seconds=report.seconds))} hours",
        "done": f"{_moment(report.ends)} if it begins now",
    }


@facts_of.register
def _(report: ExtractReport) -> Facts:
    return {
        "entries": report.entries,
        "new": report.new,
        "changed": report.changed or None,
        "can't be read": report.flawed or None,
        "listed": report.listed,
        "gone": report.gone,
        "requests": report.requests,
        "pages": report.pages,
        "chain": report.chain,
    }


@facts_of.register
def _(report: PlanReport) -> Facts:
    dates = None
    if report.first is not None and report.last is not None:
        dates = f"{_day(report.first)} to {_day(report.last)}"
    return {
        "plan": report.hash,
        "to write": report.planned,
        "of the days": dates,
        "written already": report.kept or None,
        "to change": report.edited or None,
        "held back": report.held,
        "people": report.people,
        "to create": f"{report.created:,} people, {report.projects:,} projects",
        "to remove again": report.leavers or None,
        "seats needed": report.seats or None,
        "odd, moved as it is": _odd(report),
        "refused before": report.refused or None,
        "unknown": report.unknown or None,
        "takes": ", ".join(
            f"{hours_words(timedelta(hours=length))} hours at {rate:g}/s"
            for rate, length in report.hours.items()
        ),
        "same person": report.merged,
        "questions": report.questions,
        "whose time zone is missing": report.zones_asked,
        "look at": report.warnings,
        "files": report.files,
    }


def _odd(report: PlanReport) -> str | None:
    odd = {"Ins without an Out": report.no_end, "Outs without an In": report.no_beginning}
    return _counts({name: count for name, count in odd.items() if count}) or None


@facts_of.register
def _(report: ProbeReport) -> Facts:
    verdict = report.verdict
    kept = [
        *(["id"] if verdict.keeps_id else []),
        *(["mark"] if verdict.keeps_mark else []),
        *verdict.kept,
    ]
    return {
        "can be written to": "yes" if verdict.stop is None else f"no: {verdict.stop}",
        "keeps of an entry": ", ".join(kept),
        "moments": None if verdict.resolution_ms == 1 else "cut to whole seconds",
        "sent again": verdict.repeat,
        "an Out without an In": verdict.lone_out,
        "an Out after an Out": verdict.out_after_out,
        "entries of removed people": verdict.of_removed,
        "role": verdict.role,
        "first day": verdict.earliest,
        "known from before": "yes" if report.standing else None,
    }


@facts_of.register
def _(report: ApplyReport) -> Facts:
    if report.shown:
        return {
            "plan": report.plan,
            "would write": report.to_write,
            "would change": report.to_edit or None,
            "would create": f"{report.to_create:,} people and projects",
            "to write it": f"--plan {report.plan} --go",
        }
    return {
        "plan": report.plan,
        "written": report.written,
        "found": report.found or None,
        "changed": report.edited or None,
        "refused": report.refused or None,
        "unknown": report.unknown or None,
        "left": report.left or None,
        "people created": report.people or None,
        "projects created": report.projects or None,
        "people removed again": report.removed or None,
        "stopped": report.stopped,
        "first refusal": report.first_refusal,
        "wait for who was refused": report.waiting,
    }


@facts_of.register
def _(report: VerifyReport) -> Facts:
    sums = report.numbers.sums
    worked = timedelta(milliseconds=report.numbers.worked_new)
    before = timedelta(milliseconds=report.numbers.worked_old)
    return {
        "verdict": report.headline,
        "old entries": sums.old,
        "arrived": sums.arrived,
        "held back": sums.held_back or None,
        "refused": sums.refused or None,
        "unknown": sums.unknown or None,
        "missing": sums.missing or None,
        "waiting": sums.waiting or None,
        "hours": f"{hours_words(worked)} of {hours_words(before)}",
        "repaired": report.repaired or None,
        "against signing": tuple(report.reasons),
        "files": tuple(report.files),
    }


@facts_of.register
def _(report: RollbackReport) -> Facts:
    if report.shown:
        return {
            "would archive": report.to_archive,
            "would remove": f"{report.to_remove:,} people",
            "projects that stay": report.projects or None,
            "to do it": "--go",
        }
    return {
        "archived": report.archived,
        "gone already": report.gone or None,
        "removed": f"{report.removed:,} people",
        "projects that stay": report.projects or None,
        "unknown": report.unknown or None,
        "left": report.left or None,
        "stopped": report.stopped,
        "people who stay": report.staying,
        "changed since, and kept": tuple(
            f"{each.legacy_id} is {each.target}: {each.reason}" for each in report.kept
        ),
    }


@facts_of.register
def _(report: Status) -> Facts:
    return {
        "read": f"{report.extracted:,} entries of {report.people:,} people",
        "entries": report.writes,
        "held back": report.held_back,
        "plan": report.plan,
        "rolled back": f"{report.generation} times" if report.generation else None,
        "next": report.next,
    }


def _listed(name: str, lines: Iterable[object]) -> list[str]:
    told = [f"  {clean(str(each))}" for each in lines]
    more = [f"  and {len(told) - _SHOWN:,} more"] if len(told) > _SHOWN else []
    return [f"{name}:", *told[:_SHOWN], *more] if told else []


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return _counts(cast("Mapping[Any, int]", value))
    return value


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%a %d %b %H:%M}"


def _day(ms: int) -> str:
    return f"{moment_at(ms):%Y-%m-%d}"
