"""Nested settings under dotted keys, such as ``model.hops``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested plain dicts by their dotted keys; an empty dict is a value."""
    values: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            values.update(flat(value, f"{prefix}{key}."))
        else:
            values[f"{prefix}{key}"] = value
    return values


def is_below(key: str, keys: Collection[str]) -> bool:
    """Whether a dotted key is one of ``keys``, or inside one of them as ``model.hops`` is inside ``model``."""
    return any(key == other or key.startswith(f"{other}.") for other in keys)


def without(nested: Mapping[str, Any], keys: Collection[str], prefix: str = "") -> dict[str, Any]:
    """Nested plain dicts less what has one of these dotted keys, or is below one."""
    return {
        key: without(value, keys, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in nested.items()
        if f"{prefix}{key}" not in keys
    }
