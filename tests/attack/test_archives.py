"""Archives that are damaged or mean harm: refused in one line, with nothing left outside of the cache."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from babi_memnet.data.archive import unpacked
from babi_memnet.errors import RequestError, visible
from tests.attack.trying import RIGHT, TRACEBACK, WRONG, Property, drawn, judge, portions, refusal

COUNT = 60


def _header(kind: bytes, size: int, name: str = "x") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def _member(name: str, content: bytes, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, len(content), link
    return member.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def _sound() -> bytes:
    return _member("top/a.txt", b"one") + _member("top/b.txt", b"two" * 1000)


KINDS: list[Callable[[Random], bytes]] = [
    lambda random: (
        _header(random.choice([b"L", b"K", b"x", b"g", b"X"]), random.choice([10**6, 10**9, 12 * 10**9]))
        + bytes(2_000_000)
    ),
    lambda random: b"".join(
        _member(f"d{place}", b"", random.choice([tarfile.DIRTYPE, tarfile.REGTYPE])) for place in range(20_000)
    ),
    lambda random: _member(
        random.choice(["../x", "/tmp/x", "a/../../x", ".", "", "a" * 90 + "/" + "b" * 9, "\x1b[2J"]), b"x"
    ),
    lambda random: (
        _member("link", b"", random.choice([tarfile.SYMTYPE, tarfile.LNKTYPE]), "/etc/passwd") + _member("link/x", b"x")
    ),
    lambda random: _member("odd", b"", random.choice([tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"Z"])),
    lambda random: _header(tarfile.REGTYPE, random.choice([10**6, 10**10, 10**12])) + bytes(3000),
    lambda _random: b"".join(_header(b"x", 512) + bytes(512) for _ in range(5000)) + _sound(),
    lambda random: bytes(random.randrange(256) for _ in range(4000)),
    lambda _random: _member("a", b"file") + _member("a/b", b"below a file"),
    lambda _random: bytes(30_000_000),
    lambda random: _damaged(random, _sound()),
]


def _damaged(random: Random, content: bytes) -> bytes:
    place = random.randrange(len(content))
    return content[:place] + bytes([random.randrange(256)]) + content[place + 1 :]


def _packed(number: int) -> bytes:
    random = drawn(f"archive {number}")
    packed = gzip.compress(KINDS[number % len(KINDS)](random) + bytes(1024), compresslevel=1)
    return _damaged(random, packed) if number % 7 == 6 else packed


@pytest.mark.parametrize("some", portions(range(COUNT), 30, 11))
def test_an_archive(some: list[int], own_cache: Path, tmp_path: Path, record_property: Property) -> None:
    archive = tmp_path / "a.tar.gz"

    def tried(number: int) -> tuple[str, str]:
        archive.write_bytes(_packed(number))
        try:
            folder = unpacked(archive)
        except RequestError as error:
            return refusal(visible(str(error)).splitlines(), str(archive))
        except Exception as error:
            return TRACEBACK, repr(error)
        outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(own_cache) and path != archive]
        odd = [path for path in folder.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]
        return (WRONG, f"{outside + odd}") if outside or odd else (RIGHT, "")

    judge(((number, tried(number)) for number in some), record_property)


def test_a_huge_header_is_not_read_into_memory(own_cache: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as file:
        file.write(_header(b"L", 12 * 10**9))
        file.write(bytes(1 << 20))
    with pytest.raises(RequestError, match="a header in it is larger than 65536 bytes"):
        unpacked(archive)


def test_members_without_end_are_counted(own_cache: Path, tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for place in range(10_001):
            file.addfile(tarfile.TarInfo(f"{place}"))
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(content.getvalue())
    with pytest.raises(RequestError, match="more than 10000 entries"):
        unpacked(archive)
