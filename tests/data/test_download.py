from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from babi_memnet.data import checksums
from babi_memnet.data.download import download, downloaded
from babi_memnet.data.official import load
from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError
from tests.data.serving import CONTENT, GOOD, KNOWN, Server, packed, ranged, refused, whole


@pytest.fixture
def server(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(checksums, "known_checksums", lambda: KNOWN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return server


def partial_files(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.partial"))


def assert_complete(folder: Path, cache: Path) -> None:
    for path, content in CONTENT.items():
        assert (folder / "tasks_1-20_v1-2" / path).read_bytes() == content
    assert sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock")) == ["official"]


def test_official_data_are_downloaded_once(server: Server, own_cache: Path) -> None:
    url = server.serve("/good", ranged(GOOD))
    assert downloaded() is None
    dataset = load(OfficialData(mirrors=[url]), [1])
    assert dataset["train"]["answer"][:] == ["otto"]
    assert dataset["test"]["answer"][:] == ["nora"]
    assert downloaded() == own_cache / "official"
    assert_complete(own_cache / "official", own_cache)
    load(OfficialData(mirrors=[url]), [1])
    load(OfficialData(mirrors=[], download=False), [1])
    assert server.requests == [("/good", None)]


def test_a_connection_that_breaks_is_resumed(server: Server, own_cache: Path) -> None:
    piece = len(GOOD) // 3 + 1
    url = server.serve("/breaking", ranged(GOOD, sent=piece))
    assert_complete(download([url]), own_cache)
    assert server.requests == [("/breaking", asked) for asked in (None, f"bytes={piece}-", f"bytes={2 * piece}-")]


def test_a_broken_download_is_resumed_the_next_time(server: Server, own_cache: Path) -> None:
    url = server.serve("/once", whole(GOOD, sent=5000))

    def nothing_more(handler: BaseHTTPRequestHandler) -> None:
        server.answers["/once"] = refused(503)
        whole(GOOD, sent=5000)(handler)

    server.answers["/once"] = nothing_more
    with pytest.raises(RequestError, match="HTTP 503"):
        download([url])
    assert [path.stat().st_size for path in partial_files(own_cache)] == [5000]
    server.answers["/once"] = ranged(GOOD)
    assert_complete(download([url]), own_cache)
    assert server.requests[-1] == ("/once", "bytes=5000-")


def test_a_server_without_ranges_sends_all_again(server: Server, own_cache: Path) -> None:
    url = server.serve("/simple", whole(GOOD, sent=5000))

    def better(handler: BaseHTTPRequestHandler) -> None:
        server.answers["/simple"] = whole(GOOD)
        whole(GOOD, sent=5000)(handler)

    server.answers["/simple"] = better
    assert_complete(download([url]), own_cache)
    assert len(server.requests) == 2


def test_a_complete_partial_file_is_not_fetched_again(server: Server, own_cache: Path) -> None:
    url = server.serve("/good", ranged(GOOD))
    own_cache.mkdir()
    partial_of(url, own_cache).write_bytes(GOOD)
    assert_complete(download([url]), own_cache)
    assert server.requests == [("/good", f"bytes={len(GOOD)}-")]


@pytest.mark.parametrize("stale", [b"x" * 5000, b"x" * (len(GOOD) + 1)], ids=["shorter", "longer"])
def test_a_partial_file_that_does_not_fit_is_thrown_away(server: Server, own_cache: Path, stale: bytes) -> None:
    url = server.serve("/changed", ranged(GOOD))
    own_cache.mkdir()
    partial_of(url, own_cache).write_bytes(stale)
    assert_complete(download([url]), own_cache)
    assert server.requests == [("/changed", f"bytes={len(stale)}-"), ("/changed", None)]


def partial_of(url: str, cache: Path) -> Path:
    return cache / f"download-{hashlib.sha256(url.encode()).hexdigest()[:16]}.partial"


def test_a_refusing_mirror_is_followed_by_the_next(server: Server, own_cache: Path) -> None:
    mirrors = [server.serve("/forbidden", refused(403)), server.serve("/good", ranged(GOOD))]
    assert_complete(download(mirrors), own_cache)
    assert [path for path, _ in server.requests] == ["/forbidden", "/good"]


def test_a_redirection_is_followed(server: Server, own_cache: Path) -> None:
    target = server.serve("/good", ranged(GOOD))
    assert_complete(download([server.serve("/moved", refused(302, ("Location", target)))]), own_cache)


def test_a_browser_name_is_sent(server: Server, own_cache: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        (ranged(GOOD) if handler.headers["User-Agent"].startswith("Mozilla/5.0") else refused(403))(handler)

    assert_complete(download([server.serve("/picky", answer)]), own_cache)


def test_data_that_differ_are_refused_and_the_first_difference_is_named(server: Server, own_cache: Path) -> None:
    path = "en/qa1_single-supporting-fact_test.txt"
    other = packed({**CONTENT, path: CONTENT[path].replace(b"Nora", b"Lora")})
    lacking = packed({name: content for name, content in CONTENT.items() if name != path})
    mirrors = [server.serve("/other", ranged(other)), server.serve("/lacking", ranged(lacking))]
    with pytest.raises(RequestError, match=rf"{path} differs from the official file .*; .*{path} is missing"):
        download(mirrors)
    assert downloaded() is None
    assert partial_files(own_cache) == []
    assert_complete(download([*mirrors, server.serve("/good", ranged(GOOD))]), own_cache)


def test_when_every_mirror_fails_one_line_says_what_was_tried(server: Server, own_cache: Path) -> None:
    hostile = io.BytesIO()
    with tarfile.open(fileobj=hostile, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../outside.txt"))
    answers = {
        "/forbidden": (refused(403), "HTTP 403 Forbidden"),
        "/page": (whole(b"<html>sign in</html>"), "cannot be unpacked"),
        "/hostile": (whole(hostile.getvalue()), "refused, '../../outside.txt'"),
        "/silent": (whole(GOOD, sent=0), f"the connection ended after 0 of {len(GOOD)} bytes"),
    }
    mirrors = [server.serve(path, answer) for path, (answer, _) in answers.items()]
    unused = "http://127.0.0.1:1/closed"
    with pytest.raises(RequestError) as caught:
        load(OfficialData(mirrors=[*mirrors, unused]), [1])
    message = str(caught.value)
    assert "\n" not in message
    for mirror, (_, problem) in zip(mirrors, answers.values(), strict=True):
        assert re.search(rf"{re.escape(mirror)}: [^;]*{re.escape(problem)}", message)
    assert f"{unused}: " in message
    assert "data.root" in message
    assert "BABI_DATA" in message
    assert not (own_cache.parent / "outside.txt").exists()


def test_a_second_process_waits_for_the_first(server: Server, own_cache: Path) -> None:
    released = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        assert released.wait(30)
        ranged(GOOD)(handler)

    url = server.serve("/slow", slow)
    program = (
        "from babi_memnet.data import checksums, download\n"
        f"checksums.known_checksums = lambda: {KNOWN!r}\n"
        "print('asking', flush=True)\n"
        f"print(download.download([{url!r}]))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "asking\n"
    with pytest.raises(subprocess.TimeoutExpired):
        processes[0].wait(0.3)
    released.set()
    assert [process.communicate(timeout=30)[0].strip() for process in processes] == [str(own_cache / "official")] * 2
    assert [process.returncode for process in processes] == [0, 0]
    assert server.requests == [("/slow", None)]
