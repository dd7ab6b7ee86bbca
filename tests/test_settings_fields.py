"""Fields that say about themselves that they cannot change a result."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.settings_fields import BOOKKEEPING, EXECUTION, expect_within_measure, marked


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


@dataclass
class Rates:
    rate: float = 0.1
    count: int | None = 3
    on: bool = True


@dataclass
class Holder:
    rates: Rates
    seed: int = 0


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (Holder(Rates(rate=float("nan"))), "training.rates.rate=nan: expected a finite number"),
        (Holder(Rates(rate=float("inf"))), "training.rates.rate=inf: expected a finite number"),
        (Holder(Rates(count=10**20)), f"training.rates.count={10**20}: expected a whole number of at most 1000000000"),
        (
            Holder(Rates(count=-(10**5000))),
            "training.rates.count=a number of 5001 digits: expected a whole number of at most 1000000000",
        ),
        (Holder(Rates(), seed=2**63), f"training.seed={2**63}: expected a whole number of at most {2**63 - 1}"),
    ],
)
def test_numbers_beyond_measure_are_refused(settings: Holder, line: str):
    expect_within_measure(Holder(Rates(count=None), seed=2**62), "training.")
    with pytest.raises(RequestError) as caught:
        expect_within_measure(settings, "training.")
    assert str(caught.value) == line
