from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from babi_memnet.data.output import assembled, refuse_existing
from babi_memnet.errors import RequestError

NAMES = ["a.txt", "folder", "mark.txt"]


def fill(folder: Path, text: str) -> None:
    (folder / "folder").mkdir(parents=True)
    for name in ("a.txt", "folder/b.txt", "mark.txt"):
        (folder / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".")
    }


def test_new_replaces_old_as_a_whole(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    (tmp_path / "folder" / "left.txt").write_text("old")
    (tmp_path / "other.txt").write_text("other")
    with assembled(tmp_path, tmp_path, NAMES) as scratch:
        fill(scratch, "new")
        assert set(contents(tmp_path).values()) == {"old", "other"}
    assert contents(tmp_path) == {"a.txt": "new", "folder/b.txt": "new", "mark.txt": "new", "other.txt": "other"}
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES, "other.txt"}


@pytest.mark.parametrize("stop", range(7))
def test_a_stop_at_any_moment_never_leaves_old_beside_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    fill(tmp_path, "old")
    rename, done = Path.rename, []

    def stopping(path: Path, target: Path) -> Path:
        if len(done) == stop:
            raise KeyboardInterrupt
        done.append(target)
        return rename(path, target)

    def write() -> None:
        with assembled(tmp_path, tmp_path, NAMES) as scratch:
            fill(scratch, "new")

    monkeypatch.setattr(Path, "rename", stopping)
    if stop == 6:
        write()
    else:
        with pytest.raises(KeyboardInterrupt):
            write()
    there = contents(tmp_path)
    assert len(set(there.values())) <= 1
    assert there.get("mark.txt") == {0: "old", 6: "new"}.get(stop)


def test_what_exists_is_named(tmp_path: Path) -> None:
    refuse_existing(tmp_path, tmp_path, NAMES)
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match=rf"^out=out: {tmp_path}/folder exists already; overwrite=true"):
        refuse_existing(Path("out"), tmp_path, NAMES)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(RequestError, match=r"/a.txt exists already, and 1 more; overwrite=true"):
        refuse_existing(Path("out"), tmp_path, NAMES)


def test_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".incomplete-left"
    fill(left, "half")
    with assembled(tmp_path, tmp_path, NAMES) as scratch:
        fill(scratch, "new")
    assert not left.exists()
    assert set(contents(tmp_path).values()) == {"new"}


def test_of_several_at_once_one_writes_and_the_others_are_refused(tmp_path: Path) -> None:
    def write(text: str) -> str:
        try:
            with assembled(tmp_path, tmp_path, NAMES, overwrite=False) as scratch:
                fill(scratch, text)
        except RequestError:
            return "refused"
        return text

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(write, "abcd"))
    assert sorted(said)[1:] == ["refused"] * 3
    assert set(contents(tmp_path).values()) == {min(said)}
