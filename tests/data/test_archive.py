from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from babi_memnet.data import archive as archive_module
from babi_memnet.data.archive import unpack, unpacked
from babi_memnet.errors import RequestError


def write_archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def file(name: str, content: bytes = b"content") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def special(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member, b""


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_an_archive_is_unpacked_once(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(
        tmp_path / "a.tar.gz", [special("top", tarfile.DIRTYPE), file("top/in/a.txt"), file("b.txt")]
    )
    folder = unpacked(archive)
    assert files_below(folder) == {"top/in/a.txt", "b.txt"}
    assert (folder / "top/in/a.txt").read_bytes() == b"content"
    assert folder.is_relative_to(own_cache)

    monkeypatch.setattr(archive_module, "unpack", lambda *_: pytest.fail("unpacked a second time"))
    moved = archive.rename(tmp_path / "other.tar.gz")
    assert unpacked(moved) == folder


def test_another_archive_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    first = unpacked(write_archive(tmp_path / "a.tar.gz", [file("a.txt", b"one")]))
    second = unpacked(write_archive(tmp_path / "a.tar.gz", [file("a.txt", b"two, longer")]))
    assert [(folder / "a.txt").read_bytes() for folder in (first, second)] == [b"one", b"two, longer"]


@pytest.mark.parametrize(
    "bad",
    [
        file("../escaped.txt"),
        file("top/../../escaped.txt"),
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("link", tarfile.SYMTYPE, "good.txt"),
        special("link", tarfile.LNKTYPE, "good.txt"),
        special("device", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member[0].name}-{member[0].type!r}",
)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, own_cache: Path, bad: tuple[tarfile.TarInfo, bytes]
) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", [file("good.txt"), bad, file("later.txt")])
    with pytest.raises(RequestError, match=rf"a\.tar\.gz: refused, {re.escape(repr(bad[0].name))} in it is not"):
        unpacked(archive)
    assert files_below(tmp_path) <= {
        "a.tar.gz",
        *(f"cache/{name}" for name in files_below(own_cache) if ".lock" in name),
    }


def test_an_absolute_path_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "outside.txt"
    archive = write_archive(tmp_path / "a.tar.gz", [file(str(target))])
    with pytest.raises(RequestError, match="is not a plain file inside a folder"):
        unpacked(archive)
    assert not target.exists()


def test_an_archive_that_grows_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_MOST_BYTES", 1000)
    archive = write_archive(tmp_path / "a.tar.gz", [file("a.txt", bytes(600)), file("b.txt", bytes(600))])
    with pytest.raises(RequestError, match="unpacks to more than 1000 bytes"):
        unpacked(archive)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", [file("a.txt", bytes(range(256)) * 400)])
    content = archive.read_bytes()
    for damaged in (content[: len(content) // 2], b"<html>", b"", content[:200] + b"\0" * 100 + content[300:]):
        archive.write_bytes(damaged)
        with pytest.raises(RequestError, match=r"^[^\n]*a\.tar\.gz: cannot be unpacked [^\n]*$"):
            unpack(archive, tmp_path / "target")
        assert not (tmp_path / "target").exists()


def test_a_refused_content_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", [file("a.txt")])
    seen: list[str] = []

    def refuse(folder: Path) -> None:
        seen.extend(files_below(folder))
        raise RequestError("not this one")

    with pytest.raises(RequestError, match="not this one"):
        unpack(archive, tmp_path / "target", refuse)
    assert seen == ["a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", [file("a.txt")])
    leftover = tmp_path / ".target.unpacking"
    leftover.mkdir()
    (leftover / "half.txt").write_text("half")
    unpack(archive, tmp_path / "target")
    assert files_below(tmp_path / "target") == {"a.txt"}
    assert not leftover.exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BABI_CACHE", str(tmp_path / "file" / "cache"))
    archive = write_archive(tmp_path / "a.tar.gz", [file("a.txt")])
    with pytest.raises(RequestError, match=r"cannot be written .*; set the environment variable BABI_CACHE"):
        unpacked(archive)
