"""Stories written as Parquet or as a folder of the datasets library, and read again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, DatasetDict, load_dataset, load_from_disk

from babi_memnet.data import fingerprint, load
from babi_memnet.data.export import write_saved
from babi_memnet.data.records import StoryQuestion, features, from_dataset, to_dataset
from babi_memnet.data.settings import GeneratedData, OfficialData, SavedData
from babi_memnet.errors import RequestError

SMALL = GeneratedData(size=25, test_questions=12)
RECORDS = [
    StoryQuestion(2, ("A.", "B."), "X?", "x", (1, 0), 0),
    StoryQuestion(2, ("A.", "B.", "C."), "Y?", "y,z", (), 0),
    StoryQuestion(19, ("D.",), "Z?", "z", (0,), 0),
]


@pytest.fixture(params=["parquet", "datasets"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def saved(path: Path, size: str | None = None) -> SavedData:
    return SavedData(path=str(path), size=size)


def write(folder: Path, form: str, train: Dataset, test: Dataset | None = None) -> Path:
    """Save splits as somebody without this package would."""
    stories = DatasetDict({"train": train, "test": test or to_dataset(RECORDS, "test")})
    if form == "datasets":
        stories.save_to_disk(folder)
    else:
        folder.mkdir(exist_ok=True)
        for split, rows in stories.items():
            rows.to_parquet(folder / f"{split}.parquet")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read_again(tmp_path: Path, form: str) -> None:
    tasks = [15, 1, 8]
    assert write_saved(SMALL, tmp_path / "out", tasks, form, progress=False) == tmp_path / "out"
    original, again = load(SMALL, tasks), load(saved(tmp_path / "out"), tasks)
    assert list(again) == ["train", "test"]
    for split in ("train", "test"):
        assert again[split].features == original[split].features == features()
        assert again[split].data.schema.equals(original[split].data.schema, check_metadata=True)
        assert from_dataset(again[split]) == from_dataset(original[split])
        assert again[split][:] == original[split][:]
        assert again[split].cache_files == []


def test_the_datasets_library_reads_the_files_with_their_features(tmp_path: Path) -> None:
    original = load(SMALL, [2])
    write_saved(SMALL, tmp_path / "folder", [2], "datasets", progress=False)
    write_saved(SMALL, tmp_path / "files", [2], "parquet", progress=False)
    files = {split: str(tmp_path / "files" / f"{split}.parquet") for split in ("train", "test")}
    read = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    for stories in (load_from_disk(tmp_path / "folder"), read):
        assert {split: rows[:] for split, rows in stories.items()} == {
            split: rows[:] for split, rows in original.items()
        }
        assert stories["train"].features == features()


def test_official_stories_can_be_saved_too(tmp_path: Path, write_layout: Callable[..., Path], form: str) -> None:
    official = OfficialData(root=str(write_layout(tmp_path)))
    folder = write_saved(official, tmp_path / "out", [2, 1], form, progress=False)
    # Three training questions a task.
    again = load(saved(folder, size="3"), [1, 2])
    for split, rows in load(official, [1, 2]).items():
        assert from_dataset(again[split]) == from_dataset(rows)


def test_only_the_wanted_tasks_come_in_the_wanted_order(tmp_path: Path, form: str) -> None:
    mixed = to_dataset([RECORDS[0], RECORDS[2], RECORDS[1]], "mixed")
    folder = write(tmp_path / "out", form, mixed)
    assert from_dataset(load(saved(folder), [19, 2])["train"]) == [RECORDS[2], *RECORDS[:2]]
    assert from_dataset(load(saved(folder), [2])["train"]) == RECORDS[:2]
    with pytest.raises(RequestError, match=r"out/train(\.parquet)?: no questions of task 3; there are: tasks 2, 19$"):
        load(saved(folder), [2, 3])
    for use in (load, fingerprint):
        with pytest.raises(RequestError, match=r"^task=21: expected a number from 1 to 20"):
            use(saved(folder), [21])


def test_types_that_mean_the_same_are_read(tmp_path: Path) -> None:
    """As other writers store them: pandas, Polars, DuckDB."""
    rows = to_dataset(RECORDS, "rows").data.table
    wide = pa.schema(
        {
            "task": pa.int64(),
            "story": pa.large_list(pa.large_string()),
            "question": pa.large_string(),
            "answer": pa.dictionary(pa.int32(), pa.string()),
            "supporting": pa.large_list(pa.int64()),
            "story_id": pa.uint16(),
        }
    )
    for split in ("train", "test"):
        pq.write_table(rows.replace_schema_metadata(None).cast(wide), tmp_path / f"{split}.parquet")
    loaded = load(saved(tmp_path), [2, 19])
    assert list(from_dataset(loaded["train"])) == RECORDS


def test_a_column_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    rows = to_dataset(RECORDS, "rows").data.table
    for split in ("train", "test"):
        pq.write_table(rows.append_column("answer", rows["question"]), tmp_path / f"{split}.parquet")
    with pytest.raises(RequestError, match="a column stands there twice"):
        load(saved(tmp_path), [2])


def test_the_order_of_columns_makes_no_difference(tmp_path: Path, form: str) -> None:
    turned = to_dataset(RECORDS, "rows").select_columns(list(reversed(features())))
    loaded = load(saved(write(tmp_path / "out", form, turned)), [2, 19])["train"]
    assert loaded.features == features()
    assert loaded.column_names == list(features())
    assert from_dataset(loaded) == RECORDS


def test_several_files_of_a_split_are_one(tmp_path: Path) -> None:
    stories = DatasetDict({split: to_dataset(RECORDS, split) for split in ("train", "test")})
    stories.save_to_disk(tmp_path / "out", num_shards={"train": 2, "test": 3})
    before = fingerprint(saved(tmp_path / "out"), [2, 19])
    assert from_dataset(load(saved(tmp_path / "out"), [2, 19])["test"]) == RECORDS
    first, last = sorted((tmp_path / "out" / "train").glob("*.arrow"))
    content_of_first = first.read_bytes()
    first.write_bytes(last.read_bytes())
    last.write_bytes(content_of_first)
    assert fingerprint(saved(tmp_path / "out"), [2, 19]) != before


def test_a_size_is_held_against_what_is_there(tmp_path: Path, form: str) -> None:
    folder = write_saved(SMALL, tmp_path / "out", [1, 2], form, progress=False)
    assert len(load(saved(folder, "25"), [1, 2])["train"]) == 50
    with pytest.raises(RequestError, match=r"^data\.size=1k: expected 25, what .*train.* has of task 2, or null$"):
        load(saved(folder, "1000"), [2])


def change(**columns: Any) -> Callable[[Dataset], Dataset]:
    """Replace columns, or take them away where None is given."""

    def changed(rows: Dataset) -> Dataset:
        for name, values in columns.items():
            rows = rows.remove_columns(name) if name in rows.column_names else rows
            rows = rows if values is None else rows.add_column(name, values)
        return rows

    return changed


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (change(answer=None), "column answer is missing; expected task, story, question, answer, supporting, story_id"),
        (change(passage=["a", "b", "c"]), "column passage is unknown; expected only task, story,"),
        (change(task=[2, 2, 2**40]), "column task holds int64; expected int32"),
        (change(task=[2.0, 2.0, 19.0]), "column task holds double; expected int32"),
        (change(story=["A.", "B.", "C."]), "column story holds string; expected list<"),
        (change(story=[[1], [2], [3]]), "column story holds list<"),
        (lambda rows: nulled(rows, "answer", None), "column answer has empty cells; expected a value in each"),
        (lambda rows: nulled(rows, "story", ["A.", None]), "column story has empty cells; expected a value in each"),
        (lambda rows: nulled(rows, "supporting", [1]), "column supporting points outside of the story; expected"),
        (lambda rows: nulled(rows, "supporting", [-1]), "column supporting points outside of the story; expected"),
    ],
)
def test_a_column_that_does_not_fit_is_named(
    tmp_path: Path, form: str, changed: Callable[[Dataset], Dataset], problem: str
) -> None:
    folder = write(tmp_path / "out", form, changed(to_dataset(RECORDS, "rows")))
    place = re.escape(str(folder / "train"))
    with pytest.raises(RequestError, match=rf"^{place}(\.parquet)?: {re.escape(problem)}[^\n]*$"):
        load(saved(folder), [2])


def nulled(rows: Dataset, name: str, value: object) -> Dataset:
    """The last row gets ``value``; its story has one statement."""
    table = rows.to_list()
    table[-1][name] = value
    return Dataset.from_list(table, features=features())


def test_a_folder_without_saved_stories_is_described(tmp_path: Path, form: str) -> None:
    expected = "expected a folder with train.parquet and test.parquet, or one that DatasetDict.save_to_disk wrote"
    for use in (load, fingerprint):
        with pytest.raises(RequestError, match=rf"^data\.path: needs a value; {expected}"):
            use(SavedData(), [2])
        with pytest.raises(RequestError, match=rf"^data\.path=.*nowhere: no such folder; {expected}"):
            use(saved(tmp_path / "nowhere"), [2])
        with pytest.raises(RequestError, match=rf": neither train.parquet nor dataset_dict.json in it; {expected}"):
            use(saved(tmp_path), [2])
    folder = write(tmp_path / "out", form, to_dataset(RECORDS, "rows"))
    other = {"parquet": "datasets", "datasets": "parquet"}[form]
    both = shutil.copytree(folder, tmp_path / "both")
    write(both, other, to_dataset(RECORDS, "rows"))
    with pytest.raises(RequestError, match=r"both: both train.parquet and dataset_dict.json in it"):
        load(saved(both), [2])
    lost = folder / ("test.parquet" if form == "parquet" else "test/data-00000-of-00001.arrow")
    lost.unlink()
    with pytest.raises(RequestError, match=rf"^data\.path=.*: {lost} is missing; {expected}"):
        fingerprint(saved(folder), [2])


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_named(tmp_path: Path, form: str, damage: str) -> None:
    folder = write_saved(SMALL, tmp_path / "out", [1], form, progress=False)
    path = folder / ("train.parquet" if form == "parquet" else "train/data-00000-of-00001.arrow")
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"not a table" * 100}[damage])
    with pytest.raises(
        RequestError, match=r"^[^\n]*out/train(\.parquet)?: cannot be read \([^\n]+\); expected [^\n]*$"
    ):
        load(saved(folder), [1])


@pytest.mark.parametrize("state", ["", "[]", '{"_data_files": null}', None])
def test_a_damaged_list_of_files_is_named(tmp_path: Path, state: str | None) -> None:
    folder = write(tmp_path / "out", "datasets", to_dataset(RECORDS, "rows"))
    path = folder / "train" / "state.json"
    path.unlink() if state is None else path.write_text(state)
    for use in (load, fingerprint):
        with pytest.raises(RequestError, match=rf"^{path}: [^\n]+; expected [^\n]*$"):
            use(saved(folder), [2])


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path, form: str) -> None:
    here, there = (write_saved(SMALL, tmp_path / name, [1, 2], form, progress=False) for name in ("here", "there"))
    assert content(here) == content(there)
    before = fingerprint(saved(here), [1, 2])
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert fingerprint(saved(there), [1, 2]) == before
    others = [fingerprint(saved(here), tasks) for tasks in ([2, 1], [1], [2])]
    write_saved(GeneratedData(size=25, test_questions=13), there, [1, 2], form, overwrite=True, progress=False)
    others.append(fingerprint(saved(there), [1, 2]))
    assert len({before, *others}) == 5
    loaded, other = load(saved(here), [1]), load(saved(there), [1])
    assert loaded["train"]._fingerprint == other["train"]._fingerprint
    assert len({rows._fingerprint for rows in (*loaded.values(), other["test"])}) == 3


def test_what_has_changed_since_the_fingerprint_is_refused(tmp_path: Path, form: str) -> None:
    folder = write_saved(SMALL, tmp_path / "out", [1, 2], form, progress=False)
    planned = fingerprint(saved(folder), [1, 2])
    assert len(load(saved(folder), [1, 2], planned)["test"]) > 0
    write_saved(GeneratedData(size=25, test_questions=13), folder, [1, 2], form, overwrite=True, progress=False)
    with pytest.raises(RequestError, match=rf"^{folder}: the data have changed since [^\n]+$"):
        load(saved(folder), [1, 2], planned)


def test_nothing_is_overwritten_unasked_and_other_files_stay(tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    write_saved(SMALL, out, [1], form, progress=False)
    before = content(out)
    other = GeneratedData(size=30, test_questions=12)
    with pytest.raises(RequestError, match=r"^out=.*out/test.* exists already, and \d more; overwrite=true"):
        write_saved(other, out, [1], form, progress=False)
    assert content(out) == before
    write_saved(other, out, [1], form, overwrite=True, progress=False)
    assert len(load(saved(out), [1])["train"]) == 30
    assert content(out).keys() == before.keys()
    assert (out / "notes.txt").read_text() == "mine"


def test_stories_can_be_saved_over_those_they_come_from(tmp_path: Path, form: str) -> None:
    folder = write_saved(SMALL, tmp_path / "out", [1, 2], form, progress=False)
    expected = from_dataset(load(saved(folder), [2])["train"])
    write_saved(saved(folder), folder, [2], form, overwrite=True, progress=False)
    assert from_dataset(load(saved(folder), [2])["train"]) == expected


def test_a_folder_that_is_no_saved_dataset_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "thesis.tex").write_text("mine")
    with pytest.raises(RequestError, match=r"/train is not a saved dataset and stays; choose another folder"):
        write_saved(SMALL, tmp_path, [1], "datasets", overwrite=True, progress=False)
    assert (tmp_path / "train" / "thesis.tex").read_text() == "mine"


def test_a_failure_changes_nothing(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = write_saved(SMALL, tmp_path / "out", [1], form, progress=False)
    before = content(out)

    def failing(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    written_by = {"parquet": (Dataset, "to_parquet"), "datasets": (DatasetDict, "save_to_disk")}
    monkeypatch.setattr(*written_by[form], failing)
    with pytest.raises(RequestError, match=r"^out=.*out: cannot be written \(No space left on device\)$"):
        write_saved(SMALL, out, [2], form, overwrite=True, progress=False)
    assert content(out) == before
    assert not list(out.glob(".incomplete*"))


def test_what_cannot_be_loaded_makes_no_folder(tmp_path: Path, form: str) -> None:
    for settings, tasks in ((OfficialData(root=str(tmp_path / "none")), [1]), (SMALL, [21])):
        with pytest.raises(RequestError):
            write_saved(settings, tmp_path / "out", tasks, form, progress=False)
    assert not (tmp_path / "out").exists()


def test_bars_are_shown_when_asked_for(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_saved(SMALL, tmp_path / "silent", [1], form, progress=False)
    assert capsys.readouterr().err == ""
    write_saved(SMALL, tmp_path / "shown", [1], form, progress=True)
    assert "100%" in capsys.readouterr().err


@pytest.mark.parametrize("column", ["question", "answer"])
def test_a_question_or_answer_without_a_text_is_refused(tmp_path: Path, form: str, column: str) -> None:
    rows = [*RECORDS[:1], replace(RECORDS[1], **{column: " "}), *RECORDS[2:]]
    folder = write(tmp_path / "out", form, to_dataset(rows, "rows"))
    with pytest.raises(RequestError, match=f"row 2 has no {column}; expected a text"):
        load(saved(folder), [2])


def test_the_files_of_a_split_lie_in_its_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", "datasets", to_dataset(RECORDS, "rows"))
    state = folder / "train" / "state.json"
    content = json.loads(state.read_text())
    for name in ("../test/data-00000-of-00001.arrow", "state.json", 3, ""):
        state.write_text(json.dumps({**content, "_data_files": [{"filename": name}]}))
        with pytest.raises(RequestError, match=f"{state}: "):
            load(saved(folder), [2])


def test_a_file_that_ends_in_the_middle_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", "datasets", to_dataset(RECORDS, "rows"))
    (file,) = (folder / "train").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:-8])  # without the mark of its end
    with pytest.raises(RequestError, match="ends in the middle"):
        load(saved(folder), [2])


def test_a_selection_of_rows_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", "datasets", to_dataset(RECORDS, "rows"))
    state = folder / "train" / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "_indices_files": [{"filename": "indices.arrow"}]}))
    with pytest.raises(RequestError, match="a selection of rows"):
        load(saved(folder), [2])
