"""Fields that say about themselves that they cannot change a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from babi_memnet.settings_fields import BOOKKEEPING, EXECUTION, marked


@dataclass
class Inner:
    size: int = 1
    folder: str = field(default="here", metadata=BOOKKEEPING)


@dataclass
class Outer:
    watcher: object = field(metadata=BOOKKEEPING)
    cores: int = field(default=2, metadata=EXECUTION)
    inner: Inner = field(default_factory=Inner)
    documented: int = field(default=0, metadata={"help": "no mark"})


def test_a_class_names_its_own_marked_fields() -> None:
    assert marked(Outer, BOOKKEEPING) == ["watcher"]
    assert marked(Outer, BOOKKEEPING, EXECUTION) == ["watcher", "cores"]
    assert marked(Outer) == []


def test_an_instance_also_names_those_of_what_it_holds() -> None:
    assert marked(Outer(watcher=Inner()), BOOKKEEPING) == ["watcher", "inner.folder"]
    assert marked(Outer(watcher=None), EXECUTION) == ["cores"]
