"""The known SHA-256 of the official files, and comparison with them.

``official_sha256.txt`` lists the files of ``en`` and ``en-10k`` in the form of ``sha256sum``, so that it can also be
used by hand: ``sha256sum -c`` inside ``tasks_1-20_v1-2``. The train file of task 3 in ``en-10k`` is not listed.
"""

from __future__ import annotations

from pathlib import Path

from babi_memnet.errors import RequestError
from babi_memnet.reading import file_sha256


def known_checksums() -> dict[str, str]:
    """Hex SHA-256 by path below ``tasks_1-20_v1-2``, such as ``en/qa1_single-supporting-fact_test.txt``."""
    lines = Path(__file__).with_name("official_sha256.txt").read_text(encoding="ascii").splitlines()
    return {path: digest for digest, path in (line.split() for line in lines)}


def check_official(folder: Path) -> None:
    """Raise ``RequestError`` naming the first known file that is absent from ``folder`` or differs there."""
    for path, digest in known_checksums().items():
        if not (folder / path).is_file():
            raise RequestError(f"{path} is missing in the archive")
        if file_sha256(folder / path) != digest:
            raise RequestError(f"{path} differs from the official file (its SHA-256 is not {digest})")
