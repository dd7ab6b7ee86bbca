"""A signature names a request: what must not change it, and what must."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babi_memnet.runs.signature import signature

NAMES = st.text("abcdefgh_", min_size=1, max_size=4)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text('ab1 é."', max_size=4)
VALUES = LEAVES | st.lists(LEAVES, max_size=3)
SETTINGS = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=4),
    lambda inner: st.dictionaries(NAMES, VALUES | inner, max_size=4),
    max_leaves=12,
)

relaxed = settings(deadline=None, max_examples=60)  # other processes may keep the machine busy

DEFAULTS: dict[str, Any] = {
    "task": 1,
    "model": {"kind": "memn2n", "hops": 3, "dimension": None},
    "training": {"learning_rate": 0.01, "milestones": [25, 50, 75], "noise": True},
    "runtime": {"outputs": "outputs", "outputs_kept": 3},
}


def changed(**values: Any) -> dict[str, Any]:
    """The defaults with dotted names (written with two underscores) set to other values."""
    settings = {name: dict(value) if isinstance(value, dict) else value for name, value in DEFAULTS.items()}
    for name, value in values.items():
        *part, key = name.split("__")
        (settings[part[0]] if part else settings)[key] = value
    return settings


def reverse_order(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {key: reverse_order(settings[key]) for key in reversed(settings)}


@relaxed
@given(SETTINGS, SETTINGS)
def test_the_order_of_keys_is_nothing(settings: dict[str, Any], defaults: dict[str, Any]) -> None:
    name = signature(settings, defaults, "ab")
    assert re.fullmatch("[0-9a-f]{10}", name)
    assert signature(reverse_order(settings), reverse_order(defaults), "ab") == name


@relaxed
@given(SETTINGS, SETTINGS, VALUES)
def test_a_field_added_with_its_default_changes_nothing(
    settings: dict[str, Any], defaults: dict[str, Any], value: Any
) -> None:
    assert signature(settings | {"new": value}, defaults | {"new": value}, "ab") == signature(settings, defaults, "ab")


@relaxed
@given(SETTINGS, VALUES)
def test_ignored_keys_are_nothing(settings: dict[str, Any], value: Any) -> None:
    extended = settings | {"runtime": {"outputs": value, "deeper": {"still": value}}}
    without = {key: inner for key, inner in settings.items() if key != "runtime"}
    assert signature(extended, {}, "ab", ignored=["runtime"]) == signature(without, {}, "ab", ignored=["runtime"])


@relaxed
@given(SETTINGS)
def test_missing_keys_count_as_their_defaults(settings: dict[str, Any]) -> None:
    assert signature(settings, settings, "ab") == signature({}, settings, "ab") == signature({}, {}, "ab")


@relaxed
@given(
    st.lists(
        st.none() | st.booleans() | st.integers() | st.text("ab1.", max_size=3), min_size=2, max_size=2, unique_by=repr
    )
)
def test_different_values_have_different_signatures(values: list[Any]) -> None:
    assert signature({"a": values[0]}, {}, "ab") != signature({"a": values[1]}, {}, "ab")


@pytest.mark.parametrize(
    "settings",
    [
        changed(task=2),
        changed(task="joint"),
        changed(task=None),
        changed(model__hops=2),
        changed(model__dimension=20),
        changed(training__learning_rate=0.010000000000000002),
        changed(training__milestones=[25, 50]),
        changed(training__milestones=[50, 25, 75]),
        changed(training__milestones=[]),
        changed(training__noise=False),
        changed(training__noise=1),  # True == 1 in Python, but not in a configuration
        changed(runtime__outputs_kept=4),  # "outputs" below is no prefix of it
    ],
)
def test_a_changed_value_is_another_run(settings: dict[str, Any]) -> None:
    assert signature(settings, DEFAULTS, "ab", ignored=["runtime.outputs"]) != signature(
        DEFAULTS, DEFAULTS, "ab", ignored=["runtime.outputs"]
    )


def test_equal_numbers_are_the_same_run() -> None:
    settings = changed(model__hops=3.0, training__milestones=(25.0, 50, 75))
    assert signature(settings, DEFAULTS, "ab") == signature(DEFAULTS, DEFAULTS, "ab")


def test_other_data_is_another_run() -> None:
    assert signature(DEFAULTS, DEFAULTS, "ab") != signature(DEFAULTS, DEFAULTS, "ac")


def test_the_name_of_a_part_counts_even_when_everything_is_default() -> None:
    other = {"model": {"kind": "dmn", "hops": 3, "dimension": None}}
    assert signature(other, other, "ab") == signature(DEFAULTS, DEFAULTS, "ab")
    assert signature(other, other, "ab", always=["model.kind"]) != signature(
        DEFAULTS, DEFAULTS, "ab", always=["model.kind"]
    )


def test_the_signature_is_the_hash_of_canonical_json() -> None:
    """Pinned from the definition, so that an upgrade never renames the runs people have."""
    settings = changed(model__hops=2, training__milestones=[10.0])
    text = '{"data": "ab", "settings": {"model.hops": "2", "training.milestones": "[10]"}}'
    assert signature(settings, DEFAULTS, "ab") == hashlib.sha256(text.encode()).hexdigest()[:10]


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        signature({"a": {1, 2}}, {}, "ab")
