"""What a field of the settings says about itself: that it cannot change the result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

_KEY = "without_effect"

BOOKKEEPING: Mapping[str, str] = {_KEY: "bookkeeping"}
"""Metadata of a field that says where things are, who watches, what is kept: no difference between runs to show."""

EXECUTION: Mapping[str, str] = {_KEY: "execution"}
"""Metadata of a field that says with what a result is computed, as the device or the number of threads."""


def marked(settings: Any, *marks: Mapping[str, str]) -> list[str]:
    """The names of the fields of a dataclass whose metadata is one of ``marks``.

    ``settings`` is the class or an instance; of an instance also the dotted names of the marked fields of the
    dataclasses that it holds.
    """
    names = []
    kinds = {mark[_KEY] for mark in marks}
    for field in fields(settings):
        part = None if isinstance(settings, type) else getattr(settings, field.name)
        if field.metadata.get(_KEY) in kinds:
            names.append(field.name)
        elif is_dataclass(part):
            names += [f"{field.name}.{name}" for name in marked(part, *marks)]
    return names
