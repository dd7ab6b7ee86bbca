"""The twenty bAbI tasks of Weston et al. (2015, arXiv:1502.05698), each as one definition."""

from __future__ import annotations

from babi_memnet.worlds import house_questions as ask
from babi_memnet.worlds import wording
from babi_memnet.worlds.animals import ColoursTask, FearsTask
from babi_memnet.worlds.day import DayTask
from babi_memnet.worlds.house import HouseTask, drop, get, give, move
from babi_memnet.worlds.maps import NeighboursTask, PathTask, PositionsTask
from babi_memnet.worlds.motives import MotivesTask
from babi_memnet.worlds.sizes import SizesTask
from babi_memnet.worlds.story import Task
from babi_memnet.worlds.walks import WalksTask
from babi_memnet.worlds.whereabouts import (
    WhereaboutsTask,
    said_to_be_in_either,
    said_to_be_there,
    said_to_have_left,
    seen_to_go,
)

TASKS: dict[int, Task] = {
    # single supporting fact
    1: HouseTask(kinds=(move,), question=ask.where_is_the_person),
    # two supporting facts
    2: HouseTask(kinds=(move, get, drop), question=ask.where_is_the_thing),
    # three supporting facts
    3: HouseTask(kinds=(move, get, drop), question=ask.where_was_the_thing, say_where_got=0.2),
    # two argument relations
    4: NeighboursTask(),
    # three argument relations
    5: HouseTask(people=wording.GIVERS, kinds=(move, get, drop, give), question=ask.about_the_gift),
    # yes/no questions
    6: HouseTask(kinds=(move, get, drop), question=ask.is_the_person_there),
    # counting
    7: HouseTask(kinds=(move, get, drop, give), question=ask.how_many_things),
    # lists and sets
    8: HouseTask(kinds=(move, get, drop), question=ask.which_things),
    # simple negation
    9: WhereaboutsTask(tellings=(seen_to_go, seen_to_go, said_to_be_there, said_to_have_left)),
    # indefinite knowledge
    10: WhereaboutsTask(
        people=wording.FRED_AND_FRIENDS,
        places=wording.TOWN,
        tellings=(seen_to_go, seen_to_go, said_to_be_there, said_to_be_in_either),
    ),
    # basic coreference
    11: WalksTask(together=1, going_on=True),
    # conjunction
    12: WalksTask(together=2, going_on=False),
    # compound coreference
    13: WalksTask(together=2, going_on=True),
    # time reasoning
    14: DayTask(),
    # basic deduction
    15: FearsTask(),
    # basic induction
    16: ColoursTask(),
    # positional reasoning
    17: PositionsTask(),
    # size reasoning
    18: SizesTask(),
    # path finding
    19: PathTask(),
    # agents' motivations
    20: MotivesTask(),
}
