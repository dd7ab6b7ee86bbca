"""What can be counted in a story, and how far two sets of stories lie apart in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from math import sqrt

from babi_memnet.data.records import StoryQuestion
from babi_memnet.worlds import wording

ENTITIES = {
    word.lower()
    for words in (
        wording.MARY_AND_FRIENDS,
        wording.FRED_AND_FRIENDS,
        wording.GIVERS,
        wording.FEARFUL_PEOPLE,
        wording.COLOURED_PEOPLE,
        wording.NEEDY_PEOPLE,
        wording.HOME,
        wording.TOWN,
        wording.THINGS,
        wording.CONTAINERS,
        wording.SHAPES,
        wording.PLURALS,
        wording.PLURALS.values(),
        wording.COLOURED_ANIMALS,
        wording.COLOURS,
        wording.NEEDS,
    )
    for word in words
}
ENTITY = re.compile(r"\b(" + "|".join(sorted(ENTITIES, key=len, reverse=True)) + r")\b")


def words_of(text: str) -> list[str]:
    """The words as they are counted: lower case, without punctuation."""
    return re.sub(r"[.?,]", " ", text.lower()).split()


@cache
def template_of(text: str) -> tuple[str, tuple[str, ...]]:
    """The sentence with its names, places and things taken out, and these in order."""
    text = text.lower()
    return ENTITY.sub("_", text), tuple(ENTITY.findall(text))


def stories_of(records: Iterable[StoryQuestion]) -> Iterator[list[StoryQuestion]]:
    """The questions story by story."""
    for _, story in groupby(records, key=lambda record: record.story_id):
        yield list(story)


def features_of(story: list[StoryQuestion]) -> Counter[Hashable]:
    """How often each of some hundreds of things occurs in a story: sentences, their order, who follows whom, answers,
    what supports them and how far back it is."""
    count: Counter[Hashable] = Counter()
    statements = [template_of(statement) for statement in story[-1].story]
    count["statements", len(statements) if len(statements) < 30 else len(statements) // 10 * 10] += 1
    count["questions", len(story)] += 1
    for position, (template, entities) in enumerate(statements):
        count["position", min(position, 20), template] += 1
        count.update(("entity", entity) for entity in entities)
    for (before, old), (template, new) in pairwise(statements):
        count["follows", before, template] += 1
        count["shared", template, tuple(entity in old for entity in new)] += 1
    for record in story:
        form, asked = template_of(record.question)
        told = [template_of(statement) for statement in record.story]
        back = tuple(len(record.story) - index for index in record.supporting)
        supported = [told[index] for index in record.supporting[:3]]
        count["answer", form, record.answer] += 1
        count["asked after", len(record.story) if len(record.story) < 30 else len(record.story) // 10 * 10] += 1
        count["supporting", back if len(back) < 4 else len(back)] += 1
        count["support sentences", tuple(template for template, _ in supported)] += 1
        count["support roles", tuple(tuple(entity in asked for entity in entities) for _, entities in supported)] += 1
        count[
            "answer roles", tuple(tuple(entity == record.answer for entity in entities) for _, entities in supported)
        ] += 1
        count.update(("asked", entity) for entity in asked)
    return count


def deviations(some: Iterable[StoryQuestion], others: Iterable[StoryQuestion]) -> dict[Hashable, float]:
    """For each feature the difference of its means over stories, in standard errors of that difference.

    Stories are independent of each other, their statements are not: hence means over stories. Features that occur less
    than 40 times in both together, and those that are the same in every story, are left out.
    """
    sides = [[features_of(story) for story in stories_of(records)] for records in (some, others)]
    sizes = [len(side) for side in sides]
    sums = [_sum(side, 1) for side in sides]
    squares = _sum(sides[0], 2) + _sum(sides[1], 2)
    found = {}
    for feature in squares:
        total = sums[0][feature] + sums[1][feature]
        mean = total / sum(sizes)
        variance = squares[feature] / sum(sizes) - mean**2
        if total >= 40 and variance > 1e-9:
            difference = sums[0][feature] / sizes[0] - sums[1][feature] / sizes[1]
            found[feature] = difference / sqrt(variance * (1 / sizes[0] + 1 / sizes[1]))
    return found


def _sum(counts: list[Counter[Hashable]], power: int) -> Counter[Hashable]:
    total: Counter[Hashable] = Counter()
    for count in counts:
        for feature, number in count.items():
            total[feature] += number**power
    return total
