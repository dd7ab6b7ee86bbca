"""From the wording of a question to who can answer it."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.worlds.solver import belongings, people, properties, surroundings
from tests.worlds.solver.reading import Reading

QUESTIONS: list[tuple[str, Callable[..., list[Reading]]]] = [
    (r"Where is ([A-Z]\w+)", people.where_is_person),
    (r"Where is the (\w+)", people.where_is_thing),
    (r"Where was the (\w+) before the (\w+)", people.where_was_thing),
    (r"Where was ([A-Z]\w+) before the (\w+)", people.where_was_person),
    (r"Is ([A-Z]\w+) in the (\w+)", people.is_person_in),
    (r"What did (\w+) give to (\w+)", belongings.what_gave),
    (r"Who gave the (\w+)(?: to (\w+))?", belongings.who_gave),
    (r"Who received the (\w+)", belongings.who_received),
    (r"Who did (\w+) give the (\w+) to", belongings.to_whom),
    (r"How many objects is (\w+) carrying", belongings.how_many),
    (r"What is (\w+) carrying", belongings.what_carries),
    (r"What is (north|south|east|west) of the (\w+)", surroundings.what_lies),
    (r"What is the (\w+) (north|south|east|west) of", surroundings.what_lies_beyond),
    (r"Is the (.+) (above|below|to the left of|to the right of) the (.+)", surroundings.does_stand),
    (r"How do you go from the (\w+) to the (\w+)", surroundings.which_way),
    (r"Is the (.+) bigger than the (.+)", surroundings.is_bigger),
    (r"Does the (.+) fit in the (.+)", lambda story, small, large: surroundings.is_bigger(story, large, small)),
    (r"What is (\w+) afraid of", properties.what_fears),
    (r"What color is (\w+)", properties.what_colour),
    (r"Where will (\w+) go", properties.where_will),
    (r"Why did (\w+) (?:go to|get) the \w+", properties.why),
]
COMPILED = [(re.compile(pattern + r"\?"), answer) for pattern, answer in QUESTIONS]


def solve(story: tuple[str, ...], question: str) -> list[Reading]:
    """The readings of ``question`` after ``story``, the likeliest first; empty if the story does not tell.

    Raises ``ValueError`` for a question or a statement that has none of the known forms.
    """
    for pattern, answer in COMPILED:
        found = pattern.fullmatch(question)
        if found:
            return answer(story, *found.groups())
    raise ValueError(f"not understood: {question}")
