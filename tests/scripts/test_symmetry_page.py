"""docs/inferred-symmetry.md is what the script makes of the stories."""

from __future__ import annotations

from babi_memnet.training.symmetry import Free, Group, Symmetry
from scripts.symmetry_page import PAGE, orbits, symmetry_page


def test_the_page_is_that_of_its_command() -> None:
    """Seen on tasks that take little time."""
    page = PAGE.read_text(encoding="utf-8")
    for line in symmetry_page(seed=0, tasks=(15, 17, 18)).splitlines():
        assert line in page.splitlines()


def test_every_task_has_its_line() -> None:
    """Also of so few stories that hardly a word is in enough of them."""
    lines = [line for line in symmetry_page(seed=1, questions=60).splitlines() if line.startswith("| ")]
    assert [line.split()[1] for line in lines[1:]] == [str(task) for task in range(1, 21)]
    assert all(line.count("|") == lines[0].count("|") for line in lines)


def test_orbits_join_what_maps_share() -> None:
    turn = {"n": "e", "e": "s", "s": "w", "w": "n"}
    symmetry = Symmetry((Free((("a", "b", "c"), ("x", "y", "z"))), Group((turn,))))
    assert orbits(symmetry) == {frozenset("abc"), frozenset("xyz"), frozenset("nesw")}
