"""A local server and what it serves: a small archive in the official layout, whole, in pieces, or not at all."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = {
    "en/qa1_single-supporting-fact_train.txt": b"1 Otto slept.\n2 Who slept? \totto\t1\n",
    "en/qa1_single-supporting-fact_test.txt": b"1 Nora slept.\n2 Who slept? \tnora\t1\n",
    # Large and without regularity, so that the archive does not fit into one block of a transfer.
    "README.txt": b"".join(hashlib.sha256(bytes([a, b])).digest() for a in range(256) for b in range(50)),
}
KNOWN = {path: hashlib.sha256(content).hexdigest() for path, content in CONTENT.items() if path.startswith("en/")}

Answer = Callable[[BaseHTTPRequestHandler], None]


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
                outer.answers.get(self.path, refused(404))(self)

            do_HEAD = do_GET

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
