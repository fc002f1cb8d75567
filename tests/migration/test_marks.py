"""Marks are the same whenever they are made, and no two rows share one."""

from jibble_legacy.migration.marks import entry_key, namespace

SPACE = namespace("https://connect.jibble.io", "t1")


def test_a_mark_is_the_same_in_every_life():
    # A ledger that is lost is rebuilt from the marks over there, so they can never change.
    assert str(SPACE) == "8d90dd20-84ec-5077-be14-0c0d704c715c"
    assert entry_key(SPACE, 0, "aB12") == "264af9ea-44e5-568a-aee7-348611ed31d9"


def test_no_two_share_a_mark():
    keys = {
        entry_key(space, generation, key, revision)
        for space in (SPACE, namespace("https://connect.jibble.io", "t2"))
        for generation in (0, 1)
        for key in ("aB12", "Ab12")
        for revision in (0, 1)
    }
    assert len(keys) == 16
