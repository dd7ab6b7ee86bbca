"""A local server and what it serves: a small archive in the official layout, whole, in pieces, or not at all; a hub."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONTENT = {
    "en/qa1_single-supporting-fact_train.txt": b"1 Otto slept.\n2 Who slept? \totto\t1\n",
    "en/qa1_single-supporting-fact_test.txt": b"1 Nora slept.\n2 Who slept? \tnora\t1\n",
    # Large and without regularity, so that the archive does not fit into one block of a transfer.
    "README.txt": b"".join(hashlib.sha256(bytes([a, b])).digest() for a in range(256) for b in range(50)),
}
KNOWN = {path: hashlib.sha256(content).hexdigest() for path, content in CONTENT.items() if path.startswith("en/")}

Answer = Callable[[BaseHTTPRequestHandler], None]


def printed(program: str, *words: str, home: Path, environ: Mapping[str, str]) -> list[str]:
    """The lines that a program prints in a process of its own, whose hub client has this home and environment."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**kept, "HF_HOME": str(home), "no_proxy": "127.0.0.1,localhost", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def packed(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, data in content.items():
            member = tarfile.TarInfo(f"tasks_1-20_v1-2/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


GOOD = packed(CONTENT)


class Server:
    """A local server; ``answers`` gives by path what to do, ``requests`` lists path and ``Range`` of every request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, self.headers.get("Range")))
                outer.answers.get(self.path.partition("?")[0], refused(404))(self)

            do_HEAD = do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return f"http://127.0.0.1:{self.http.server_port}{path}"


def whole(content: bytes, sent: int | None = None) -> Answer:
    """Send ``content`` without knowing about ranges; with ``sent``, hang up after so many bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:sent])

    return answer


def ranged(content: bytes, sent: int | None = None) -> Answer:
    """Send what is asked for; with ``sent``, hang up after so many bytes of an answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        if asked is None:
            return whole(content, sent)(handler)
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return refused(416, ("Content-Range", f"bytes */{len(content)}"))(handler)
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start : None if sent is None else start + sent])
        return None

    return answer


def refused(code: int, *headers: tuple[str, str]) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def told(content: object, *headers: tuple[str, str]) -> Answer:
    """Send ``content`` as JSON."""
    text = json.dumps(content).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in (("Content-Type", "application/json"), *headers):
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(text)

    return answer


class ModelHub:
    """Has a server behave as the Hugging Face hub does with one model repository that somebody uploads and fetches.

    Attributes:
        made: what the repository was asked to be, once it was.
        files: what was committed last, by name.
        tokens: who asked to write.
        endpoint: the address for ``HF_ENDPOINT``.
    """

    COMMIT = "5" * 40

    def __init__(self, server: Server, name: str) -> None:
        self.made: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self._server, self._name = server, name
        api = f"/api/models/{name}"
        for path, answer in {
            "/api/repos/create": self._make,
            "/api/validate-yaml": told({"errors": [], "warnings": []}),
            f"{api}/preupload/main": self._plan,
            f"{api}/commit/main": self._commit,
        }.items():
            server.serve(path, answer)
        self.endpoint = server.serve("", refused(404))

    def _make(self, handler: BaseHTTPRequestHandler) -> None:
        self.tokens.add(handler.headers.get("Authorization"))
        self.made = json.loads(posted(handler))
        told({"url": f"{self.endpoint}/{self._name}"})(handler)

    def _plan(self, handler: BaseHTTPRequestHandler) -> None:
        files = json.loads(posted(handler))["files"]
        plan = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
        told({"files": plan})(handler)

    def _commit(self, handler: BaseHTTPRequestHandler) -> None:
        lines = [json.loads(line) for line in posted(handler).splitlines()]
        self.files = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines if line["key"] == "file"
        }
        self._publish()
        told({"commitUrl": f"{self.endpoint}/{self._name}/commit/{self.COMMIT}", "commitOid": self.COMMIT})(handler)

    def _publish(self) -> None:
        """Serve what was committed."""
        info = {"id": self._name, "sha": self.COMMIT, "siblings": [{"rfilename": name} for name in self.files]}
        tree = [
            {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for name, content in self.files.items()
        ]
        for revision in ("main", self.COMMIT):
            self._server.serve(f"/api/models/{self._name}/revision/{revision}", told(info))
            self._server.serve(f"/api/models/{self._name}/tree/{revision}", told(tree))
            for name, content in self.files.items():
                self._server.serve(f"/{self._name}/resolve/{revision}/{name}", self._file(content))

    def _file(self, content: bytes) -> Answer:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("X-Repo-Commit", self.COMMIT)
            handler.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            if handler.command != "HEAD":
                handler.wfile.write(content)

        return answer


def posted(handler: BaseHTTPRequestHandler) -> bytes:
    """What the client sends along, whole or in pieces."""
    if (length := handler.headers.get("Content-Length")) is not None:
        return handler.rfile.read(int(length))
    content = b""
    while size := int(handler.rfile.readline(), 16):
        content += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return content
