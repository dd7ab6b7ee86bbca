"""When networks answered that decide so themselves, as a table to read."""

from __future__ import annotations

from collections.abc import Sequence

from babi_memnet.looking.answers import Record
from babi_memnet.tables.numbers import mean_and_deviation, percent, rounded
from babi_memnet.tables.sheet import Sheet

_LEGEND = (
    "steps: hops, or picks of a fact or STOP, before the answer; of two memories those of both; means over restarts ±",
    "error with 1, 2, ... hops allowed: percent of wrong answers if the network had to answer then, mean over restarts",
)


_HEADER = ("networks", "task", "supporting facts:\nsteps taken", "of", "saved", "error with 1, 2, ...\nsteps allowed")


def stopping_sheet(hops: Sequence[Record], allowed: Sequence[Record], title: str) -> Sheet:
    """One row per label and task, from the records of `looking.stopping`."""
    rows = []
    for of_one in dict.fromkeys((record["label"], record["task"]) for record in hops):
        of_facts, within = (
            [record for record in records if (record["label"], record["task"]) == of_one] for records in (hops, allowed)
        )
        asked = sum(record["questions"] for record in of_facts)
        mean = sum(record["questions"] * record["mean"] for record in of_facts) / asked
        taken = [mean_and_deviation(record["mean"], record["standard_deviation"]) for record in of_facts]
        by_facts = "; ".join(f"{record['facts']}: {text}" for record, text in zip(of_facts, taken, strict=True))
        errors = " ".join(rounded(record["mean"]) for record in within)
        steps = of_facts[0]["steps"]
        rows.append((of_one[0], str(of_one[1]), by_facts, str(steps), percent(1 - mean / steps), errors))
    return Sheet(title, _HEADER, tuple(rows), notes=_LEGEND)
