"""What is searched over, from the words of the command line."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from babi_memnet.commands.search import space_of
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import SCHEMAS, choices_of, register
from babi_memnet.errors import RequestError
from babi_memnet.paths import conf_directory
from babi_memnet.search.settings import SearchSettings
from babi_memnet.search.space import Choice, Interval, Space, Steps
from babi_memnet.settings import Settings


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a.b=1,2,x", Choice("a.b", ("1", "2", "x"))),
        ("a.b=choice(1,2,1)", Choice("a.b", ("1", "2"))),
        ("a.b=[1,2],null", Choice("a.b", ("[1,2]", "null"))),
        ("a.b=range(1,4)", Steps("a.b", (1, 2, 3))),
        ("a.b=range(9,0,-4)", Steps("a.b", (1, 5, 9))),
        ("a.b=range(0.1,0.5,step=0.1)", Steps("a.b", (0.1, 0.2, 0.3, 0.4))),
        ("a.b=interval(1,4)", Interval("a.b", 1.0, 4.0)),
        ("a.b=int(interval(1,4))", Interval("a.b", 1, 4, whole=True)),
        ("a.b=tag(log,interval(0.001,0.1))", Interval("a.b", 0.001, 0.1, log=True)),
    ],
)
def test_what_is_swept_is_searched(word: str, expected: object) -> None:
    fixed, space = space_of([], ["task=2", word, "+c.d='a, b'"], None)
    assert space.dimensions == (expected,)
    assert fixed == ["task=2", "+c.d='a, b'"]


def test_the_command_line_comes_on_top_of_the_file() -> None:
    fixed, space = space_of(["a.b=1,2", "c.d=1,2", "e.f=1,2"], ["a.b=3", "c.d=range(4)", "task=1"], None)
    assert fixed == ["a.b=3", "task=1"]
    assert space.keys == ["c.d", "e.f"]
    assert space.dimensions[0] == Steps("c.d", (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("task=2", "hydra/sweeper=search: expected a key to search over, such as training.learning_rate="),
        ("a.b=interval(2,1)", "a.b=interval(2.0,1.0): expected two numbers, the lower one first"),
        ("a.b=interval(1,1)", "a.b=interval(1.0,1.0): expected two numbers, the lower one first"),
        ("a.b=tag(log,interval(0,1))", "a.b=tag(log,interval(0.0,1.0)): expected numbers above 0"),
        ("a.b=tag(logg,interval(1,2))", "a.b=tag(logg,interval(1,2)): expected no tag but log"),
        ("a.b=tag(log,choice(1,2))", "a.b=tag(log,choice(1,2)): expected no tag but log"),
        ("a.b=range(5,5)", "a.b=range(5,5): expected a range with at least one value"),
    ],
)
def test_a_space_that_is_none_gets_one_line(word: str, expected: str) -> None:
    with pytest.raises(RequestError) as refused:
        space_of([], [word], None)
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


def test_a_grid_has_every_combination_once_and_no_interval() -> None:
    _, space = space_of([], ["a=1,2", "b=range(3)"], None)
    points = [tuple(point.values()) for point in space.grid()]
    assert points == list(product(("1", "2"), (0, 1, 2)))
    _, space = space_of([], ["a=1,2", "b=interval(0,1)"], None)
    with pytest.raises(RequestError, match=r"^b=interval\(0.0,1.0\): expected choice\(...\) or range\(...\)"):
        space.grid()


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [
        ("a=10,20,null,'x y'", [10, 20.0, None, "x y"], [11, "20s", True, "y"]),
        ("a=true,false", [True, False], [1, 0, None]),
        ("a=range(0.1,0.5,0.1)", [0.1, 0.3], [0.5, 0.15, None]),
        ("a=interval(0,1)", [0, 0.5, 1.0], [1.01, None, True, "0.5"]),
        ("a=int(interval(10,50))", [10, 20, 50], [9, 20.5, None]),
    ],
)
def test_which_configured_values_a_space_has(word: str, inside: list[object], outside: list[object]) -> None:
    (dimension,) = space_of([], [word], None)[1].dimensions
    assert None not in [dimension.holding(value) for value in inside]
    assert {dimension.holding(value) for value in outside} == {None}


def test_what_is_drawn_can_be_written_down_and_stays_inside() -> None:
    interval = Interval("a", 0.0012344, 0.9999999)
    assert interval.meant(0.123456) == 0.1235
    assert interval.meant(0.0012344) == 0.0012344
    assert interval.meant(0.99999985) == 0.9999999
    assert Steps("a", (0.1, 0.2, 0.3)).meant(0.1 + 0.2) == 0.3


def test_equal_spaces_and_only_they_have_equal_records() -> None:
    spaces = [space_of([], [word], None)[1] for word in ("a=1,2", "a=2,1", "a=range(1,3)", "a=interval(1,2)", "b=1,2")]
    spaces.append(space_of([], ["a=tag(log,interval(1,2))"], None)[1])
    records = [repr(space.as_json()) for space in spaces]
    assert len(set(records)) == len(records)
    assert Space(spaces[0].dimensions).as_json() == spaces[0].as_json()


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"sampler": "tpa"}, "hydra.sweeper.sampler=tpa: expected one of tpe, random, grid"),
        ({"pruner": "mean"}, "hydra.sweeper.pruner=mean: expected one of median, halving, none"),
        ({"objective": "test"}, "hydra.sweeper.objective=test: expected one of mean, selected"),
        ({"trials": 0}, "hydra.sweeper.trials=0: expected a whole number of at least 1, or null"),
        ({"max_batch_size": 0}, "hydra.sweeper.max_batch_size=0: expected a whole number of at least 1, or null"),
        ({"startup_trials": 0}, "hydra.sweeper.startup_trials=0: expected a whole number of at least 1"),
        ({"warm_up_epochs": -1}, "hydra.sweeper.warm_up_epochs=-1: expected a whole number of at least 0"),
        ({"study": "../x"}, "hydra.sweeper.study=../x: expected a name of letters, digits, _ . and -, or null"),
    ],
)
def test_wrong_settings_get_one_line(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(RequestError) as refused:
        SearchSettings(**wrong)
    assert str(refused.value) == expected


def test_how_many_trials_there_are() -> None:
    assert SearchSettings().trials_of(None) == 30
    assert SearchSettings(trials=7).trials_of(None) == 7
    assert SearchSettings().trials_of(12) == 12
    assert SearchSettings(trials=7).trials_of(12) == 7
    assert SearchSettings(trials=70).trials_of(12) == 12


@pytest.mark.parametrize("name", choices_of("search"))
def test_every_value_of_a_declared_search_can_be_run(name: str) -> None:
    register(train=TrainSchema)
    file = OmegaConf.load(conf_directory() / "search" / f"{name}.yaml")
    _, space = space_of([f"{key}={value}" for key, value in file.hydra.sweeper.params.items()], [], None)
    seen = set()
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        for key, value in space.ends():
            config = compose("train", [f"{key}={value}", f"+search={name}"])
            parts = {group: OmegaConf.to_object(config[group]) for group in SCHEMAS}
            seen.add(repr(Settings(task=config.task, **parts)))  # type: ignore[arg-type]
    assert len(seen) >= 2 * len(space.dimensions)
