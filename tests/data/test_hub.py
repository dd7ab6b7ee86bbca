"""The source ``hub``. Its client reads the environment once, when it is imported: every test asks another process."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.data import official
from babi_memnet.data.settings import HubData, OfficialData
from tests.data.serving import CONTENT, GOOD, KNOWN, Answer, Server, packed, printed, refused, whole
from tests.running import Run

Ask = Callable[..., list[str]]

# Prints for each settings the fingerprint of task 1 or, with "rows", its answers; where it is refused, why.
PROGRAM = """
import json, sys
from babi_memnet.data import checksums, hub
from babi_memnet.data.settings import HubData
from babi_memnet.errors import RequestError
known, every = json.loads(sys.argv[1]), json.loads(sys.argv[2])
if known:
    checksums.known_checksums = lambda: known
for rows, settings in every:
    try:
        if rows:
            print({split: rows["answer"][:] for split, rows in hub.load(HubData(**settings), [1]).items()})
        else:
            print(hub.fingerprint(HubData(**settings), [1]))
    except RequestError as error:
        print(error)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The hub client's own folder, with its cache."""
    return tmp_path / "home"


@pytest.fixture
def ask(home: Path) -> Ask:
    """A function that asks for data with an environment; gives what was printed, a line for each settings."""

    def run(*every: dict[str, Any], rows: bool = False, known: dict[str, str] = KNOWN, **environ: str) -> list[str]:
        asked = [json.dumps(known), json.dumps([(rows, settings) for settings in every or ({},)])]
        return printed(PROGRAM, *asked, home=home, environ=environ)

    return run


def path_of(settings: HubData) -> str:
    return f"/datasets/{settings.repository}/resolve/{settings.revision}/{settings.file}"


def moved(content: bytes, to: str) -> Answer:
    """What the hub answers for a large file: where it lies, and what it will be."""
    digest = hashlib.sha256(content).hexdigest()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        refused(
            302,
            ("Location", to),
            ("X-Repo-Commit", HubData().revision),
            ("X-Linked-Etag", f'"{digest}"'),
            ("X-Linked-Size", str(len(content))),
        )(handler)

    return answer


def publish(server: Server, content: bytes) -> str:
    """Serve ``content`` as the hub does, from another host name; returns the address of the hub."""
    stored = server.serve("/stored", whole(content)).replace("127.0.0.1", "localhost")
    return server.serve(path_of(HubData()), moved(content, stored)).removesuffix(path_of(HubData()))


def put_into_cache(home: Path, content: bytes) -> Path:
    """Lay ``content`` where the client keeps the file of the pinned revision."""
    repository = home / "hub" / "datasets--facebook--babi_qa"
    path = repository / "snapshots" / HubData().revision / HubData().file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def own_fingerprint(tmp_path: Path) -> str:
    """That of the same content as official files in a folder."""
    for name, content in CONTENT.items():
        path = tmp_path / "folder" / "tasks_1-20_v1-2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return official.fingerprint(OfficialData(root=str(tmp_path / "folder")), [1])


def test_the_archive_is_fetched_once(tmp_path: Path, own_cache: Path, server: Server, ask: Ask) -> None:
    endpoint = publish(server, GOOD)
    rows = str({"train": ["otto"], "test": ["nora"]})
    assert ask(rows=True, HF_ENDPOINT=endpoint) == [rows]
    assert [path for path, _ in server.requests].count("/stored") == 1

    server.requests.clear()
    assert ask({}, {}, HF_ENDPOINT=endpoint) == [own_fingerprint(tmp_path)] * 2
    assert server.requests == []
    (unpacked,) = (path for path in (own_cache / "hub").iterdir() if path.is_dir())
    assert unpacked.name == hashlib.sha256(GOOD).hexdigest()


def test_what_the_client_has_in_its_cache_needs_no_network(tmp_path: Path, home: Path, ask: Ask) -> None:
    put_into_cache(home, GOOD)
    expected = [own_fingerprint(tmp_path)]
    assert ask(HF_HUB_OFFLINE="1") == expected
    assert ask(HF_ENDPOINT="http://127.0.0.1:9") == expected


def test_without_a_network_one_line_comes_at_once(home: Path, server: Server, ask: Ask) -> None:
    (line,) = ask(HF_HUB_OFFLINE="1")
    assert line.startswith(
        f"data=hub: data/tasks_1-20_v1-2.tar.gz of facebook/babi_qa is not in the cache {home}/hub, and HF_HUB_OFFLINE "
    )
    assert "data=official data.root=DIR" in line

    started = time.monotonic()
    (line,) = ask(HF_ENDPOINT="http://127.0.0.1:9")
    # The client by itself takes 24 s.
    assert time.monotonic() - started < 10
    assert "could not be fetched from http://127.0.0.1:9 ([Errno 111] Connection refused); check the network" in line
    assert "data=official data.root=DIR" in line


def test_a_refusal_of_the_hub_names_the_key_and_is_not_repeated(server: Server, ask: Ask) -> None:
    answers = {
        "busy/one": (refused(503), "(HTTP 503); check the network"),
        "forbidden/one": (refused(403), "(HTTP 403); check the network"),
        "strange/one": (whole(b"<html>"), "could not be fetched from http://127.0.0.1"),
        "no/one": (refused(401, ("X-Error-Code", "RepoNotFound")), "data.repository=no/one: expected a public dataset"),
        "old/one": (refused(404, ("X-Error-Code", "RevisionNotFound")), "data.revision=35110b69"),
        "empty/one": (refused(404, ("X-Error-Code", "EntryNotFound")), "data.file=data/tasks_1-20_v1-2.tar.gz: "),
    }
    every = []
    for repository, (answer, _) in answers.items():
        every.append({"repository": repository})
        server.serve(path_of(HubData(repository=repository)), answer)
    started = time.monotonic()
    lines = ask(*every, HF_ENDPOINT=server.serve("", refused(404)))
    assert time.monotonic() - started < 20
    assert len(lines) == len(every)
    for line, (_, expected) in zip(lines, answers.values(), strict=True):
        assert expected in line
    asked = [path for path, _ in server.requests if path.startswith("/datasets/")]
    once = [path_of(HubData(repository=repository)) for repository in answers]
    # That it is no hub at all shows only in the second answer.
    assert asked == [*once[:3], once[2], *once[3:]]


def test_other_content_is_refused_and_leaves_nothing(home: Path, own_cache: Path, ask: Ask) -> None:
    name = "en/qa1_single-supporting-fact_test.txt"
    archive = put_into_cache(home, packed({**CONTENT, name: CONTENT[name].replace(b"Nora", b"Lora")}))
    assert ask(HF_HUB_OFFLINE="1") == [
        f"{archive}: refused, {name} differs from the official file (its SHA-256 is not {KNOWN[name]})"
    ]
    archive.write_bytes(GOOD[: len(GOOD) // 2])
    (line,) = ask(HF_HUB_OFFLINE="1")
    assert line.startswith(f"{archive}: cannot be unpacked (")
    assert [path for path in own_cache.rglob("*") if path.is_dir()] == [own_cache / "hub"]


def test_a_language_that_is_not_in_the_archive_is_named(home: Path, ask: Ask) -> None:
    put_into_cache(home, GOOD)
    (line,) = ask({"language": "hn", "size": "10k"}, HF_HUB_OFFLINE="1")
    assert line == (
        "data.file=data/tasks_1-20_v1-2.tar.gz: no folder hn-10k in it (there is: README.txt, en); expected "
        "tasks_1-20_v1-2.tar.gz"
    )


def test_a_command_refuses_in_one_line_and_leaves_nothing(process: Run, tmp_path: Path) -> None:
    found = process("train", "task=1", "data=hub", environ={"HF_HOME": str(tmp_path / "home")})
    assert found.returncode == 2
    assert found.stderr.startswith("babi-train: data=hub: ")
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_the_official_archive_passes_its_verification(
    official_root: Path, tmp_path: Path, home: Path, ask: Ask
) -> None:
    packed_files = tmp_path / "official.tar.gz"
    with tarfile.open(packed_files, "w:gz", compresslevel=1) as archive:
        archive.add(official_root, "tasks_1-20_v1-2")
    put_into_cache(home, packed_files.read_bytes())
    expected = OfficialData(root=str(official_root))
    answers = {split: rows["answer"][:] for split, rows in official.load(expected, [1]).items()}
    assert ask({}, known={}, HF_HUB_OFFLINE="1") == [official.fingerprint(expected, [1])]
    assert ask({}, known={}, rows=True, HF_HUB_OFFLINE="1") == [str(answers)]
