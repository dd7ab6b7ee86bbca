"""Write docs/inferred-symmetry.md: what is inferred of the twenty tasks, beside what a person would list.

python scripts/symmetry_page.py --seed 0 --out docs/inferred-symmetry.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import to_dataset
from babi_memnet.encoding.questions import build_encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.paths import symmetry_path
from babi_memnet.tasks import TITLES
from babi_memnet.training.declared import fitted, read_declared
from babi_memnet.training.inferred import FEWEST_STORIES, P_VALUE, Inference, infer
from babi_memnet.training.symmetry import Free, Group, Symmetry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "inferred-symmetry.md"

_QUESTIONS = 900

_HEAD = """# What is inferred of the twenty tasks

What `training.symmetry=inferred` ([symmetry](symmetry.md)) finds in {questions} generated training questions of each
task, `data.seed={seed}`, with `tokenizer=merged`. Made by one command:

    python scripts/symmetry_page.py --seed {seed} --out docs/inferred-symmetry.md

Words in one pair of brackets are exchanged in any order. A group has few maps, each of which moves all of its words at
once. Beside it stands what a person would list and the tests do not find (-), and what they find and a person did not
list (+). Of all maps that were tested the table says how many hold, the smallest p-value among them, how many were
refused, and the largest p-value among those. Maps are refused below {p_value:g}, and words of fewer than {fewest}
stories are not exchanged.

| task | exchanged | unlike conf/symmetry/babi.yaml | maps that hold | smallest p | refused | largest p |
|---|---|---|---:|---:|---:|---:|
"""


def orbits(symmetry: Symmetry) -> set[frozenset[str]]:
    """The sets of words that maps take to each other."""
    found: list[frozenset[str]] = []
    for words in symmetry.generators():
        for pair in words.items():
            met = [orbit for orbit in found if orbit & set(pair)]
            found = [orbit for orbit in found if orbit not in met] + [frozenset(pair).union(*met)]
    return {orbit for orbit in found if len(orbit) > 1}


def _told(part: Free | Group) -> str:
    if isinstance(part, Free):
        return " with ".join(f"({' '.join(words)})" for words in part.lists)
    words = sorted(orbits(Symmetry((part,))), key=sorted)
    return f"group of {len(part.maps) + 1}: " + " with ".join(f"({' '.join(sorted(orbit))})" for orbit in words)


def _unlike(found: Symmetry, listed: Symmetry) -> Iterator[str]:
    for sign, some, others in (("-", listed, found), ("+", found, listed)):
        covered = orbits(others)
        for orbit in sorted(orbits(some), key=sorted):
            if not any(orbit <= other for other in covered):
                yield f"{sign} ({' '.join(sorted(orbit))})"


def row(task: int, inference: Inference, listed: Symmetry) -> str:
    """The line of a task in the table."""
    held = [verdict.p for verdict in inference.verdicts if verdict.holds]
    refused = [verdict.p for verdict in inference.verdicts if not verdict.holds]
    cells = (
        f"{task} {TITLES[task]}",
        ", ".join(map(_told, inference.symmetry.parts)),
        ", ".join(_unlike(inference.symmetry, listed)),
        str(len(held)),
        f"{min(held):.1g}" if held else "",
        str(len(refused)),
        f"{max(refused):.1g}" if refused else "",
    )
    return f"| {' | '.join(cells)} |"


def symmetry_page(seed: int, questions: int = _QUESTIONS, tasks: Iterable[int] = TITLES) -> str:
    """The whole page, or that of a few tasks."""
    listed = read_declared(symmetry_path("babi"))
    rows = []
    for task in tasks:
        columns = to_dataset(list(simulated_records(task, questions, seed, "train")), "generated").to_dict()
        vocabulary = build_encoder(TokenizerSettings(merge=True), columns, columns, None).vocabulary
        inference = infer(columns, range(questions), vocabulary)
        rows.append(row(task, inference, fitted(listed[str(task)], vocabulary)))
    head = _HEAD.format(seed=seed, questions=questions, p_value=P_VALUE, fewest=FEWEST_STORIES)
    return head + "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Infer the symmetries of generated stories and write the page.")
    parser.add_argument("--seed", type=int, default=0, help="data.seed of the stories (default 0)")
    parser.add_argument(
        "--questions", type=int, default=_QUESTIONS, help=f"training questions per task (default {_QUESTIONS})"
    )
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write (default docs/inferred-symmetry.md)")
    given = parser.parse_args()
    given.out.write_text(symmetry_page(given.seed, given.questions), encoding="utf-8")


if __name__ == "__main__":
    main()
