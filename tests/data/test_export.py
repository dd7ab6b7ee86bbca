from __future__ import annotations

from pathlib import Path

import pytest

from babi_memnet.data import export, load
from babi_memnet.data.babi_format import file_name
from babi_memnet.data.export import write_official_layout
from babi_memnet.data.records import from_dataset
from babi_memnet.data.settings import GeneratedData, OfficialData
from babi_memnet.errors import RequestError

SMALL = GeneratedData(size=25, test_questions=12)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_read_as_official_ones(tmp_path: Path) -> None:
    settings = GeneratedData(test_questions=40)
    folder = write_official_layout(settings, tmp_path, [1, 18], progress=False)
    assert folder == tmp_path / "tasks_1-20_v1-2" / "en"
    assert sorted(contents(folder)) == sorted(file_name(task, split) for task in (1, 18) for split in ("train", "test"))
    official = load(OfficialData(root=str(tmp_path)), [1, 18])
    simulated = load(settings, [1, 18])
    for split in ("train", "test"):
        assert from_dataset(official[split]) == from_dataset(simulated[split])


def test_the_bytes_have_the_official_form(tmp_path: Path) -> None:
    folder = write_official_layout(SMALL, tmp_path, [1, 15], progress=False)
    assert folder.name == "en-25"
    first = (folder / file_name(1, "train")).read_bytes()
    assert first.startswith(
        b"1 John went back to the hallway.\n2 Mary went back to the office.\n3 Where is John? \thallway\t1\n4 "
    )
    assert b"\r" not in first
    assert first.endswith(b"\n")
    assert b" afraid of?\t" in (folder / file_name(15, "test")).read_bytes()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    folder = write_official_layout(SMALL, tmp_path, [1], progress=False)
    before = contents(folder)
    other = GeneratedData(size=25, test_questions=12, seed=1)
    with pytest.raises(RequestError, match=r"qa1_.*_train.txt exists already, and 1 more; overwrite=true"):
        write_official_layout(other, tmp_path, [1, 2], progress=False)
    assert contents(folder) == before
    write_official_layout(other, tmp_path, [1], overwrite=True, progress=False)
    assert contents(folder).keys() == before.keys()
    assert all(contents(folder)[name] != before[name] for name in before)


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    first = contents(write_official_layout(SMALL, tmp_path, [1], progress=False))
    both = contents(write_official_layout(SMALL, tmp_path, [2], progress=False))
    assert both.items() > first.items()
    assert len(both) == 4


def test_an_interrupted_command_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "write_babi", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_official_layout(SMALL, tmp_path, [1], progress=False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match=r"out=.*file: cannot be written"):
        write_official_layout(SMALL, tmp_path / "file", [1], progress=False)


def test_progress_counts_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_official_layout(SMALL, tmp_path / "shown", [1, 2], progress=True)
    shown = capsys.readouterr().err
    assert "74.0/74.0" in shown
    write_official_layout(SMALL, tmp_path / "silent", [1], progress=False)
    assert capsys.readouterr().err == ""


def test_an_unknown_task(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"task=21"):
        write_official_layout(SMALL, tmp_path, [21], progress=False)


def test_a_shift_is_written_to_the_test_file_or_refused_before_anything_is(tmp_path: Path) -> None:
    shifted = GeneratedData(size=25, test_questions=12, shift="places")
    plain = contents(write_official_layout(SMALL, tmp_path / "plain", [1], progress=False))
    other = contents(write_official_layout(shifted, tmp_path / "shifted", [1], progress=False))
    assert other[file_name(1, "train")] == plain[file_name(1, "train")]
    assert b"attic" in other[file_name(1, "test")]
    with pytest.raises(RequestError, match=r"data.shift=places: does not exist for task 15"):
        write_official_layout(shifted, tmp_path / "refused", [1, 15], progress=False)
    assert not (tmp_path / "refused").exists()
