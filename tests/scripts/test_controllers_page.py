"""The page on controllers shows what is kept of its runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from scripts.controllers_page import PAGE, kept, table

HOPS, _ = kept("memn2n")


def test_the_table_is_that_of_the_kept_records() -> None:
    assert f"<!-- table -->\n{table()}<!-- end of table -->" in PAGE.read_text()


@pytest.mark.parametrize("controller", ["reinforce", "act"])
def test_the_kept_records_are_of_ten_restarts_and_three_tasks(controller: str) -> None:
    of_one = [record for record in HOPS if f"controller={controller}" in record["label"]]
    assert [(record["task"], record["facts"], record["restarts"]) for record in of_one] == [
        (1, "1", 10),
        (2, "2", 10),
        (3, "3", 10),
    ]


def test_a_decision_learned_by_reward_takes_more_hops_for_more_facts() -> None:
    """The page says that the 95 % intervals do not touch."""
    learned = [record for record in HOPS if "controller=reinforce" in record["label"]]
    for fewer, more in pairwise(learned):
        assert fewer["high"] < more["low"]


def test_the_writing_memory_takes_no_more_hops_for_three_facts_than_for_two() -> None:
    """As the page says; five restarts, the hops of both memories."""
    hops, _ = kept("writing_memory")
    assert {(record["restarts"], record["steps"]) for record in hops} == {(5, 8)}
    one, two, three = hops
    assert one["high"] < two["low"]
    assert three["low"] < two["high"]
