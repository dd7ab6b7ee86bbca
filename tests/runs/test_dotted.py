"""Nested settings under dotted keys."""

from __future__ import annotations

from babi_memnet.runs.dotted import flat, is_below


def test_nested_values_have_dotted_keys() -> None:
    nested = {"task": 1, "model": {"hops": 3, "inner": {"list": [1, {"a": 2}]}}, "nothing": {}, "none": None}
    assert flat(nested) == {
        "task": 1,
        "model.hops": 3,
        "model.inner.list": [1, {"a": 2}],
        "nothing": {},
        "none": None,
    }


def test_a_key_is_below_itself_and_what_stands_before_a_dot() -> None:
    assert is_below("tracker", ["tracker"])
    assert is_below("tracker.mode", ["data", "tracker"])
    assert not is_below("tracker_mode", ["tracker"])
    assert not is_below("tracker", ["tracker.mode"])
    assert not is_below("tracker", [])
