from __future__ import annotations

import os
import re
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from babi_memnet.data import official
from babi_memnet.data.babi_format import file_name, parse_babi
from babi_memnet.data.official import available, fingerprint, load, verified
from babi_memnet.data.records import StoryQuestion, from_dataset
from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError
from babi_memnet.reading import file_sha256
from babi_memnet.tasks import TITLES

WriteLayout = Callable[..., Path]
Expected = Callable[[list[int], str], list[StoryQuestion]]


@pytest.fixture
def expected(tiny: Callable[[int, str], str]) -> Expected:
    """A function that gives the records of tasks and split of the tiny data."""

    def records(tasks: list[int], split: str) -> list[StoryQuestion]:
        return [record for task in tasks for record in parse_babi(tiny(task, split).splitlines(), task, "tiny")]

    return records


def pack(root: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as content:
        content.add(root, "tasks_1-20_v1-2")
    return archive


def test_tasks_come_one_after_the_other_in_the_given_order(
    tmp_path: Path, write_layout: WriteLayout, expected: Expected
) -> None:
    settings = OfficialData(root=str(write_layout(tmp_path, tasks=(1, 2, 15))))
    dataset = load(settings, [15, 1])
    assert set(dataset) == {"train", "test"}
    for split in ("train", "test"):
        assert from_dataset(dataset[split]) == expected([15, 1], split)
    assert available(settings) == [1, 2, 15]


def test_every_form_of_the_root_gives_the_same_data(
    tmp_path: Path, write_layout: WriteLayout, expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_layout(tmp_path / "home")
    forms = [root, root.parent, pack(root, tmp_path / "any-name.tar.gz"), root.rename(root.with_name("renamed"))]
    write_layout(tmp_path / "home")
    prints = set()
    for form in forms:
        assert from_dataset(load(OfficialData(root=str(form)), [2])["test"]) == expected([2], "test")
        prints.add(fingerprint(OfficialData(root=str(form)), [2]))
        monkeypatch.setenv("BABI_DATA", str(form))
        prints.add(fingerprint(OfficialData(), [2]))
        monkeypatch.delenv("BABI_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    prints.add(fingerprint(OfficialData(root="~/home"), [2]))
    assert len(prints) == 1


def test_the_root_goes_before_the_environment(
    tmp_path: Path, write_layout: WriteLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABI_DATA", str(write_layout(tmp_path / "environment", tasks=(1,))))
    given = write_layout(tmp_path / "given", tasks=(2,))
    assert available(OfficialData()) == [1]
    assert available(OfficialData(root=str(given))) == [2]


def test_language_and_size_choose_the_folder(tmp_path: Path, write_layout: WriteLayout) -> None:
    for number, folder in enumerate(("en", "en-10k", "hn", "shuffled-10k"), start=1):
        write_layout(tmp_path, tasks=(number,), folder=folder)
    root = str(tmp_path)
    assert available(OfficialData(root=root)) == [1]
    assert available(OfficialData(root=root, size="10k")) == [2]
    assert available(OfficialData(root=root, language="hn")) == [3]
    assert available(OfficialData(root=root, language="shuffled", size="10k")) == [4]
    with pytest.raises(RequestError, match=r"no folder hn-10k in it \(there is: en, en-10k, hn, shuffled-10k\)"):
        load(OfficialData(root=root, language="hn", size="10k"), [1])


def test_a_missing_file_costs_only_its_task(tmp_path: Path, write_layout: WriteLayout) -> None:
    root = write_layout(tmp_path, tasks=TITLES)
    settings = OfficialData(root=str(root))
    missing = root / "en" / file_name(3, "train")
    missing.unlink()
    assert len(load(settings, [1, 2])["train"]) == 6
    assert available(settings) == [1, 2, *range(4, 21)]
    for use in (load, fingerprint):
        with pytest.raises(
            RequestError, match=rf"{re.escape(str(missing))} is missing; complete there: tasks 1-2, 4-20$"
        ):
            use(settings, [2, 3])


def test_a_malformed_file_costs_only_its_task(tmp_path: Path, write_layout: WriteLayout) -> None:
    root = write_layout(tmp_path)
    path = root / "en" / file_name(2, "test")
    path.write_text("1 Otto slept.\n3 Who slept? \totto\t1\n")
    load(OfficialData(root=str(root)), [1])
    with pytest.raises(RequestError, match=rf"^{re.escape(str(path))}:2: line number '3'"):
        load(OfficialData(root=str(root)), [1, 2])


@pytest.mark.parametrize("task", [0, -1])
def test_an_unknown_task_is_named(tmp_path: Path, write_layout: WriteLayout, task: int) -> None:
    with pytest.raises(RequestError, match=rf"^task={task}: expected a number from 1 to 20"):
        load(OfficialData(root=str(write_layout(tmp_path))), [task])


def test_a_higher_number_has_files_of_its_own(tmp_path: Path, write_layout: WriteLayout) -> None:
    settings = OfficialData(root=str(write_layout(tmp_path)))
    folder = tmp_path / "tasks_1-20_v1-2" / "en"
    with pytest.raises(RequestError, match=r"qa21_NAME_train.txt is missing; complete there: tasks 1-2$"):
        load(settings, [21])
    for split in ("train", "test"):
        (folder / f"qa21_keys-in-doors_{split}.txt").write_text(f"1 Otto {split}.\n2 Who? \totto\t1\n")
    dataset = load(settings, [21, 1])
    assert dataset["train"]["task"][0] == 21
    assert dataset["test"]["story"][0] == ["Otto test."]
    assert available(settings) == [1, 2, 21]
    assert fingerprint(settings, [21]) != fingerprint(settings, [1])
    (folder / "qa21_other_test.txt").write_text("1 Otto slept.\n")
    with pytest.raises(RequestError, match=r"qa21_keys-in-doors_test.txt and qa21_other_test.txt in .*; expected one"):
        load(settings, [21])


def test_a_root_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BABI_DATA", str(tmp_path / "environment"))
    with pytest.raises(
        RequestError, match=r"^BABI_DATA=.*environment: no such file or folder; expected tasks_1-20_v1-2"
    ):
        load(OfficialData(), [1])
    with pytest.raises(RequestError, match=r"^data\.root=.*given: no such file or folder; expected tasks_1-20_v1-2"):
        load(OfficialData(root=str(tmp_path / "given")), [1])
    (tmp_path / "given").write_text("not an archive")
    with pytest.raises(RequestError, match=r"given: cannot be unpacked"):
        load(OfficialData(root=str(tmp_path / "given")), [1])


def test_a_folder_without_the_layout_is_described(tmp_path: Path, write_layout: WriteLayout) -> None:
    root = write_layout(tmp_path)
    with pytest.raises(RequestError, match=r"no folder en in it \(there is: qa1_.*\); expected tasks_1-20_v1-2"):
        load(OfficialData(root=str(root / "en")), [1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=r"there is: nothing"):
        load(OfficialData(root=str(tmp_path / "empty")), [1])


def test_without_data_and_network_the_line_says_how_to_give_data(own_cache: Path) -> None:
    with pytest.raises(
        RequestError, match=rf"^[^\n]*{re.escape(str(own_cache))}[^\n]*data\.root[^\n]*BABI_DATA[^\n]*$"
    ):
        load(OfficialData(download=False), [1])
    assert not own_cache.exists()


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path, write_layout: WriteLayout) -> None:
    here, there = (write_layout(tmp_path / name, tasks=(1, 2, 3)) for name in ("here", "there"))
    before = fingerprint(OfficialData(root=str(here)), [1, 2])
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert fingerprint(OfficialData(root=str(there)), [1, 2]) == before
    assert len({before, *(fingerprint(OfficialData(root=str(here)), tasks) for tasks in ([2, 1], [1], [2]))}) == 4

    (here / "en" / file_name(3, "test")).unlink()
    assert fingerprint(OfficialData(root=str(here)), [1, 2]) == before
    changed = here / "en" / file_name(2, "test")
    changed.write_text(changed.read_text() + "1 Nora sang.\n2 Who sang? \tnora\t1\n")
    assert fingerprint(OfficialData(root=str(here)), [1, 2]) != before
    assert fingerprint(OfficialData(root=str(here)), [1]) == fingerprint(OfficialData(root=str(there)), [1])


def test_what_has_changed_since_the_fingerprint_is_refused(tmp_path: Path, write_layout: WriteLayout) -> None:
    """Whatever size and time say: what is read is what counts."""
    settings = OfficialData(root=str(write_layout(tmp_path)))
    planned = fingerprint(settings, [1, 2])
    assert len(load(settings, [1, 2], planned)["train"]) == 6
    path = tmp_path / "tasks_1-20_v1-2" / "en" / file_name(2, "train")
    status, original = path.stat(), path.read_text()
    path.write_text(original.replace("lake", "pond"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(RequestError, match=rf"^{re.escape(str(path.parent))}: the data have changed since [^\n]+$"):
        load(settings, [1, 2], planned)
    path.write_text(original)
    assert len(load(settings, [1, 2], planned)["train"]) == 6


def test_an_edited_file_is_read_again(tmp_path: Path, write_layout: WriteLayout) -> None:
    settings = OfficialData(root=str(write_layout(tmp_path)))
    before = load(settings, [1])
    path = tmp_path / "tasks_1-20_v1-2" / "en" / file_name(1, "train")
    path.write_text(path.read_text().replace("lake", "pond"))
    # The same number of bytes: what betrays the change is the time of the file.
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns + 1))
    after = load(settings, [1])
    assert "pond" in after["train"]["answer"][:]
    assert before["train"]._fingerprint != after["train"]._fingerprint
    assert before["test"]._fingerprint == after["test"]._fingerprint
    assert before["train"]._fingerprint != before["test"]._fingerprint


def test_a_changed_file_is_not_verified(
    tmp_path: Path, write_layout: WriteLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = OfficialData(root=str(write_layout(tmp_path)))
    assert not verified(settings, [1])
    folder = tmp_path / "tasks_1-20_v1-2" / "en"
    sums = {f"en/{path.name}": file_sha256(path) for path in folder.iterdir()}
    monkeypatch.setattr(official, "known_checksums", lambda: sums)
    assert verified(settings, [1, 2])
    sums.pop(f"en/{file_name(2, 'test')}")
    assert verified(settings, [1])
    assert not verified(settings, [1, 2])


def test_the_official_files_are_the_known_ones(official_root: Path) -> None:
    settings = OfficialData(root=str(official_root))
    assert available(settings) == list(TITLES)
    assert verified(settings, list(TITLES))
    assert verified(OfficialData(root=str(official_root), size="10k"), [1, 2, *range(4, 21)])


def test_all_official_tasks_load_quickly(official_root: Path) -> None:
    settings = OfficialData(root=str(official_root))
    load(settings, [1])
    started = time.process_time()
    dataset = load(settings, list(TITLES))
    # About 0.6 s on an ordinary core; the bound leaves room for a slow or busy one.
    assert time.process_time() - started < 5
    for split in ("train", "test"):
        tasks = dataset[split]["task"][:]
        assert tasks == sorted(tasks)
        assert {task: tasks.count(task) for task in TITLES} == dict.fromkeys(TITLES, 1000)
    assert all(max(row.supporting) < len(row.story) for row in from_dataset(dataset["train"]))
