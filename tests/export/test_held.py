"""The rows of parts, less what a sweep replaced; compared with a plain list of rows."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ExportError, Group
from jibble_async.core.pages import RawRow
from jibble_async.export.journal import held as held_module
from jibble_async.export.journal.held import HeldParts
from jibble_async.export.journal.parts import PartWriter, kept
from jibble_async.export.proof.verdicts import SweptRow
from jibble_async.export.sinks.json_lines import JsonLinesSink


def raw(key: str, note: str = "") -> RawRow:
    return key, msgspec.Raw(msgspec.json.encode({"id": key, "note": note}))


def swept(key: str, *, in_scope: bool = True, note: str = "new") -> SweptRow:
    return SweptRow(key, "2026-07-01T00:00:00Z", in_scope, raw(key, note)[1])


def part_of(path: Path, keys: list[str]) -> tuple[Path, int]:
    writer = PartWriter(path, JsonLinesSink(Group))
    writer.append([raw(key) for key in keys])
    writer.finish()
    return path, len(keys)


def held_of(folder: Path, *parts: list[str]) -> HeldParts:
    written = [part_of(folder / f"{number}.jsonl", keys) for number, keys in enumerate(parts)]
    return HeldParts(written, folder / "swept.rows", folder / "all.jsonl")


def test_rows_are_counted_over_all_parts(tmp_path: Path) -> None:
    assert held_of(tmp_path, ["a", "b"], ["c"], []).count() == 3
    assert held_of(tmp_path).count() == 0


def test_a_swept_row_takes_the_place_of_every_copy(tmp_path: Path) -> None:
    held = held_of(tmp_path, ["a", "b"], ["a", "c"])
    held.replace([swept("a")])
    assert held.count() == 3
    held.replace([swept("a", note="newer"), swept("d")])
    assert held.count() == 4
    assert [bytes(each) for _, each in held.in_scope()] == [
        b'{"id":"a","note":"newer"}',
        b'{"id":"d","note":"new"}',
    ]
    assert [*kept(tmp_path / "0.jsonl", held.gone)] == [False, True]
    assert [*kept(tmp_path / "1.jsonl", held.gone)] == [False, True]
    held.close()


def test_a_row_that_went_out_of_scope_is_gone(tmp_path: Path) -> None:
    held = held_of(tmp_path, ["a", "b"])
    held.replace([swept("a")])
    held.replace([swept("a", in_scope=False)])
    assert (held.count(), [*held.in_scope()]) == (1, [])
    held.close()


def test_rows_that_are_not_present_are_dropped_and_counted(tmp_path: Path) -> None:
    held = held_of(tmp_path, ["a", "b", "c"], ["a", "d"])
    held.replace([swept("d"), swept("e"), swept("f", in_scope=False)])
    assert held.retain({"b", "d"}.__contains__) == 4
    assert held.count() == 2
    assert held.retain({"b", "d"}.__contains__) == 0
    assert [key for key, _ in held.in_scope()] == ["d"]
    held.close()


@pytest.mark.parametrize("key", ['a"b', "a\nb", "Zo\u00eb", "", "a\\", "\u2028"])
def test_any_text_is_an_id(tmp_path: Path, key: str) -> None:
    held = held_of(tmp_path, [key, "z"])
    held.replace([swept(key, in_scope=False)])
    assert held.count() == 1
    assert held.retain(lambda each: each != "z") == 1
    held.close()


KEYS = st.sampled_from("abcdefgh")
STEPS = st.one_of(
    st.lists(st.tuples(KEYS, st.booleans()), max_size=4),
    st.frozensets(KEYS),
)


@given(parts=st.lists(st.lists(KEYS, max_size=5), max_size=3), steps=st.lists(STEPS, max_size=6))
def test_it_holds_what_a_list_would(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[list[str]],
    steps: list[list[tuple[str, bool]] | frozenset[str]],
) -> None:
    held = held_of(tmp_path_factory.mktemp("held"), *parts)
    model = Counter(key for keys in parts for key in keys)
    for step in steps:
        if isinstance(step, frozenset):
            away = {key: rows for key, rows in model.items() if key not in step}
            assert held.retain(step.__contains__) == sum(away.values())
            model = Counter({key: rows for key, rows in model.items() if key in step})
        else:
            held.replace([swept(key, in_scope=in_scope) for key, in_scope in step])
            model.update(dict.fromkeys((key for key, _ in step), 0))
            for key, in_scope in step:
                model[key] = int(in_scope)
        assert held.count() == sum(model.values())
    left = Counter(key for key, _ in held.in_scope())
    for number, keys in enumerate(parts):
        flags = kept(held._parts[number][0], held.gone)
        left.update(key for key, flag in zip(keys, flags, strict=True) if flag)
    assert left == +model
    held.close()


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    held = held_of(tmp_path, ["a"])
    monkeypatch.setattr(held_module, "make_private", full)
    with pytest.raises(ExportError, match=r"all\.jsonl could not be written: No space left"):
        held.replace([swept("a")])
    held.close()
