"""Downloading the official archive: several mirrors, resumed transfers, every known file verified."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from babi_memnet.data.archive import unpack
from babi_memnet.data.cache import cache_directory, locked
from babi_memnet.data.checksums import check_official
from babi_memnet.data.layout import ARCHIVE_FOLDER
from babi_memnet.errors import RequestError

_log = logging.getLogger(__name__)
_SECONDS_OF_SILENCE = 30.0
_CONNECTIONS_PER_MIRROR = 5
# One mirror answers 403 to clients that do not look like a browser.
_USER_AGENT = "Mozilla/5.0 (compatible; babi_memnet)"


def downloaded() -> Path | None:
    """The folder in the cache that holds the official data, when they were downloaded before."""
    folder = cache_directory() / "official"
    return folder if folder.is_dir() else None


def download(mirrors: list[str]) -> Path:
    """Fetch the official archive from the first mirror that has it, and unpack it into the cache; returns the folder.

    Processes that ask at the same time wait for the one that was first. Raises ``RequestError`` that names every mirror
    with its problem when none of them gave the official data.
    """
    target = cache_directory() / "official"
    with locked(target):
        if target.is_dir():
            return target
        problems = []
        for mirror in mirrors:
            _log.info("downloading the official bAbI data from %s", mirror)
            try:
                _download_from(mirror, target)
                return target
            except (OSError, http.client.HTTPException, RequestError) as error:
                problems.append(f"{mirror}: {_reason(error)}")
                _log.info("%s", problems[-1])
    raise RequestError(
        f"the official bAbI data could not be downloaded ({'; '.join(problems) or 'data.mirrors is empty'}); "
        f"get {ARCHIVE_FOLDER}.tar.gz by hand and name it, or a folder that holds {ARCHIVE_FOLDER}, by data.root or "
        "the environment variable BABI_DATA"
    )


def _download_from(mirror: str, target: Path) -> None:
    """Make ``target`` from what ``mirror`` serves; what arrived stays for the next time if the connection breaks."""
    # One partial file per mirror, because two mirrors may have packed the same files differently.
    name = hashlib.sha256(mirror.encode()).hexdigest()[:16]
    partial = target.with_name(f"download-{name}.partial")
    resumed = partial.exists()
    _fetch(mirror, partial)
    try:
        unpack(partial, target, lambda folder: check_official(folder / ARCHIVE_FOLDER))
    except RequestError:
        partial.unlink()
        if not resumed:
            raise
        # The file may have changed on the server between the two halves: once more from the start.
        _download_from(mirror, target)
    else:
        partial.unlink()


def _fetch(url: str, partial: Path) -> None:
    """Complete ``partial``, continuing after its last byte when a connection ends early; raises ``OSError``."""
    for _ in range(_CONNECTIONS_PER_MIRROR):
        start = partial.stat().st_size if partial.exists() else 0
        total = _transfer(url, partial, start)
        size = partial.stat().st_size
        if total is None or size == total:
            return
        if size <= start:
            break
    raise OSError(f"the connection ended after {size} of {total} bytes")


def _transfer(url: str, partial: Path, start: int) -> int | None:
    """One request for the bytes from ``start`` on; returns the length of the whole file, if the server tells."""
    from tqdm import tqdm

    request = Request(url, headers={"User-Agent": _USER_AGENT})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urlopen(request, timeout=_SECONDS_OF_SILENCE)
    except HTTPError as error:
        with error:
            if error.code != 416 or not start:
                raise
            # There is nothing after our last byte: either we have all of it, or another file lies there now.
            total = _total_of_range(error.headers.get("Content-Range"))
        if total != start:
            partial.unlink()
            return _transfer(url, partial, 0)
        return total
    with response:
        content_range = response.headers.get("Content-Range")
        if response.status == 206:
            if not (content_range or "").startswith(f"bytes {start}-"):
                raise OSError(f"asked for bytes from {start} on, the answer has {content_range}")
            total = _total_of_range(content_range)
        else:
            # The server does not resume and sends the whole file.
            start = 0
            length = response.headers.get("Content-Length")
            total = int(length) if length else None
        # disable=None: a bar on a terminal, nothing in a log file.
        progress = tqdm(total=total, initial=start, unit="B", unit_scale=True, leave=False, disable=None)
        with partial.open("ab" if start else "wb") as file, progress:
            try:
                while block := response.read(1 << 16):
                    file.write(block)
                    progress.update(len(block))
            except (ConnectionError, TimeoutError, http.client.IncompleteRead) as error:
                # What has arrived counts; the caller compares the length and asks for the rest.
                _log.info("%s: %s", url, _reason(error))
    return total


def _total_of_range(header: str | None) -> int | None:
    """The length of the whole file in a ``Content-Range`` header: 900 in ``bytes 300-899/900`` or ``bytes */900``."""
    found = re.search(r"/(\d+)$", header or "")
    return int(found[1]) if found else None


def _reason(error: Exception) -> str:
    """What went wrong, on one line."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    text = str(error.reason if isinstance(error, URLError) else error) or type(error).__name__
    return " ".join(text.split())
