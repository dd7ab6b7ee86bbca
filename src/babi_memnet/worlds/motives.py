"""Task 20: people have needs, and act on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, Task


@dataclass(frozen=True, kw_only=True)
class MotivesTask(Task):
    """Everybody is in some state, goes where it can be helped, and gets the thing that helps unless somebody has it.

    ``needs`` gives the place and the thing for each state. Every statement is followed by its question at once.
    """

    people: tuple[str, ...] = wording.NEEDY_PEOPLE
    needs: Mapping[str, tuple[str, str]] = field(default_factory=lambda: wording.NEEDS)

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        states = tuple(self.needs)
        state_of = {person: dice.choose(states) for person in self.people}
        line_of: dict[str, int] = {}
        arrived: set[str] = set()
        taken: set[str] = set()
        while True:
            able = [who for who in self.people if who not in arrived or self.needs[state_of[who]][1] not in taken]
            if not able:
                return
            who = dice.choose(able)
            state = state_of[who]
            place, thing = self.needs[state]
            if who not in line_of:
                line_of[who] = story.tell(wording.IS.format(who=who, state=state))
                question, answer = wording.WHERE_WILL, place
            elif who not in arrived:
                arrived.add(who)
                story.tell(dice.choose(wording.MOVE).format(who=who, place=place))
                question, answer = wording.WHY_GO, state
            else:
                taken.add(thing)
                story.tell(dice.choose(wording.GET).format(who=who, thing=thing) + wording.THERE)
                question, answer = wording.WHY_GET, state
            yield AskedQuestion(question.format(who=who.lower(), place=place, thing=thing), answer, (line_of[who],))
