"""Models on the hub. Its client reads the environment once, when it is imported: every test asks other processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from babi_memnet.data.hub_models import check_repository, model_folder, push_model
from babi_memnet.errors import RequestError
from tests.data.serving import ModelHub, Server, printed, refused, told

FILES = {"README.md": "---\ntags: [babi]\n---\n", "config.json": "{}", "model.safetensors": "parameters"}

# Prints the result of each call, or why it is refused.
PROGRAM = """
import json, sys
from pathlib import Path
from babi_memnet.data import hub_models
from babi_memnet.errors import RequestError
for name, arguments in json.loads(sys.argv[1]):
    try:
        print(getattr(hub_models, name)(*arguments))
    except RequestError as error:
        print(error)
"""
Ask = Callable[..., list[str]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A function that calls functions of hub_models with an environment; gives what was printed, a line for each."""

    def run(*calls: tuple[str, list[object]], **environ: str) -> list[str]:
        return printed(PROGRAM, json.dumps(calls), home=tmp_path / "home", environ=environ)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "network"
    folder.mkdir()
    for name, content in {**FILES, "notes.txt": "nobody else's"}.items():
        (folder / name).write_text(content)
    return folder


def test_what_is_uploaded_is_what_is_fetched(tmp_path: Path, server: Server, folder: Path, ask: Ask) -> None:
    hub = ModelHub(server, "me/network")
    push = ("push_model", [str(folder), list(FILES), "me/network", True])
    (address,) = ask(push, HF_ENDPOINT=hub.endpoint, HF_TOKEN="hf_mine")
    assert address == f"{hub.endpoint}/me/network"
    assert hub.made == {"name": "network", "organization": "me", "visibility": "private"}
    assert hub.tokens == {"Bearer hf_mine"}
    assert {name: content.decode() for name, content in hub.files.items()} == FILES

    fetch = ("model_folder", ["me/network"])
    (found,) = ask(fetch, HF_ENDPOINT=hub.endpoint)
    assert {path.name: path.read_text() for path in Path(found).iterdir()} == FILES
    # from then on no network is needed
    assert ask(fetch, HF_HUB_OFFLINE="1") == [found]
    assert ask(fetch, HF_ENDPOINT="http://127.0.0.1:9") == [found]
    # but a hub that says that there is none is believed
    server.serve("/me/network/resolve/main/config.json", refused(404, ("X-Error-Code", "RepoNotFound")))
    (line,) = ask(fetch, HF_ENDPOINT=hub.endpoint)
    assert line.startswith(f"me/network: no such folder; expected one, or a model repository of {hub.endpoint} ")


def test_a_repository_can_be_public(server: Server, folder: Path, ask: Ask) -> None:
    hub = ModelHub(server, "me/network")
    ask(("push_model", [str(folder), ["config.json"], "me/network", False]), HF_ENDPOINT=hub.endpoint, HF_TOKEN="hf_a")
    assert (hub.made["visibility"], hub.files) == ("public", {"config.json": b"{}"})


def test_refusals_are_one_line_and_come_at_once(server: Server, folder: Path, ask: Ask) -> None:
    hub = ModelHub(server, "me/network")
    server.serve("/api/repos/create", refused(401))
    server.serve("/old/one/resolve/main/config.json", refused(404, ("X-Error-Code", "RevisionNotFound")))
    server.serve("/empty/one/resolve/main/config.json", refused(404, ("X-Error-Code", "EntryNotFound")))
    server.serve("/busy/one/resolve/main/config.json", refused(503))
    server.serve("/strange/one/resolve/main/config.json", told({}))
    push = ("push_model", [str(folder), list(FILES), "me/network", True])
    started = time.monotonic()
    lines = ask(
        push,
        *(("model_folder", [f"{name}/one"]) for name in ("old", "empty", "busy", "strange")),
        HF_ENDPOINT=hub.endpoint,
    )
    expected = [
        f"push=me/network: {folder} could not be uploaded to {hub.endpoint} (HTTP 401); expected the network, and",
        "revision=main: expected a commit, branch or tag of old/one",
        "empty/one: expected a model that babi-export wrote, found no config.json in it",
        f"busy/one: could not be fetched from {hub.endpoint} (HTTP 503); check the network",
        f"strange/one: could not be fetched from {hub.endpoint} (",
    ]
    assert len(lines) == len(expected)
    for line, beginning in zip(lines, expected, strict=True):
        assert line.startswith(beginning)

    (fetched, pushed) = ask(("model_folder", ["me/network"]), push, HF_HUB_OFFLINE="1")
    assert fetched.startswith("me/network: no such folder, nor is it in the cache ")
    assert pushed.startswith(f"push=me/network: {folder} could not be uploaded to https://")
    (line,) = ask(("model_folder", ["me/network"]), HF_ENDPOINT="http://127.0.0.1:9")
    assert "could not be fetched from http://127.0.0.1:9 ([Errno 111] Connection refused); check the network" in line
    assert time.monotonic() - started < 30


def test_what_is_no_name_is_not_asked_for(folder: Path) -> None:
    with pytest.raises(
        RequestError, match=r"^no/such/folder: no such folder; expected one that babi-export wrote, or "
    ):
        model_folder("no/such/folder")
    for wrong in ("network", "a/b/c", 4):
        with pytest.raises(RequestError, match=rf"^push={wrong}: expected OWNER/NAME"):
            check_repository("push", wrong)
    with pytest.raises(RequestError, match=r"^push=network: expected OWNER/NAME"):
        push_model(folder, list(FILES), "network", True)
