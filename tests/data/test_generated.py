from __future__ import annotations

import multiprocessing
import re
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from babi_memnet.data import fingerprint, generated, load
from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import StoryQuestion, features, from_dataset
from babi_memnet.data.settings import GeneratedData, check_shift
from babi_memnet.errors import RequestError
from babi_memnet.worlds.simulation import SIMULATOR_VERSION, simulate

SMALL = GeneratedData(size=30, test_questions=20, seed=3)
OTHER = GeneratedData(size=1, test_questions=1, seed=4)


def expected(tasks: list[int], questions: int, split: str) -> list[StoryQuestion]:
    return [record for task in tasks for record in simulated_records(task, questions, 3, split)]


def cached_files(cache: Path) -> list[Path]:
    return sorted((cache / "generated").glob("*.arrow"))


def test_tasks_come_one_after_the_other_in_the_given_order() -> None:
    dataset = load(SMALL, [8, 1])
    assert list(dataset) == ["train", "test"]
    assert dataset["train"].features == dataset["test"].features == features()
    assert from_dataset(dataset["train"]) == expected([8, 1], 30, "train")
    assert from_dataset(dataset["test"]) == expected([8, 1], 20, "test")


def test_the_default_is_the_size_of_the_official_files() -> None:
    settings = GeneratedData()
    dataset = load(settings, [15])
    assert (settings.size, len(dataset["train"]), len(dataset["test"])) == ("1k", 1000, 1000)


@pytest.mark.parametrize(
    ("size", "name", "questions", "folder"),
    [
        ("1k", "1k", 1000, "en"),
        (1000, "1k", 1000, "en"),
        ("10k", "10k", 10_000, "en-10k"),
        ("10000", "10k", 10_000, "en-10k"),
        (2500, "2500", 2500, "en-2500"),
        ("25k", "25000", 25_000, "en-25000"),
    ],
)
def test_one_size_has_one_name(size: int | str, name: str, questions: int, folder: str) -> None:
    settings = GeneratedData(size=size)
    assert (settings.size, settings.training_questions, settings.folder) == (name, questions, folder)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": "0"}, "data.size=0: expected 1k, 10k or a number"),
        ({"size": "many"}, "data.size=many: expected"),
        ({"size": "k"}, "data.size=k: expected"),
        ({"size": -5}, "data.size=-5: expected"),
        ({"seed": -1}, "data.seed=-1: expected a whole number of at least 0"),
        ({"test_questions": 0}, "data.test_questions=0: expected"),
        ({"source": "official"}, "data.source=official: expected generated"),
        ({"shift": "longest"}, "data.shift=longest: expected one of none, longer, distractors, supports, names"),
    ],
)
def test_wrong_settings_name_the_key(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        GeneratedData(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("ask", [load, fingerprint])
def test_an_unknown_task(ask: object) -> None:
    with pytest.raises(RequestError, match=r"task=21: expected a number from 1 to 20"):
        ask(SMALL, [1, 21])  # type: ignore[operator]


def test_the_fingerprint_stands_for_everything_that_decides(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    others = [
        GeneratedData(),
        GeneratedData(size=999),
        GeneratedData(seed=1),
        GeneratedData(test_questions=999),
        GeneratedData(disjoint=True),
        GeneratedData(shift="names"),
        GeneratedData(shift="places"),
    ]
    known = {fingerprint(settings, [1, 2]) for settings in others} | {fingerprint(GeneratedData(), [2, 1])}
    assert len(known) == 8
    assert fingerprint(GeneratedData(size="1000"), [1, 2]) in known
    assert not own_cache.exists()
    monkeypatch.setattr(generated, "SIMULATOR_VERSION", SIMULATOR_VERSION + 1)
    assert fingerprint(GeneratedData(), [1, 2]) not in known


def test_a_dataset_has_the_fingerprint_of_its_split() -> None:
    again, more = load(SMALL, [1]), load(GeneratedData(size=31, test_questions=20, seed=3), [1])
    assert load(SMALL, [1])["train"]._fingerprint == again["train"]._fingerprint
    assert len({again["train"]._fingerprint, again["test"]._fingerprint, more["train"]._fingerprint}) == 3
    assert more["test"]._fingerprint == again["test"]._fingerprint


def test_a_second_load_simulates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(SMALL, [2])
    monkeypatch.setattr(generated, "simulate", None)
    assert from_dataset(load(SMALL, [2])["train"]) == from_dataset(first["train"])


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "no checksum", "no data"])
def test_a_damaged_cache_is_made_again(own_cache: Path, damage: str) -> None:
    load(SMALL, [1])
    for path in cached_files(own_cache):
        content = path.read_bytes()
        if damage == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "empty":
            path.write_bytes(b"")
        elif damage == "other":
            place = content.index(b"bathroom")
            path.write_bytes(content[:place] + b"ballroom" + content[place + 8 :])
        elif damage == "no checksum":
            path.with_suffix(".sha256").unlink()
        else:
            path.unlink()
    assert from_dataset(load(SMALL, [1])["train"]) == expected([1], 30, "train")


def test_what_an_interrupted_run_left_is_not_taken_for_data(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> object:
        yield from simulate(1, 10, 3, "train")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(generated, "simulate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(SMALL, [1])
    assert cached_files(own_cache) == []
    assert from_dataset(load(SMALL, [1])["train"]) == expected([1], 30, "train")


def test_a_cache_that_cannot_be_written(own_cache: Path) -> None:
    own_cache.write_text("a file where the cache should be")
    with pytest.raises(RequestError, match=r"cannot be written .*BABI_CACHE"):
        load(SMALL, [1])


def _load_in_another_process(start: Barrier, results: multiprocessing.Queue[int]) -> None:
    load(OTHER, [1])  # what takes seconds to import is there before the start
    start.wait(60)
    results.put(len(from_dataset(load(SMALL, [1, 2])["train"])))


def test_processes_can_share_an_empty_cache(own_cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    other = context.Process(target=_load_in_another_process, args=(start, results))
    other.start()
    start.wait(60)
    assert len(from_dataset(load(SMALL, [1, 2])["train"])) == results.get(timeout=60) == 60
    other.join()
    assert not list((own_cache / "generated").glob("*partial*"))


def test_disjoint_test_questions_do_not_occur_in_training() -> None:
    def pairs(records: list[StoryQuestion]) -> list[tuple[tuple[str, ...], str]]:
        return [(record.story, record.question) for record in records]

    overlapping = load(GeneratedData(size=2000, test_questions=300), [4])
    assert set(pairs(from_dataset(overlapping["train"]))) & set(pairs(from_dataset(overlapping["test"])))
    disjoint = load(GeneratedData(size=2000, test_questions=300, disjoint=True), [4])
    train, test = pairs(from_dataset(disjoint["train"])), pairs(from_dataset(disjoint["test"]))
    assert train == pairs(from_dataset(overlapping["train"]))
    assert not set(train) & set(test)
    # Only what had to go is gone: the others are still there, in order.
    kept = [pair for pair in pairs(from_dataset(overlapping["test"])) if pair not in set(train)]
    assert (len(test), test[: len(kept)]) == (300, kept)


def test_disjoint_is_refused_when_training_has_almost_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "_HOPELESS", 8)
    with pytest.raises(RequestError, match=r"data.disjoint=true: after 5000 training questions of task 4"):
        load(GeneratedData(size=5000, disjoint=True), [4])


def test_a_shift_changes_the_test_questions_alone(own_cache: Path) -> None:
    plain, shifted = (GeneratedData(size=30, test_questions=20, seed=3, shift=shift) for shift in ("none", "names"))
    before = load(plain, [1])
    after = load(shifted, [1])
    assert from_dataset(after["train"]) == from_dataset(before["train"])
    assert from_dataset(after["test"]) == list(simulated_records(1, 20, 3, "test", "names"))
    assert after["train"]._fingerprint == before["train"]._fingerprint
    assert after["test"]._fingerprint != before["test"]._fingerprint
    # One file of training questions serves both.
    assert len(cached_files(own_cache)) == 3


def test_without_a_shift_fingerprints_are_what_they_were_before_there_were_shifts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generated, "SIMULATOR_VERSION", 1)
    before = "e8b8f5e5abd6a5a8fdc839c6dbadb14378eea5b78a1614afbed7d098b6958e40"
    assert fingerprint(GeneratedData(), [1, 2]) == before


@pytest.mark.parametrize("ask", [load, fingerprint])
def test_a_shift_that_does_not_exist_for_a_task(ask: object, own_cache: Path) -> None:
    with pytest.raises(
        RequestError, match=r"data.shift=longer: does not exist for task 4; it exists for tasks 1, 2, 3, 5"
    ):
        ask(GeneratedData(shift="longer"), [1, 4])  # type: ignore[operator]
    assert not own_cache.exists()


def test_disjoint_questions_are_shifted_too() -> None:
    # No training story has these names, so nothing has to be drawn again.
    settings = GeneratedData(size=30, test_questions=20, seed=3, disjoint=True, shift="names")
    assert from_dataset(load(settings, [1])["test"]) == list(simulated_records(1, 20, 3, "test", "names"))


def test_a_simulated_record_has_the_form_of_the_official_ones() -> None:
    assert next(simulated_records(1, 1, 0, "train")) == StoryQuestion(
        task=1,
        story=("John went back to the hallway.", "Mary went back to the office."),
        question="Where is John?",
        answer="hallway",
        supporting=(0,),
        story_id=0,
    )


@pytest.mark.parametrize(
    ("task", "shift", "message"),
    [
        (21, "none", r"task=21: expected a number from 1 to 20"),
        (1, "name", r"data.shift=name: expected one of none, longer, .*did you mean names\?"),
        (1, "things", r"data.shift=things: does not exist for task 1; it .* tasks 2, 3, 5, 6, 7, 8"),
    ],
)
def test_stories_that_do_not_exist_are_a_wrong_request(task: int, shift: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        simulated_records(task, 10, 0, "test", shift)


def test_stories_without_a_shift_exist_for_every_task() -> None:
    check_shift("none", range(1, 21))
    check_shift("supports", [8, 7])
