"""Tasks 15 and 16: what a person is, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, Task


@dataclass(frozen=True, kw_only=True)
class FearsTask(Task):
    """Task 15: every kind of animal fears another kind, and everybody is some animal.

    ``plurals`` names the kinds. All of it is told, then ``questions`` people are drawn, the same ones perhaps.
    """

    people: tuple[str, ...] = wording.FEARFUL_PEOPLE
    plurals: Mapping[str, str] = field(default_factory=lambda: wording.PLURALS)
    questions: int = 4

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        kinds = tuple(self.plurals)
        feared: dict[str, tuple[str, int]] = {}
        animal_of: dict[str, tuple[str, int]] = {}
        # Drawn together and thrown away together: nobody is an animal before it has been told what that animal fears.
        while len(feared) < len(kinds) or len(animal_of) < len(self.people):
            if dice.chance(0.5):
                kind = dice.choose(kinds)
                if kind not in feared:
                    other = dice.choose_other(kinds, kind)
                    sentence = wording.ARE_AFRAID_OF.format(
                        animals=self.plurals[kind].capitalize(), feared=self.plurals[other]
                    )
                    feared[kind] = other, story.tell(sentence)
            else:
                person, kind = dice.choose(self.people), dice.choose(kinds)
                if person not in animal_of and kind in feared:
                    animal_of[person] = kind, story.tell(wording.IS_A.format(who=person, animal=kind))
        for _ in range(self.questions):
            person = dice.choose(self.people)
            kind, line = animal_of[person]
            fear, fear_line = feared[kind]
            yield AskedQuestion(wording.WHAT_FEARS.format(who=person.lower()), fear, (line, fear_line))


@dataclass(frozen=True, kw_only=True)
class ColoursTask(Task):
    """Task 16: everybody is some animal and has a colour; the one that was not told is that of another such animal.

    Stories in which the number of other such animals is not among ``others_needed`` do not occur.
    """

    people: tuple[str, ...] = wording.COLOURED_PEOPLE
    animals: tuple[str, ...] = wording.COLOURED_ANIMALS
    colours: tuple[str, ...] = wording.COLOURS
    others_needed: tuple[int, ...] = (1, 3, 4)

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        asked = None
        while asked is None:
            story.statements.clear()
            asked = self._attempt(dice, story)
        yield asked

    def _attempt(self, dice: Dice, story: Story) -> AskedQuestion | None:
        animal_of: dict[str, tuple[str, int]] = {}
        colour_of: dict[str, tuple[str, int]] = {}
        noted: dict[str, str] = {}
        unfinished = list(self.people)
        while len(story.statements) < 2 * len(self.people) - 1:
            person = dice.choose(unfinished)
            if person not in animal_of:
                animal = dice.choose(self.animals)
                animal_of[person] = animal, story.tell(wording.IS_A.format(who=person, animal=animal))
                # A new example makes the generator forget the colour: 7.5 % of stories contradict themselves.
                noted.pop(animal, None)
            else:
                animal, _ = animal_of[person]
                colour = noted.setdefault(animal, dice.choose(self.colours))
                colour_of[person] = colour, story.tell(wording.IS.format(who=person, state=colour))
                unfinished.remove(person)
        (person,) = unfinished
        animal, line = animal_of[person]
        others = [other for other in colour_of if animal_of[other][0] == animal]
        if len(others) not in self.others_needed:
            return None
        example = max(others, key=lambda other: animal_of[other][1])
        colour, colour_line = colour_of[example]
        supporting = (line, animal_of[example][1], colour_line)
        return AskedQuestion(wording.WHAT_COLOUR.format(who=person), colour, supporting)
