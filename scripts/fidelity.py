"""Write docs/fidelity.md: how far simulated stories are from the official ones.

python scripts/fidelity.py --root tasks_1-20_v1-2 --seed 0 --out docs/fidelity.md
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import cache
from itertools import groupby
from math import fsum
from pathlib import Path
from statistics import fmean
from textwrap import fill

from babi_memnet.data.babi_format import read_babi
from babi_memnet.data.generated import simulated_records
from babi_memnet.data.layout import ARCHIVE_FOLDER, find_task_folder
from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import RequestError
from babi_memnet.worlds import wording
from babi_memnet.worlds.tasks import TASKS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fidelity.md"


STATISTICS = ("sentences", "answers", "statements before a question", "supporting statements", "how far back")

# What stands for what in a sentence template; all other words are part of the template.
_KINDS: dict[str, Iterable[str]] = {
    "person": (
        *wording.MARY_AND_FRIENDS,
        *wording.FRED_AND_FRIENDS,
        *wording.GIVERS,
        *wording.FEARFUL_PEOPLE,
        *wording.COLOURED_PEOPLE,
        *wording.NEEDY_PEOPLE,
    ),
    "place": (*wording.HOME, *wording.TOWN),
    "thing": (*wording.THINGS, *(thing for _, thing in wording.NEEDS.values())),
    "container": (wording.CHOCOLATE, wording.BOX_OF_CHOCOLATES, *wording.CONTAINERS),
    "shape": wording.SHAPES,
    "animal": (*wording.PLURALS, *wording.PLURALS.values(), *wording.COLOURED_ANIMALS),
    "colour": wording.COLOURS,
    "state": wording.NEEDS,
}
_KIND_OF = {word.lower(): kind for kind, words in _KINDS.items() for word in words}
_OPEN_WORD = re.compile(r"\b(" + "|".join(sorted(_KIND_OF, key=len, reverse=True)) + r")\b")

_HEAD = """# How close generated stories are to official ones

Made by one command from the official 1k files and as many simulated questions, `data.seed={seed}`:

    python scripts/fidelity.py --root {folder} --seed {seed} --out docs/fidelity.md
"""

_LEGEND = """For each task, the total variation distance of two samples in five things: half the sum of the differences
between their shares, so 0 when both have the same shares and 1 when they have nothing in common.

| column | what is counted |
|---|---|
| sentences | statements and questions, with names, places, things, animals, colours, shapes and states taken out |
| answers | the answers as they stand in the file |
| statements before a question | how many there are |
| supporting statements | how many a question has |
| how far back | for each supporting statement; 1 is the statement just before the question |

A cell is **generated / official**: first the distance of the simulated training questions to the official training
file, then the distance of the official test file to the official training file. One generator made both official files
(but see task 15 in [Generated data](generated-data.md)), so the second number is what chance does to samples of this
size, and a first number of the same size means that there is nothing left to see. A distance of 0.03 at 1000 questions
is mostly sampling noise: it grows with the number of different values, shrinks with the square root of the number of
questions, and is larger than for independent questions, since those of one story belong together.
"""

# Rarer templates are left out of the comparison of sets: a sample of this size need not hold them.
_RARE = 0.001

_WIDTH = 120


def total_variation(some: Counter[Hashable], others: Counter[Hashable]) -> float:
    """Half the L1 distance of the shares, from 0 (the same) to 1 (nothing in common)."""
    # An exact sum: the order of a set of words differs from process to process, and the page must not.
    shares = (some[value] / some.total() - others[value] / others.total() for value in some.keys() | others.keys())
    return fsum(map(abs, shares)) / 2


@cache
def template_of(sentence: str) -> str:
    """The sentence in lower case with ``<person>``, ``<place>`` and so on for its open-class words."""
    return _OPEN_WORD.sub(lambda found: f"<{_KIND_OF[found[0]]}>", sentence.lower())


def counts(records: Sequence[StoryQuestion]) -> dict[str, Counter[Hashable]]:
    """How often each value of each of the ``STATISTICS`` occurs."""
    stories = [list(story)[-1].story for _, story in groupby(records, key=lambda record: record.story_id)]
    sentences = [statement for story in stories for statement in story] + [record.question for record in records]
    counted: tuple[Counter[Hashable], ...] = (
        Counter(map(template_of, sentences)),
        Counter(record.answer for record in records),
        Counter(len(record.story) for record in records),
        Counter(len(record.supporting) for record in records),
        Counter(len(record.story) - index for record in records for index in record.supporting),
    )
    return dict(zip(STATISTICS, counted, strict=True))


def distances(some: Sequence[StoryQuestion], others: Sequence[StoryQuestion]) -> dict[str, float]:
    """The total variation distance of two samples in each of the ``STATISTICS``."""
    left, right = counts(some), counts(others)
    return {name: total_variation(left[name], right[name]) for name in STATISTICS}


def templates_in_one(some: Sequence[StoryQuestion], others: Sequence[StoryQuestion]) -> set[Hashable]:
    """The sentence templates that only one of two samples has, and that more often than ``_RARE``."""
    left, right = (counts(records)["sentences"] for records in (some, others))
    only = left.keys() ^ right.keys()
    return {template for template in only if left[template] / left.total() + right[template] / right.total() > _RARE}


def words_of(records: Iterable[StoryQuestion]) -> set[str]:
    """All words of stories, questions and answers, in lower case."""
    texts = {text for record in records for text in (*record.story, record.question, record.answer)}
    return {word for text in texts for word in re.findall(r"\w+", text.lower())}


def fidelity_page(root: Path, seed: int) -> str:
    """The page as Markdown, for the official English 1k files in ``root``, which is or holds ``tasks_1-20_v1-2``.

    As many questions are simulated per task as its official training file has. Raises ``RequestError`` when a file or
    the folder is missing, or a file is malformed.
    """
    origin, expected = f"--root {root}", f"{ARCHIVE_FOLDER} or a folder that holds it"
    if not root.is_dir():
        raise RequestError(f"{origin}: no such folder; expected {expected}")
    folder = find_task_folder(root, "en", origin, expected)
    files = folder.files(list(TASKS))
    rows: dict[int, tuple[dict[str, float], dict[str, float]]] = {}
    in_one: dict[str, list[str]] = {"words": [], "sentence templates": []}
    for task in TASKS:
        train, test = (read_babi(files[task, split], task) for split in ("train", "test"))
        generated = list(simulated_records(task, len(train), seed, "train"))
        rows[task] = distances(generated, train), distances(test, train)
        in_one["words"] += [f"{word} (task {task})" for word in sorted(words_of(generated) ^ words_of(train))]
        templates = sorted(map(str, templates_in_one(generated, train)))
        in_one["sentence templates"] += [f"`{template}` (task {task})" for template in templates]
    head = _HEAD.format(seed=seed, folder=ARCHIVE_FOLDER)
    parts = (head, _summary(rows), _sets(in_one), _LEGEND, _table(rows))
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _table(rows: dict[int, tuple[dict[str, float], dict[str, float]]]) -> str:
    lines = [f"| task | {' | '.join(STATISTICS)} |", "|---|" + "---|" * len(STATISTICS)]
    lines += [_row(str(task), ours, official) for task, (ours, official) in rows.items()]
    means = [{name: fmean(pair[side][name] for pair in rows.values()) for name in STATISTICS} for side in (0, 1)]
    return "\n".join([*lines, _row("mean", *means)])


def _row(label: str, ours: dict[str, float], official: dict[str, float]) -> str:
    cells = (f"{_shown(ours[name])} / {_shown(official[name])}" for name in STATISTICS)
    return f"| {label} | {' | '.join(cells)} |"


def _shown(distance: float) -> str:
    return f"{distance:.3f}" if distance else "0"


def _summary(rows: dict[int, tuple[dict[str, float], dict[str, float]]]) -> str:
    pairs = [(ours[name], official[name]) for ours, official in rows.values() for name in STATISTICS]
    differing = [(ours, official) for ours, official in pairs if ours or official]
    nearer = sum(ours < official for ours, official in differing)
    excess = max(ours - official for ours, official in pairs)
    text = (
        f"Of the {len(differing)} cells below that are not 0 on both sides, the generated questions are nearer to the "
        f"official training file than the official test file is in {nearer}; where they are farther, it is by "
        f"{excess:.3f} at most."
    )
    return fill(text, _WIDTH)


def _sets(in_one: dict[str, list[str]]) -> str:
    found = (f"{what}: {', '.join(items) or 'none'}" for what, items in in_one.items())
    text = (
        "What only the official or only the generated training questions have (templates rarer than 1 in 1000 apart): "
        f"{'; '.join(found)}."
    )
    return fill(text, _WIDTH)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare simulated stories with the official ones and write the page.")
    parser.add_argument("--root", type=Path, required=True, help="tasks_1-20_v1-2, or a folder that holds it")
    parser.add_argument("--seed", type=int, default=0, help="data.seed of the simulated stories (default 0)")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write (default docs/fidelity.md)")
    given = parser.parse_args()
    try:
        page = fidelity_page(given.root, given.seed)
    except RequestError as error:
        sys.exit(f"fidelity.py: {error}")
    given.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
