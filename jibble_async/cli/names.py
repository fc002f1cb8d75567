"""Which of several things is meant by a name, as people type it."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from jibble_async.errors import ConfigurationError

__all__ = ["Named", "best_matches", "one_of"]

_SHOWN = 8
"""Candidates in an error; `jibble list` has all."""
_LENGTH = 60
"""Characters of a name in an error."""
_CLOSE = 3
"""Names that somebody may have meant by one that nobody has."""
_LIKE = 0.7
"""How much of two names is the same, from 0 to 1, for one to be meant by the other."""

# Letters that no decomposition leads to, as those do who have no such keyboard.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# The accents of Latin, Greek and Cyrillic. Other scripts write vowels with such marks.
_ACCENTS = dict.fromkeys(range(0x300, 0x370))


@dataclass(frozen=True)
class Named:
    """Something that has a name.

    Attributes:
        id: Its id.
        names: What it is called; what stands behind the first, such as a preferred name, counts for
            no more than a word of it, since others may be called so by their first name.
        keys: What nothing else should have: an e-mail address, a code.
        notes: What else tells it from others, such as a person's group.
    """

    id: str
    names: tuple[str, ...]
    keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """It for an error, such as `Zoë Fischer (zoe@example.com, Sales)`."""
        more = ", ".join(_short(each) for each in (*self.keys, *self.notes))
        name = _short(self.names[0] if self.names else self.id)
        return f"{name} ({more})" if more else name


def one_of(kind: str, text: str, among: Sequence[Named], *, otherwise: str) -> Named:
    """The one thing that is meant; what fits several is an error, never a guess.

    Args:
        kind: What is looked for, such as `person`.
        text: What was typed.
        among: All that there are.
        otherwise: What to do about it if none fits, for the error.

    Raises:
        ConfigurationError: None fits, or several do; with those that come near.
    """
    found = best_matches(text, among)
    if len(found) == 1:
        return found[0]
    if not found:
        near = _near(text, among)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigurationError(f"no {kind} fits {text!r}{meant} ({otherwise})")
    raise ConfigurationError(
        f"{text!r} fits {len(found)}: {_candidates(found)}; give more of the name, or else "
        f"{'an e-mail address, ' if kind == 'person' else ''}a code or the id"
    )


def best_matches(text: str, among: Iterable[Named]) -> list[Named]:
    """Those that fit by the strictest rule that any of them fits by.

    The rules, strictest first: the id; an e-mail address or code; the name, in any case; the name
    without its accents; words that begin those of the name, in any order. So `zoe f` is Zoë
    Fischer, unless there is a Fritz Zoeller, too, whose it could be as well.

    Args:
        text: What was typed.
        among: All that there are.
    """
    known = list(among)
    for rule in _RULES:
        fits = rule(text)
        found = [each for each in known if fits(each)]
        if found:
            return found
    return []


_Rule: TypeAlias = Callable[[str], Callable[[Named], bool]]


def _by_id(text: str) -> Callable[[Named], bool]:
    wanted = text.strip()
    # Those of the old API differ by case.
    return lambda each: each.id == wanted


def _by_key(text: str) -> Callable[[Named], bool]:
    wanted = _folded(text)
    return lambda each: bool(wanted) and any(wanted == _folded(key) for key in each.keys)


def _by_name(text: str) -> Callable[[Named], bool]:
    wanted = _folded(text)
    return lambda each: bool(wanted) and any(wanted == _folded(name) for name in each.names[:1])


def _by_plain_name(text: str) -> Callable[[Named], bool]:
    wanted = _plain(text)
    return lambda each: bool(wanted) and any(wanted == _plain(name) for name in each.names[:1])


def _by_words(text: str) -> Callable[[Named], bool]:
    wanted = sorted(_words(text), key=len, reverse=True)
    return lambda each: (
        bool(wanted) and any(_all_begin(wanted, _words(name)) for name in each.names)
    )


_RULES: tuple[_Rule, ...] = (_by_id, _by_key, _by_name, _by_plain_name, _by_words)


def _all_begin(wanted: Iterable[str], words: list[str]) -> bool:
    """Whether each begins a word of its own; the longest come first.

    A word that a longer text begins is taken by it; what a shorter one could begin, which is all
    of those and more, is then as good as any other. So nothing needs to be tried twice.
    """
    for text in wanted:
        word = next((word for word in words if word.startswith(text)), None)
        if word is None:
            return False
        words.remove(word)
    return True


def _folded(text: str) -> str:
    """The text in one case, one spelling and with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", _decomposed(text)).split())


def _plain(text: str) -> str:
    """The same without accents."""
    plain = _decomposed(text).translate(_PLAIN_LETTERS).translate(_ACCENTS)
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def _decomposed(text: str) -> str:
    if text.isascii():
        return text.casefold()
    # Folding a case may make what is to be decomposed, and what was decomposed may have a case.
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _words(text: str) -> list[str]:
    # By categories: a vowel sign of Hindi is a mark, and no end of a word.
    return "".join(
        each if unicodedata.category(each)[0] in "LMN" else " " for each in _plain(text)
    ).split()


def _short(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"


def _near(text: str, among: Iterable[Named]) -> list[str]:
    by_name: dict[str, str] = {_plain(name): each.label for each in among for name in each.names}
    close = difflib.get_close_matches(_plain(text), by_name, _CLOSE, _LIKE)
    return [by_name[name] for name in close]


def _candidates(found: Sequence[Named]) -> str:
    alike = Counter(each.label for each in found)
    shown = [
        f"{each.label} {each.id}" if alike[each.label] > 1 else each.label
        for each in found[:_SHOWN]
    ]
    rest = len(found) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
