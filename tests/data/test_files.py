from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.data.export import write_saved
from babi_memnet.data.files import chosen, fingerprint, load, name_of, origin
from babi_memnet.data.records import from_dataset
from babi_memnet.data.settings import FilesData, GeneratedData
from babi_memnet.data.sources import chosen_tasks, gives_validation
from babi_memnet.errors import RequestError


def story(person: str, place: str = "home") -> str:
    return f"1 {person} ran {place}.\n2 Where is {person}?\t{place}\t1\n"


Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files below the working directory: their names, and the person in the one story of each."""
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> None:
        for name, person in files.items():
            path = Path(name.replace("__", "/") + ".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(story(person))

    return write


def twice(name: str) -> FilesData:
    """A file to train on, and a copy of it to test."""
    copy = Path("copies", name)
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(name, copy)
    return FilesData(train=name, test=str(copy))


def people(settings: FilesData, tasks: list[str], split: str = "train") -> list[tuple[Any, str]]:
    return [(record.task, record.story[0].split()[0]) for record in from_dataset(load(settings, tasks)[split])]


def test_a_pair_is_a_task_by_the_name_of_its_training_file(write: Write) -> None:
    write(a_train="Ada", b_test="Bo")
    settings = FilesData(train="a_train.txt", test="b_test.txt")
    assert chosen(settings, 1) == ("a", ["a"])
    assert chosen(settings, "mine") == ("mine", ["mine"])
    assert chosen(settings, "joint") == ("joint", ["a"])
    assert people(settings, ["mine"]) == [("mine", "Ada")]
    assert people(settings, ["mine"], "test") == [("mine", "Bo")]
    with pytest.raises(RequestError, match=r"^task=3: expected a name of letters, .*; without task .* called a$"):
        chosen(settings, 3)
    with pytest.raises(RequestError, match=r"^task=a b: expected a name of letters"):
        chosen(settings, "a b")


@pytest.mark.parametrize(
    "places", [("s/train", "s/test"), ("s/train/*", "s/t*t/*.txt"), (["s/train/b.txt", "s/train"], "s/test")]
)
def test_folders_globs_and_lists_are_any_number_of_tasks(write: Write, places: tuple[Any, Any]) -> None:
    write(s__train__b="Bo", s__train__a="Ada", s__test__a="Abe", s__test__b="Bea")
    Path("s/train/.hidden.txt").write_text("no")
    Path("s/train/notes.md").write_text("no")
    settings = FilesData(train=places[0], test=places[1])
    assert chosen(settings, "joint") == ("joint", ["a", "b"])
    assert chosen(settings, "b") == ("b", ["b"])
    assert people(settings, ["a", "b"]) == [("a", "Ada"), ("b", "Bo")]
    assert people(settings, ["b"], "test") == [("b", "Bea")]
    assert load(settings, ["a"])["train"].features["task"].dtype == "string"
    with pytest.raises(RequestError, match=r"^task=zz: expected a, b, or joint for all$"):
        chosen(settings, "zz")
    with pytest.raises(RequestError, match=r"^task=1: expected a, b, or joint for all$"):
        chosen(settings, 1)


def test_one_folder_holds_all_splits(write: Write) -> None:
    write(en__qa1_train="Ada", en__qa1_valid="Vi", en__qa1_test="Tom", en__qa2_train="Ann", en__qa2_valid="Vic")
    settings = FilesData(train="en", valid="en", test="en")
    assert gives_validation(settings)
    assert chosen(settings, "qa1") == ("qa1", ["qa1"])
    stories = load(settings, ["qa1"])
    assert list(stories) == ["train", "test", "validation"]
    assert people(settings, ["qa1"], "validation") == [("qa1", "Vi")]
    with pytest.raises(RequestError, match=r"^data\.test: no file of task qa2; .* there are: qa1 \(en/qa1_test\.txt\)"):
        load(settings, ["qa1", "qa2"])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("qa1_single_train.txt", "qa1_single"),
        ("my-Test.txt.gz", "my"),
        ("rooms.valid.jsonl", "rooms"),
        ("far away.parquet", "far_away"),
        ("strain.txt", "strain"),
        ("kitchen/train.txt", "kitchen"),
        ("kitchen/train/test.txt", "kitchen"),
        ("1.txt", "task_1"),
        ("joint_train.txt", "task_joint"),
    ],
)
def test_a_task_is_named_by_its_file(path: str, name: str) -> None:
    assert name_of(Path(path)) == name


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"test": "b.txt"}, r"data\.train: needs a value; expected a file, a folder, a glob, or a list .*\.jsonl"),
        ({"train": "a.txt"}, r"data\.test: needs a value"),
        ({"train": "no.txt", "test": "b.txt"}, r"data\.train=no\.txt: no such file or folder; expected a file"),
        (
            {"train": "no*.txt", "test": "b.txt"},
            r"data\.train=no\*\.txt: no file of this split in it; expected files that",
        ),
        ({"train": "notes.md", "test": "b.txt"}, r"data\.train=notes\.md: expected a file that ends with \.txt, "),
        (
            {"train": ["a.txt", "d/a_train.txt"], "test": "b.txt"},
            r"data\.train: a\.txt and d/a_train\.txt are both of task a",
        ),
        ({"train": "empty", "test": "b.txt"}, r"data\.train=empty: no file of this split"),
    ],
)
def test_what_names_no_files_is_refused(write: Write, keys: dict[str, Any], problem: str) -> None:
    write(a="Ada", b="Bo", d__a_train="Ann")
    Path("notes.md").write_text("no")
    Path("empty").mkdir()
    with pytest.raises(RequestError, match=f"^{problem}"):
        chosen(FilesData(**keys), "joint")


def test_a_test_task_without_training_is_refused_with_its_file(write: Write) -> None:
    write(s__a_train="Ada", s__b_train="Bo", s__a_test="Abe", s__b_test="Bea", s__c_test="Cy")
    settings = FilesData(train="s", test="s")
    with pytest.raises(
        RequestError, match=r"^data\.test: s/c_test\.txt is of task c, of which data\.train has no file; .* a, b"
    ):
        fingerprint(settings, ["a", "b"])
    assert fingerprint(settings, ["a"])  # which does not concern it


@pytest.mark.parametrize("value", ["", " ", [], [""], {"a": 1}, 1.5])
def test_what_is_no_place_is_refused(value: Any) -> None:
    with pytest.raises(RequestError, match=r"^data\.valid=.*: expected a file, a folder, a glob, or a list of these"):
        FilesData(valid=value)


def test_the_fingerprint_is_of_the_content(write: Write) -> None:
    write(a="Ada", b="Bo", copy__a="Ada", copy__b="Bo")
    settings, same = FilesData(train="a.txt", test="b.txt"), FilesData(train="copy/a.txt", test="copy/b.txt")
    before = fingerprint(settings, ["a"])
    assert before == fingerprint(same, ["a"])
    assert before != fingerprint(FilesData(train="b.txt", test="a.txt"), ["a"])
    assert before != fingerprint(FilesData(train="a.txt", test="b.txt", valid="copy/b.txt"), ["a"])
    assert load(settings, ["a"], before)
    Path("b.txt").write_text(story("Bob"))
    with pytest.raises(RequestError, match=r"^a\.txt: the data have changed since this run was planned"):
        load(settings, ["a"], before)
    assert origin(settings, ["a"]) == "a.txt"


def test_the_size_is_checked(write: Write) -> None:
    write(a="Ada", b="Bo")
    with pytest.raises(RequestError, match=r"^data\.size=1k: expected 1, what a\.txt has of task a, or null$"):
        load(FilesData(train="a.txt", test="b.txt", size="1k"), ["a"])
    assert load(FilesData(train="a.txt", test="b.txt", size=1), ["a"])


ROW = {
    "story": ["Ada ran home.", "Bo slept."],
    "question": "Where is Ada?",
    "answer": "home , sweet",
    "supporting": [0],
}


def test_every_format_gives_the_same(write: Write) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = "1 Ada ran home.\n2 Bo slept.\n3 Where is Ada?\thome , sweet\t1\n"
    Path("a.txt").write_text(text)
    Path("b.txt.gz").write_bytes(gzip.compress(text.encode()))
    Path("c.jsonl").write_text(json.dumps(ROW) + "\n\n")
    pq.write_table(pa.Table.from_pylist([ROW]), "d.parquet")
    read = [from_dataset(load(twice(name), ["t"])["train"]) for name in ("a.txt", "b.txt.gz", "c.jsonl", "d.parquet")]
    assert all(records == read[0] for records in read)
    assert (read[0][0].answer, read[0][0].supporting) == ("home,sweet", (0,))


def test_stories_are_counted_where_rows_do_not_say_them(write: Write) -> None:
    stories = [["A."], ["A.", "B."], ["C."], ["C."]]
    Path("a.jsonl").write_text(
        "".join(json.dumps({"story": s, "question": "Q?", "answer": "x"}) + "\n" for s in stories)
    )
    settings = twice("a.jsonl")
    assert load(settings, ["a"])["train"]["story_id"][:] == [0, 0, 1, 1]


def test_rows_may_name_their_tasks(write: Write) -> None:
    for split in ("train", "test"):
        rows = [{**ROW, "task": task, "question": f"{task}?"} for task in ("far away", 3, "far away")]
        Path(f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = FilesData(train="train.jsonl", test="test.jsonl")
    assert chosen(settings, "joint") == ("joint", ["far_away", "task_3"])
    assert load(settings, ["task_3"])["train"]["question"][:] == ["3?"]
    assert load(settings, ["far_away", "task_3"])["test"]["question"][:] == ["far away?", "far away?", "3?"]


def test_what_babi_generate_writes_is_read(write: Write) -> None:
    write_saved(GeneratedData(size=20, test_questions=10), Path("made"), [1, 6], "parquet", progress=False)
    settings = FilesData(train="made/train.parquet", test="made/test.parquet")
    assert chosen(settings, "joint") == ("joint", ["task_1", "task_6"])
    assert len(load(settings, ["task_6"])["train"]) == 20


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[1]", r"a\.jsonl:2: expected an object with story, question, answer"),
        ("{", r"a\.jsonl:2: no JSON \(.*\); expected one object a line"),
        ({"suporting": []}, r"a\.jsonl:2: 'suporting' is unknown; expected story, question, answer, and if you like"),
        ({"story": "Ada ran."}, r"a\.jsonl:2: story: expected a list of statements, each a text"),
        ({"story": [" "]}, r"a\.jsonl:2: story: expected a list"),
        ({"answer": None}, r"a\.jsonl:2: answer: expected a text"),
        ({"supporting": [2]}, r"a\.jsonl:2: supporting: expected a list of places in the story, from 0 to 1 here"),
        ({"story_id": -1}, r"a\.jsonl:2: story_id: expected a whole number"),
        ({"task": True}, r"a\.jsonl:2: task='True'; expected a name or a number"),
        ({"task": "other"}, r"a\.jsonl:1: no task, which other rows have"),
    ],
)
def test_rows_are_refused_at_their_line(write: Write, line: Any, problem: str) -> None:
    second = line if isinstance(line, str) else json.dumps({**ROW, **line})
    Path("a.jsonl").write_text(f"{json.dumps(ROW)}\n{second}\n")
    with pytest.raises(RequestError, match=f"^{problem}"):
        load(twice("a.jsonl"), ["a"])


def test_damaged_files_are_named(write: Write) -> None:
    write(ok="Ada")
    Path("a.parquet").write_bytes(b"PAR1 no")
    Path("a.txt.gz").write_bytes(gzip.compress(b"1 Ada ran.\n")[:-9])
    Path("a.jsonl").write_text("\n")
    for name, problem in (("parquet", "cannot be read"), ("txt.gz", "cannot be unpacked"), ("jsonl", "no row in it")):
        with pytest.raises(RequestError, match=rf"^a\.{name}: {problem}"):
            load(FilesData(train=f"a.{name}", test="ok.txt"), ["a"])


def test_other_sources_have_numbers() -> None:
    assert chosen_tasks(GeneratedData(), "joint") == ("joint", list(range(1, 21)))
    assert chosen_tasks(GeneratedData(), "7") == (7, [7])
    with pytest.raises(RequestError, match=r"^task=mine: expected 1 to 20, or joint$"):
        chosen_tasks(GeneratedData(), "mine")


def test_a_file_is_of_one_split(write: Write) -> None:
    write(a="Ada", b="Bo", d__rooms="Cy")
    for train, test, name in (
        ("a.txt", "a.txt", "a.txt"),
        ("d", "d", "d/rooms.txt"),
        (["a.txt", "b.txt"], "*.txt", "a.txt"),
    ):
        with pytest.raises(
            RequestError, match=f"^data.test: {name} is of data.train as well; expected other questions"
        ):
            chosen(FilesData(train=train, test=test), 1)


@pytest.mark.parametrize("name", ["x_val", "x_validation", "x-dev", "valid_x", "dev"])
def test_files_are_known_to_validate_by_their_names(write: Write, name: str) -> None:
    write(**{f"d__{name}": "Ada", "d__x_train": "Bo", "d__test_x": "Cy"})
    settings = FilesData(train="d", test="d", valid="d")
    task = "x" if name != "dev" else "d"
    assert chosen(FilesData(train="d", test="d"), 1) == ("x", ["x"])
    assert {name_of(Path(f"d/{name}.txt")), "x"} == {task, "x"}
    assert [record.story[0] for record in from_dataset(load(settings, ["x"])["validation"])] == ["Ada ran home."]


def test_what_is_no_file_is_not_waited_for(write: Write, tmp_path: Path) -> None:
    write(b="Bo")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(RequestError, match=r"pipe\.txt"):
        chosen(FilesData(train="pipe.txt", test="b.txt"), 1)
