"""Task 14: moves at four times of a day, told out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, TaskInRounds, World


@dataclass(slots=True)
class Visit:
    """The visit number ``turn`` (0-based) of ``person``; ``line`` is known once it has been told."""

    person: str
    turn: int
    place: str
    line: int = -1


@dataclass(frozen=True, kw_only=True)
class DayTask(TaskInRounds[Visit]):
    """The first visit of everybody is at the first of ``times``, the second at the second, and so on."""

    people: tuple[str, ...] = wording.FRED_AND_FRIENDS
    places: tuple[str, ...] = wording.TOWN
    times: tuple[str, ...] = wording.TIMES

    def begin(self, dice: Dice, story: Story) -> Day:
        return Day(self, dice, story)


class Day(World[Visit]):
    """The visits of everybody. Those since the last question wait until the next one to be told in another order."""

    def __init__(self, task: DayTask, dice: Dice, story: Story) -> None:
        super().__init__(dice, story)
        self.task = task
        self.visits_of: dict[str, list[Visit]] = {person: [] for person in task.people}
        self.untold: list[Visit] = []

    def go_on(self) -> None:
        for _ in range(2):
            free = [person for person in self.task.people if len(self.visits_of[person]) < len(self.task.times)]
            person = self.dice.choose(free)
            earlier = self.visits_of[person]
            place = self.dice.choose_other(self.task.places, earlier[-1].place if earlier else "")
            visit = Visit(person, len(earlier), place)
            earlier.append(visit)
            self.untold.append(visit)
            self.clauses.append(visit)

    def ask(self, recent: Sequence[Visit]) -> AskedQuestion | None:
        # "Before the park" means the last visit to the park so far, also when an earlier one was drawn.
        possible = [last for last in map(self._last_visit, recent) if last.turn > 0]
        if not possible:
            return None
        for visit in self.dice.shuffled_cyclically(self.untold):
            visit.line = self._tell(visit)
        self.untold.clear()
        visit = self.dice.choose(possible)
        before = self.visits_of[visit.person][visit.turn - 1]
        question = wording.WHERE_WAS_PERSON.format(who=visit.person, place=visit.place)
        return AskedQuestion(question, before.place, (visit.line, before.line))

    def _last_visit(self, visit: Visit) -> Visit:
        """The last visit of the same person to the same place."""
        return next(other for other in reversed(self.visits_of[visit.person]) if other.place == visit.place)

    def _tell(self, visit: Visit) -> int:
        sentence = self.dice.choose(wording.MOVE)
        time = self.task.times[visit.turn]
        if self.dice.chance(0.5):
            return self.story.tell(sentence.format(who=f"{time.capitalize()} {visit.person}", place=visit.place))
        return self.story.tell(sentence.format(who=visit.person, place=f"{visit.place} {time}"))
