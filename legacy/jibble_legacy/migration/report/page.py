"""The page that is signed, as one HTML document: no script, nothing to load, for screen and A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from jibble_async.pages import Html, render
from jibble_legacy.migration.report import html
from jibble_legacy.migration.report.chart import chart
from jibble_legacy.migration.report.html import Cell
from jibble_legacy.migration.report.numbers import (
    Auditor,
    Numbers,
    PersonLine,
    Sample,
    Sums,
    TellingGap,
)
from jibble_legacy.migration.report.verdict import Colour, Judgement, count, judgement

__all__ = ["page"]

_STYLE = Html(files("jibble_legacy.migration.report").joinpath("page.css").read_text("utf-8"))
# What a reader sees who sees no colours.
_SIGNS = {
    Colour.GREEN: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    Colour.AMBER: '<path d="M12 6v7l4 3"/>',
    Colour.RED: '<path d="M7 7l10 10M17 7L7 17"/>',
}


def page(numbers: Numbers) -> str:
    """The page of a migration's numbers, as an HTML document.

    Args:
        numbers: All that it says.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    return render(
        "document.html",
        title=f"Migration of time entries: {numbers.old_name}",
        style=_STYLE,
        body=Html(_body(numbers)),
    )


def _body(numbers: Numbers) -> str:
    return f"""<h1>Migration of time entries: {html.text(numbers.old_name)}</h1>
<p class="about">{_about(numbers)}</p>
{_verdict(judgement(numbers))}
{_sums(numbers)}
{html.section("Entries per month", chart(numbers.months), _outside(numbers.outside))}\
{html.section("What did not move, and why", _held_back(numbers))}\
{html.section("Hours that differ", _gaps(numbers.gaps))}\
{html.section("People", _people(numbers.people))}\
{html.section("Moved as they were, though odd", _oddities(numbers))}\
{html.section("What has no place in the new account", _homeless(numbers))}\
{html.section("For the auditor", _auditor(numbers))}\
{html.section(_samples_title(numbers), _samples(numbers.samples), _own_sample(numbers))}\
{_signatures()}"""


def _about(numbers: Numbers) -> str:
    return html.joined(
        [
            f"From the old account ({html.text(numbers.old_host)}) to "
            f"{html.text(numbers.new_name)}",
            f"entries up to {html.moment(numbers.old_until)} UTC" if numbers.old_until else "",
            f"written {html.span(numbers.written_from, numbers.written_until)}"
            if numbers.written_from
            else "nothing written yet",
            f"read back {html.moment(numbers.read_back)}" if numbers.read_back else "",
        ]
    )


def _verdict(said: Judgement) -> str:
    # One reason is the headline; several are a list under it.
    listed = "".join(f"<li>{html.plain(reason)}</li>" for reason in said.reasons)
    reasons = f"<ul>{listed}</ul>" if len(said.reasons) > 1 else ""
    return f"""<div class="verdict {said.colour}" role="status">
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11"/>\
{_SIGNS[said.colour]}</svg>
<div><strong>{html.plain(said.headline)}</strong>{reasons}
<p>{html.plain(said.told)}</p></div>
</div>"""


def _sums(numbers: Numbers) -> str:
    sums = numbers.sums
    pieces = "".join(
        f'<i class="{kind}" style="flex-grow:{entries}"></i>'
        for kind, _, entries in _terms(sums)
        if entries
    )
    terms = "".join(
        f'<span class="op">{"+" if place else "="}</span>'
        f'<div class="{kind if entries else "zero"}"><b>{html.number(entries)}</b>'
        f"<span>{words}</span></div>"
        for place, (kind, words, entries) in enumerate(_terms(sums))
    )
    return f"""<div class="whole" aria-hidden="true">{pieces}</div>
<div class="sum"><div><b>{html.number(sums.old)}</b><span>entries in the old account</span></div>\
{terms}</div>
{_hours(numbers)}"""


def _terms(sums: Sums) -> Iterator[tuple[str, str, int]]:
    yield "arrived", "arrived, read back", sums.arrived
    yield "held", "held back, see below", sums.held_back
    if sums.unread:
        yield "held", "written, not read back yet", sums.unread
    if sums.waiting:
        yield "held", "still to be written", sums.waiting
    yield "lost", "refused by Jibble", sums.refused
    yield "lost", "not known", sums.unknown
    if sums.missing:
        yield "lost", "missing", sums.missing


def _hours(numbers: Numbers) -> str:
    old, new = numbers.worked_old, numbers.worked_new
    if numbers.read_back is None:
        return ""
    if old == new:
        return (
            f'<p class="hours"><b>{html.hours(old)} hours</b> worked in what arrived: the same in '
            "both accounts, counted by one rule</p>"
        )
    explained = all(gap.is_explained for gap in numbers.gaps)
    why = "changed over there since" if explained else "not all of it explained"
    return (
        f'<p class="hours"><b>{html.hours(old)} hours</b> worked in what arrived by the old '
        f"account, <b>{html.hours(new)}</b> by the new one, counted by one rule: {why}, "
        "see below</p>"
    )


def _outside(outside: int) -> str:
    if not outside:
        return ""
    words = count(outside, "entry is", "entries are")
    return f'<p class="note">{words} dated before 2010, in the future or not at all.</p>'


def _held_back(numbers: Numbers) -> str:
    lines = sorted(numbers.held_back, key=lambda each: (not each.is_open, -each.entries))
    rows = [
        [
            ("", f"{html.plain(each.reason)}<small>{html.plain(each.code)}</small>"),
            ("", html.plain(each.way_out)),
            ("n", html.number(each.people) if each.people else html.NONE),
            ("n open" if each.is_open else "n", html.number(each.entries)),
        ]
        for each in lines
    ]
    heads = [("", "Reason"), ("", "What you can do"), ("n", "People"), ("n", "Entries")]
    if not rows:
        return '<p class="note">Everything moved.</p>' if numbers.read_back else ""
    where = "Each row is in <code>rejects.csv</code>, where it can be corrected and applied again."
    return f'{html.table(heads, rows)}\n<p class="note">{where}</p>'


def _gaps(gaps: Sequence[TellingGap]) -> str:
    rows = [
        [
            ("", html.text(gap.person)),
            ("", html.month_name(gap.month)),
            ("n", html.number(gap.old_entries)),
            ("n", html.number(gap.new_entries)),
            ("n", html.hours(gap.old_worked)),
            ("n", html.hours(gap.new_worked)),
            ("", "changed over there since") if gap.is_explained else ("bad", "not explained"),
        ]
        for gap in sorted(gaps, key=lambda each: (each.is_explained, each.person, each.month))
    ]
    heads: list[Cell] = [("", "Person"), ("", "Month")]
    heads += [("n", "Entries, old"), ("n", "New"), ("n", "Hours, old"), ("n", "New"), ("", "")]
    return html.wide_table(heads, rows)


def _people(people: Sequence[PersonLine]) -> str:
    heads: list[Cell] = [("", "In the old account"), ("", "In the new one"), ("", "Time zone")]
    heads += [("", "Entries from and to"), ("n", "Old"), ("n", "New"), ("n", "Not moved")]
    heads.append(("n", "Hours"))
    return html.wide_table(heads, [_person(line) for line in people])


def _person(line: PersonLine) -> list[Cell]:
    held = line.old - line.new
    found = html.plain(line.found)
    if line.same_as:
        found = "the same human as above"
    elif line.is_open:
        found = '<b class="bad">not decided</b>'
    zone = html.text(line.zone) if line.zone else html.NONE
    if line.by_day is not None:
        zone += (
            f'<small class="open">{html.share(line.by_day)} of the Ins are by day: '
            "nights, or another zone?</small>"
        )
    span = f"{html.day(line.first)} {html.NONE} {html.day(line.last)}" if line.first else html.NONE
    worked = (
        "with it" if line.same_as else html.NONE if line.worked is None else html.hours(line.worked)
    )
    about = html.joined([html.plain(line.old_id), html.text(line.email) if line.email else ""])
    return [
        ("follows" if line.same_as else "", f"{html.text(line.name)}<small>{about}</small>"),
        ("", found),
        ("", zone),
        ("", span),
        ("n", html.number(line.old)),
        ("n", html.number(line.new)),
        ("n open" if held else "n", html.number(held)),
        ("n", worked),
    ]


def _oddities(numbers: Numbers) -> str:
    rows = [
        [
            ("", html.plain(each.what)),
            ("", html.plain(each.means)),
            ("n", html.number(each.entries)),
        ]
        for each in numbers.oddities
        if each.entries
    ]
    return html.table([("", "What"), ("", "What it means"), ("n", "Entries")], rows)


def _homeless(numbers: Numbers) -> str:
    rows = [
        [
            ("", html.plain(each.what)),
            ("", html.code(each.fields)),
            ("", html.code(each.file)),
            ("n", html.number(each.values)),
        ]
        for each in numbers.homeless
    ]
    heads = [("", "What"), ("", "Fields"), ("", "Kept in"), ("n", "Values")]
    return html.table(heads, rows)


def _auditor(numbers: Numbers) -> str:
    facts = "".join(
        f"<div><dt>{term}</dt><dd>{said}</dd></div>" for term, said in _facts(numbers) if said
    )
    return f'<dl class="facts">{facts}</dl>'


def _facts(numbers: Numbers) -> Iterator[tuple[str, str]]:
    known, again, found = numbers.auditor, numbers.again, numbers.found
    yield (
        "Source, as received",
        f"{count(known.answers, 'answer')}, kept byte for byte; {again.pages_checked:,} hashed "
        f"again for this page; chained SHA-256 {html.code(known.chain)}",
    )
    yield "Read", _reading(known)
    yield (
        "Rules",
        f"plan {html.code(known.plan)} of {html.moment(known.plan_at)} UTC"
        + "".join(f", {html.plain(each.name)} {html.code(each.sha256)}" for each in known.proofs)
        + f"; {html.plain(known.tool)}",
    )
    if numbers.read_back is not None:
        yield (
            "Read back",
            f"the new account whole, archived entries too: {count(again.target_rows, 'row')} in "
            f"{count(again.target_requests, 'request')}. Besides what arrived, {found.before:,} "
            f"were there before and {found.only_there:,} were made by people since; "
            f"{found.doubled:,} of ours are there twice"
            + (f" ({found.ended:,} more were, and were archived)" if found.ended else "")
            + "".join(f"; {number:,} have {why}" for why, number in found.trivial.items()),
        )
        yield "The old account, read again", html.plain(again.source)
    yield "Tried out beforehand", "<br>".join(html.plain(line) for line in known.probe)
    yield "What this can't show", "<br>".join(html.plain(line) for line in known.not_shown)


def _reading(known: Auditor) -> str:
    return (
        f"{html.span(known.read_from, known.read_until)} UTC in "
        f"{count(known.requests, 'request')}, at most {known.busiest_hour:,} in any hour; nothing "
        "was written to the old account"
    )


def _samples_title(numbers: Numbers) -> str:
    drawn = f", drawn by {numbers.drawn_by}" if numbers.drawn_by else ""
    return f"{count(len(numbers.samples), 'entry', 'entries')} side by side{drawn}"


def _samples(samples: Sequence[Sample]) -> str:
    heads: list[Cell] = [("", "Old id"), ("", "Person"), ("", "Moment, UTC"), ("", "Action")]
    heads += [("", "Note"), ("", "New id"), ("", "On the clock there"), ("", "Type"), ("", "")]
    return html.wide_table(heads, [_sample(each) for each in samples])


def _sample(each: Sample) -> list[Cell]:
    there = html.plain(each.local) + (
        f"<small>day {html.plain(each.day)}</small>" if each.day else ""
    )
    return [
        ("", f"{html.code(each.old_id)}<small>page {each.page:,}, row {each.row:,}</small>"),
        ("", html.text(each.person)),
        ("", html.moment(each.ms, seconds=True)),
        ("id", html.plain(each.action)),
        ("words", html.text(each.note) if each.note else ""),
        ("id", html.code(each.new_id[:8]) if each.new_id else html.NONE),
        ("", there or html.NONE),
        ("", html.plain(each.type) or html.NONE),
        ("good" if each.is_right else "bad", html.plain(each.verdict)),
    ]


def _own_sample(numbers: Numbers) -> str:
    if not numbers.samples:
        return ""
    command = html.code("jibble migrate verify --sample 25 --seed WORD")
    return f'<p class="note">A sample of your own: {command}</p>'


def _signatures() -> str:
    return """<div class="signatures"><div>Migrated by: name, date, signature</div>\
<div>Checked by: name, date, signature</div></div>"""
