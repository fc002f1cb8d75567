"""Which of several people or things is meant by what somebody typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.cli.names import Named, best_matches, one_of
from jibble_async.errors import ConfigurationError

ZOE = Named("a", ("Zoë Fischer",), ("zoe@example.com", "0042"), ("Sales",))
FRITZ = Named("b", ("Fritz Zoeller",), ("fritz@example.com",))
JOSE = Named("c", ("José María Núñez", "Pepe"), ("7",))
LUKASZ = Named("d", ("Łukasz Øster",))
RAM = Named("e", ("राम",))
RIM = Named("f", ("रिम",))
ISTANBUL = Named("g", ("İstanbul Depo",))
KA = Named("h", ("かわ",))
EVERYBODY = [ZOE, FRITZ, JOSE, LUKASZ, RAM, RIM, ISTANBUL, KA]


def matches(text: str, among: list[Named] | None = None) -> list[Named]:
    return best_matches(text, EVERYBODY if among is None else among)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", ZOE),
        (" a ", ZOE),
        ("ZOE@example.com", ZOE),
        ("0042", ZOE),
        ("zoë fischer", ZOE),
        ("ZOE\u0308  FISCHER", ZOE),
        ("Zoe Fischer", ZOE),
        ("fisch", ZOE),
        ("Fischer, Zoë", ZOE),
        ("nunez", JOSE),
        ("pepe", JOSE),
        ("jose maria", JOSE),
        ("lukasz oster", LUKASZ),
        ("राम", RAM),
        ("istanbul", ISTANBUL),
        ("İSTANBUL DEPO", ISTANBUL),
        ("\uff50\uff45\uff50\uff45", JOSE),
    ],
)
def test_it_is_found(text: str, found: Named) -> None:
    assert matches(text) == [found]


@pytest.mark.parametrize("text", ["zoey", "42", "がわ", "☕", "", "  ", "fischer fischer", "A"])
def test_it_is_nobody(text: str) -> None:
    assert matches(text) == []


def test_words_of_two_people_are_no_guess() -> None:
    assert matches("zoe f") == [ZOE, FRITZ]
    with pytest.raises(ConfigurationError) as raised:
        one_of("person", "zoe f", EVERYBODY, otherwise="-")
    assert str(raised.value) == (
        "'zoe f' fits 2: Zoë Fischer (zoe@example.com, 0042, Sales), Fritz Zoeller "
        "(fritz@example.com); give more of the name, or else an e-mail address, a code or the id"
    )


def test_a_stricter_rule_goes_before_a_looser_one() -> None:
    code = Named("1", ("Site A",), ("night",))
    name = Named("2", ("Night",))
    beginning = Named("3", ("Night Shift",))
    accent = Named("4", ("Níght",))
    by_id = Named("night", ("Other",))
    assert matches("night", [beginning, accent, name, code, by_id]) == [by_id]
    assert matches("night", [beginning, accent, name, code]) == [code]
    assert matches("night", [beginning, accent, name]) == [name]
    assert matches("night", [beginning, accent]) == [accent]
    assert matches("night", [beginning]) == [beginning]


def test_a_preferred_name_is_no_more_than_a_first_name() -> None:
    pepe = Named("p", ("Pepe García",))
    assert matches("pepe", [JOSE, pepe]) == [JOSE, pepe]


def test_ids_differ_by_case() -> None:
    assert matches("aB3", [Named("aB3", ("x",)), Named("Ab3", ("y",))]) == [Named("aB3", ("x",))]


def test_candidates_are_few_and_can_be_told_apart() -> None:
    twins = [Named(f"id-{number}", ("Ann",)) for number in range(30)]
    with pytest.raises(ConfigurationError) as raised:
        one_of("project", "ann", twins, otherwise="-")
    message = str(raised.value)
    assert message.startswith("'ann' fits 30: Ann id-0, Ann id-1, ")
    assert "Ann id-7 and 22 more; give more of the name, or else a code or the id" in message
    assert "id-8" not in message


def test_names_in_errors_are_short() -> None:
    long = [Named("1", ("Ann " * 50,), ("x" * 99,)), Named("2", ("Ann B",))]
    with pytest.raises(ConfigurationError) as raised:
        one_of("person", "ann", long, otherwise="-")
    assert len(str(raised.value)) < 300


def test_nobody_has_it_but_some_have_one_like_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        one_of("person", "Zoe Fisher", EVERYBODY, otherwise="jibble list people shows them")
    assert str(raised.value) == (
        "no person fits 'Zoe Fisher'; did you mean Zoë Fischer (zoe@example.com, 0042, Sales)? "
        "(jibble list people shows them)"
    )
    with pytest.raises(ConfigurationError, match=r"^no project fits 'x' \(-\)$"):
        one_of("project", "x", [], otherwise="-")


WORDS = st.lists(st.text("abcde", min_size=1, max_size=3), min_size=1, max_size=4)


@given(WORDS, WORDS)
def test_each_word_takes_one_of_its_own(wanted: list[str], words: list[str]) -> None:
    def fits(wanted: list[str], words: list[str]) -> bool:
        if not wanted:
            return True
        return any(
            word.startswith(wanted[0]) and fits(wanted[1:], words[:at] + words[at + 1 :])
            for at, word in enumerate(words)
        )

    # An id and a name that no text of these letters can be.
    named = Named("-", (" ".join([*words, "zzz"]),))
    assert bool(matches(" ".join(wanted), [named])) is fits(wanted, [*words, "zzz"])


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_is_typed_and_called_so(text: str, name: str) -> None:
    named = Named("an id", (name,) if name.strip() else ())
    found = matches(text, [named])
    assert found in ([], [named])
    if name.strip():
        assert matches(name, [named]) == [named]
