"""Files of others: regular ones below a limit are read, of anything else one line says what it is."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.reading import read_regular


def test_a_regular_file_is_read(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"\x00" * (1 << 20))
    assert read_regular(path, 1) == path.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_regular(link, 1) == path.read_bytes()


def test_what_is_larger_is_not_read(tmp_path: Path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(20 << 30)
    with pytest.raises(RequestError, match=rf"^{re.escape(str(path))}: larger than 1 MiB; expected a smaller file$"):
        read_regular(path, 1)


@pytest.mark.parametrize("kind", ["a folder", "a named pipe", "a socket", "a device"])
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path, kind: str):
    path = tmp_path / "it"
    listening = socket.socket(socket.AF_UNIX)
    if kind == "a folder":
        path.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        listening.bind(str(path))
    else:
        path = Path("/dev/zero")
    with listening, pytest.raises(RequestError, match=r": (expected a regular file, found|cannot be read)") as caught:
        read_regular(path, 1)
    assert "\n" not in str(caught.value)
    if kind != "a socket":  # which cannot even be opened
        assert str(caught.value) == f"{path}: expected a regular file, found {kind}"


def test_what_is_not_there_is_for_the_caller_to_say(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 1)
