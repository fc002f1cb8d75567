from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    Coordinates,
    EntryStatus,
    EntryType,
    NotSupportedError,
    Organization,
    Person,
    PersonStatus,
    Project,
    TimeEntry,
    UnknownFieldError,
    fields,
    grouped,
    raw_filter,
)
from jibble_async.entities.durations import duration_text
from jibble_async.odata.literals import literal
from jibble_async.odata.render import render_filter
from jibble_async.query.expressions import (
    And,
    Between,
    Comparison,
    Constant,
    Expression,
    InList,
    Kind,
    Not,
    Or,
    Path,
    Predicate,
    RawFilter,
    all_of,
)
from jibble_async.query.values import constant

T = fields(TimeEntry)
P = fields(Person)
# The same without types, for what a type checker would refuse.
U: Any = T
untyped_fields: Any = fields
KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
DAY = date(2024, 6, 13)
NOON = datetime(2024, 6, 13, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (T.person_id == KEY, f"personId eq {KEY}"),
        (T.id == uuid.UUID(KEY), f"id eq {KEY}"),
        (T.belongs_to_date == DAY, "belongsToDate eq 2024-06-13"),
        (T.belongs_to_date != DAY, "belongsToDate ne 2024-06-13"),
        (T.belongs_to_date < DAY, "belongsToDate lt 2024-06-13"),
        (T.belongs_to_date <= DAY, "belongsToDate le 2024-06-13"),
        (T.belongs_to_date > DAY, "belongsToDate gt 2024-06-13"),
        (T.belongs_to_date >= DAY, "belongsToDate ge 2024-06-13"),
        (T.time >= NOON, "time ge 2024-06-13T12:00:00.000Z"),
        (
            T.time < NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
            "time lt 2024-06-13T12:00:00.000Z",
        ),
        (T.time == NOON.replace(microsecond=1), "time eq 2024-06-13T12:00:00.000001Z"),
        (T.status != EntryStatus.ARCHIVED, "status ne 'Archived'"),
        (T.type == "StartBreak", "type eq 'StartBreak'"),
        (P.status == PersonStatus("It's new"), "status eq 'It''s new'"),
        (P.email == "d'angelo@example.com", "email eq 'd''angelo@example.com'"),
        (T.is_manual == True, "isManual eq true"),  # noqa: E712 - an expression
        (T.is_manual != False, "isManual ne false"),  # noqa: E712 - an expression
        (T.offset == timedelta(hours=8), "offset eq duration'PT8H'"),
        (T.offset > timedelta(), "offset gt duration'PT0S'"),
        (T.face_similarity >= 0.5, "faceSimilarity ge 0.5"),
        (T.face_similarity == -1, "faceSimilarity eq -1"),
        (T.note == None, "note eq null"),  # noqa: E711 - an expression
        (T.note.is_null(), "note eq null"),
        (T.note.is_not_null(), "note ne null"),
        (T.picture.is_null(), "picture eq null"),
        (T.person.is_not_null(), "person ne null"),
        (T.time == T.created_at, "time eq createdAt"),
        (T.time < T.updated_at, "time lt updatedAt"),
        (T.note.contains("a+b"), "contains(note,'a+b')"),
        (T.note.startswith(""), "startswith(note,'')"),
        (T.note.endswith("%"), "endswith(note,'%')"),
        (T.note.lower() == "x", "tolower(note) eq 'x'"),
        (T.note.upper() != "X", "toupper(note) ne 'X'"),
        (T.note.strip().length() > 3, "length(trim(note)) gt 3"),
        (T.note.lower().contains("x"), "contains(tolower(note),'x')"),
        (T.belongs_to_date.year() == 2026, "year(belongsToDate) eq 2026"),
        (T.belongs_to_date.month() == 2, "month(belongsToDate) eq 2"),
        (T.belongs_to_date.day() == 29, "day(belongsToDate) eq 29"),
        (T.time.hour() < 9, "hour(time) lt 9"),
        (T.time.minute() == 0, "minute(time) eq 0"),
        (T.time.second() == 0, "second(time) eq 0"),
        (T.time.date() == DAY, "date(time) eq 2024-06-13"),
        (T.person.full_name == "Ann", "person/fullName eq 'Ann'"),
        (T.person.group.name == "Ops", "person/group/name eq 'Ops'"),
        (T.coordinates.latitude > 0, "coordinates/latitude gt 0"),
        (T.belongs_to_date.between(DAY, DAY), _between := (
            "(belongsToDate ge 2024-06-13 and belongsToDate le 2024-06-13)"
        )),
        (~T.belongs_to_date.between(DAY, DAY), f"not {_between}"),
        (T.type.is_in(["In"]), "type eq 'In'"),
        (T.type.is_in(["In", "Out"]), "(type eq 'In' or type eq 'Out')"),
        (~T.type.is_in(["In", "Out"]), "not (type eq 'In' or type eq 'Out')"),
        (~T.type.is_in(["In"]), "not (type eq 'In')"),
        (~(T.type == "In"), "not (type eq 'In')"),
        (~~(T.type == "In"), "not (not (type eq 'In'))"),
        (~T.note.contains("x"), "not (contains(note,'x'))"),
        ((T.type == "In") & (T.note == "x"), "(type eq 'In' and note eq 'x')"),
        (
            (T.type == "In") & (T.note == "x") & (T.note == "y"),
            "(type eq 'In' and note eq 'x' and note eq 'y')",
        ),
        (
            (T.type == "In") | ((T.note == "x") & (T.note == "y")) | (T.note == "z"),
            "(type eq 'In' or (note eq 'x' and note eq 'y') or note eq 'z')",
        ),
        (
            ~((T.type == "In") | (T.note == "x")) & (T.note == "y"),
            "(not (type eq 'In' or note eq 'x') and note eq 'y')",
        ),
        (raw_filter("year(date) eq 2026"), "year(date) eq 2026"),
        (raw_filter("a eq 1 or b eq 2") & (T.note == "x"), "((a eq 1 or b eq 2) and note eq 'x')"),
        (~raw_filter("(a eq 1) or (b eq 2)"), "not ((a eq 1) or (b eq 2))"),
        (_note := grouped(T.note == "x", 1), "(note eq 'x')"),
        (~_note, "not (note eq 'x')"),
        (grouped(_note, 0), "note eq 'x'"),
        (_either := grouped((T.note == "x") | (T.note == "y"), 0), "note eq 'x' or note eq 'y'"),
        (grouped(_either, 3), "(((note eq 'x' or note eq 'y')))"),
        (~_either, "not (note eq 'x' or note eq 'y')"),
        (_either & (T.note == "z"), "((note eq 'x' or note eq 'y') and note eq 'z')"),
        (grouped(_either & (T.note == "z"), 0), "(note eq 'x' or note eq 'y') and note eq 'z'"),
        (~grouped(_either & _note, 0), "not ((note eq 'x' or note eq 'y') and (note eq 'x'))"),
        (grouped(T.belongs_to_date.between(DAY, DAY), 0), _between[1:-1]),
        (~grouped(raw_filter("a eq 1 or b eq 2"), 0), "not (a eq 1 or b eq 2)"),
        (grouped(raw_filter("a eq 1"), 2) & (T.note == "x"), "(((a eq 1)) and note eq 'x')"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_rendering(expression: Expression, expected: str) -> None:
    assert render_filter(expression) == expected


def test_there_are_no_fewer_parentheses_than_none() -> None:
    with pytest.raises(ConfigurationError, match="at least 0"):
        grouped(T.note == "x", -1)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(), "PT0S"),
        (timedelta(hours=8), "PT8H"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=1, hours=6), "P1DT6H"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(seconds=-0.5), "-PT0.5S"),
        (timedelta(days=-2, microseconds=-1), "-P2DT0.000001S"),
        (timedelta(hours=30), "P1DT6H"),
    ],
)
def test_durations_are_written_in_days_and_less(length: timedelta, expected: str) -> None:
    assert duration_text(length) == expected


def test_a_time_of_day_is_bare() -> None:
    assert literal(Constant(time(9, 30), Kind.TIME), "x") == "09:30:00"


def test_moments_at_the_ends_of_time_have_a_literal() -> None:
    west, east = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))
    assert render_filter(T.time >= datetime.min.replace(tzinfo=east)) == (
        "time ge 0001-01-01T00:00:00.000Z"
    )
    assert render_filter(T.time <= datetime.max.replace(tzinfo=west)) == (
        "time le 9999-12-31T23:59:59.999999Z"
    )


def test_the_tree_is_flat_immutable_and_comparable() -> None:
    one, two, three = T.note == "1", T.note == "2", T.note == "3"
    assert (one & two) & three == one & (two & three) == And((one, two, three))
    assert (one | two) | three == one | (two | three) == Or((one, two, three))
    assert all_of([one]) is one
    assert ~one == Not(one)
    path = Path(TimeEntry, ("note",), Kind.TEXT)
    assert one == Comparison(path, "eq", Constant("1", Kind.TEXT))
    assert hash(one & two) == hash(And((one, two)))
    with pytest.raises(AttributeError):
        one.operator = "ne"  # type: ignore[misc]
    assert isinstance(T.type.is_in({"In"}), InList)
    assert isinstance(T.time.between(NOON, NOON), Between)
    assert isinstance(T.note.contains("x"), Predicate)
    assert raw_filter("x") == RawFilter("x")


@pytest.mark.parametrize("expression", [T.note == "x", ~(T.type.is_in(["In"]) | T.note.is_null())])
def test_expressions_can_be_pickled(expression: Expression) -> None:
    assert pickle.loads(pickle.dumps(expression)) == expression


def test_fields_are_hashable_and_told_apart() -> None:
    assert len({T.note, T.address, T.note, T.person.id, T.id}) == 4
    assert repr(T.note) == "<TextField TimeEntry.note>"
    assert repr(T.person) == "<fields of TimeEntry.person>"
    assert repr(T) == "<fields of TimeEntry>"
    assert T.person is T.person


AND_OR = "combine expressions by"


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: bool(U.note == "x"), AND_OR),
        (lambda: (U.note == "x") and (U.type == "y"), AND_OR),
        (lambda: (U.note == "x") or (U.note == "y"), AND_OR),
        (lambda: not (U.note == "x"), AND_OR),  # noqa: SIM201 - the misuse itself
        (lambda: NOON < U.time < NOON, AND_OR),
        (lambda: (U.note == "x") & True, r"write T.a.is_null\(\)"),
        (lambda: all_of([U.note is None]), r"write T.a.is_null\(\)"),
        (lambda: U.person.where(KEY == "Bob"), r"write T.a.is_null\(\)"),
        (lambda: U.note == "x" & U.address == "y", "each in parentheses"),
        (lambda: U.note and U.address == "y", "each in parentheses"),
        (lambda: not U.is_manual, "each in parentheses"),
        (lambda: U.note.is_in("abc"), r"write \['abc'\], not 'abc'"),
        (lambda: U.id.is_in(None), "takes a list"),
        (lambda: U.time >= None, r"use is_null\(\)"),
        (lambda: U.time.between(NOON, None), r"use is_null\(\)"),
        (lambda: U.note.contains(None), r"use is_null\(\)"),
        (lambda: U.type == "Inn", r"TimeEntry.type is never 'Inn': did you mean In\?"),
        (lambda: U.type == "in", r"did you mean In\?.* write EntryType\('in'\)"),
        (lambda: U.type.is_in(["In", "Lunch"]), "it has In, Out, StartBreak"),
        (lambda: U.person.status != EntryType.IN, r"person\.status is never .In."),
        (lambda: (U.note == "x") | None, "parentheses"),
        (lambda: all_of([]), "at least one"),
        (lambda: all_of([untyped_fields]), "parentheses"),
        (lambda: U.type.is_in([]), "matches nothing"),
        (lambda: raw_filter("  "), "needs a text"),
        (lambda: U.time >= NOON.replace(tzinfo=None), "has no time zone"),
        (lambda: U.time >= "2024-01-01T00:00:00Z", "compared with a date and time, not with str"),
        (lambda: U.time >= DAY, "compared with a date and time, not with date"),
        (lambda: U.belongs_to_date == NOON, r"take its \.date\(\) in the zone you mean"),
        (lambda: U.belongs_to_date == "2024-06-13", "takes a date, not str"),
        (lambda: U.is_manual == 1, "compared with a boolean"),
        (lambda: U.is_manual == "true", "compared with a boolean"),
        (lambda: U.face_similarity > True, "compared with a number"),
        (lambda: U.face_similarity > "1", "compared with a number"),
        (lambda: U.face_similarity > float("nan"), "can't be compared with nan"),
        (lambda: U.face_similarity > float("inf"), "can't be compared with inf"),
        (lambda: U.offset == 8, "compared with a duration"),
        (lambda: U.note == 8, "compared with a text"),
        (lambda: U.note.contains(b"x"), "compared with a text"),
        (lambda: U.type == 8, "compared with an enumeration"),
        (lambda: U.id == 8, "compared with an id"),
        (lambda: U.id.is_in([None, 8]), "compared with an id"),
        (lambda: U.note == "a\0b", "NUL"),
        (lambda: U.note.contains("\ud800"), "not valid Unicode"),
        (lambda: U.id == "\udfff", "not valid Unicode"),
        (lambda: U.note.lower().asc(), "is computed"),
        (lambda: U.path, "is not a field"),
        (lambda: untyped_fields(str), "fields.. knows .*Activity"),
        (lambda: untyped_fields(Organization).id.is_in(["x", object()]), "compared with an id"),
    ],
)
def test_misuse_is_an_error_when_the_expression_is_written(
    misuse: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        misuse()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (T.person_id == "Ann", r"TimeEntry\.person_id is a GUID, and 'Ann' is not one"),
        (T.person_id == f"{{{KEY}}}", "is not one"),
        (T.person_id == KEY + "\n", "is not one"),
        (T.person.id == "x' or 1 eq 1", "is not one"),
    ],
)
def test_values_without_a_literal_are_refused(expression: Expression, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        render_filter(expression)


def test_what_odata_has_no_words_for_is_refused() -> None:
    class Strange(Expression, frozen=True):
        """Something that another API might have words for."""

    with pytest.raises(NotSupportedError, match="no words for"):
        render_filter(Strange())
    inner = Path(Project, ("name", "deeper"), Kind.TEXT)
    with pytest.raises(NotSupportedError, match="plain value"):
        render_filter(Comparison(inner, "eq", constant(Kind.TEXT, "x", "x")))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: U.person_idd, "TimeEntry has no field 'person_idd': did you mean person_id"),
        (lambda: U.person.fullname, "Person has no field 'fullname': did you mean full_name"),
        (
            lambda: untyped_fields(Coordinates).zzz,
            "Coordinates has no field 'zzz': it has latitude, long",
        ),
        (lambda: U.personId, "did you mean person_id or person"),
    ],
)
def test_an_unknown_field_is_an_error_with_a_suggestion(
    ask: Callable[[], Any], message: str
) -> None:
    with pytest.raises(UnknownFieldError, match=message):
        ask()
    assert not hasattr(T, "person_idd")
