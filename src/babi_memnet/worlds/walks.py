"""Tasks 11 to 13: people walk alone or in pairs, and pronouns stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, TaskInRounds, World


@dataclass(frozen=True, kw_only=True)
class WalksTask(TaskInRounds[str]):
    """Groups of ``together`` people walk; with ``going_on`` each walk goes on to a second room, told with a pronoun.

    A clause is the name of a person: a sentence about two people gives two clauses, in the order of their names.
    """

    people: tuple[str, ...] = wording.MARY_AND_FRIENDS
    places: tuple[str, ...] = wording.HOME
    together: int
    going_on: bool

    def begin(self, dice: Dice, story: Story) -> Walks:
        return Walks(self, dice, story)


class Walks(World[str]):
    """Where everybody is, and the statements that told so."""

    def __init__(self, task: WalksTask, dice: Dice, story: Story) -> None:
        super().__init__(dice, story)
        self.task = task
        self.place_of = {person: dice.choose(task.places) for person in task.people}
        self.told_of: dict[str, tuple[int, ...]] = {}

    def go_on(self) -> None:
        if self.task.going_on:
            group, line = self._set_out()
            self._walk_on(group, line)
        else:
            self._set_out()
            self._set_out()

    def ask(self, recent: Sequence[str]) -> AskedQuestion:
        person = self.dice.choose(recent)
        question = wording.WHERE_IS_PERSON.format(who=person)
        return AskedQuestion(question, self.place_of[person], self.told_of[person])

    def _set_out(self) -> tuple[tuple[str, ...], int]:
        # Group and room are drawn together and thrown away together if somebody is in that room already, so a pair
        # that shares a room sets out again more often than others.
        while True:
            group = self.dice.choose_distinct(self.task.people, self.task.together)
            place = self.dice.choose(self.task.places)
            if all(self.place_of[person] != place for person in group):
                break
        who = group[0] if len(group) == 1 else wording.TOGETHER.format(who=group[0], whom=group[1])
        line = self._tell_move(group, who, place)
        self.told_of.update(dict.fromkeys(group, (line,)))
        return group, line

    def _walk_on(self, group: tuple[str, ...], first_line: int) -> None:
        pronoun = wording.PRONOUNS[group[0]] if len(group) == 1 else wording.PRONOUN_OF_MANY
        place = self.dice.choose_other(self.task.places, self.place_of[group[0]])
        line = self._tell_move(group, self.dice.choose(wording.NEXT).format(who=pronoun), place)
        self.told_of.update(dict.fromkeys(group, (first_line, line)))

    def _tell_move(self, group: tuple[str, ...], who: str, place: str) -> int:
        self.place_of.update(dict.fromkeys(group, place))
        self.clauses.extend(group)
        return self.story.tell(self.dice.choose(wording.MOVE).format(who=who, place=place))
