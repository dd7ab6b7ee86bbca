"""The official layout on disk: two files per task in a folder for each language and size, whoever put them there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from babi_memnet.data.babi_format import SPLITS, file_name, questions_in, read_content
from babi_memnet.data.cache import remembered_sha256
from babi_memnet.data.records import StoryQuestion, to_dataset
from babi_memnet.errors import RequestError
from babi_memnet.tasks import TASKS

if TYPE_CHECKING:
    import datasets

_NUMBERED = re.compile(r"qa([1-9]\d{0,3})_")

ARCHIVE_FOLDER = "tasks_1-20_v1-2"


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """A folder such as ``tasks_1-20_v1-2/en-10k``; ``origin`` says in errors which setting led there."""

    path: Path
    origin: str

    def files(self, tasks: list[int]) -> dict[tuple[int, str], Path]:
        """The path for every task and split; raises ``RequestError`` when one is missing."""
        files = {(task, split): self._file(task, split) for task in tasks for split in SPLITS}
        for path in files.values():
            if not path.is_file():
                raise RequestError(f"{self.origin}: {path} is missing; complete there: {in_words(self.complete())}")
        return files

    def _file(self, task: int, split: str) -> Path:
        """The path of a file; of a task beyond the published ones it is that of its number, whatever the name in it.

        Raises ``RequestError`` where there are several of that number, as nobody knows which is meant.
        """
        if task in TASKS:
            return self.path / file_name(task, split)
        pattern = f"qa{task}_*_{split}.txt"
        found = sorted(self.path.glob(pattern))
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise RequestError(f"{self.origin}: {names} in {self.path}; expected one file {pattern}")
        return found[0] if found else self.path / f"qa{task}_NAME_{split}.txt"

    def origin_of(self, tasks: list[int]) -> str:
        """The files with the training questions of these tasks, for errors."""
        return ", ".join(str(path) for (_, split), path in self.files(tasks).items() if split == "train")

    def complete(self) -> list[int]:
        """The tasks whose train and test files are both there, in order of their numbers."""
        own = {int(found[1]) for path in self.path.glob("qa*.txt") if (found := _NUMBERED.match(path.name))}
        numbers = [*TASKS, *sorted(number for number in own if number not in TASKS)]
        return [task for task in numbers if all(self._file(task, split).is_file() for split in SPLITS)]

    def load(self, tasks: list[int], expected: str | None = None) -> datasets.DatasetDict:
        """The splits of ``tasks``, task after task in the given order; only the files of these tasks are touched.

        Raises ``RequestError`` when a file is missing or malformed, or what was read is not what is ``expected``, an
        earlier `fingerprint`.
        """
        from datasets import DatasetDict

        files = self.files(tasks)
        # Each file is read once, and what is counted as its content is what was read.
        contents = {key: read_content(path) for key, path in files.items()}
        checksums = {key: hashlib.sha256(content).hexdigest() for key, content in contents.items()}
        if expected not in (None, _digest(checksums, tasks, SPLITS)):
            raise changed(str(self.path))

        def records(split: str) -> Iterator[StoryQuestion]:
            for task in tasks:
                yield from questions_in(contents[task, split], task, str(files[task, split]))

        return DatasetDict({split: to_dataset(records(split), _digest(checksums, tasks, (split,))) for split in SPLITS})

    def fingerprint(self, tasks: list[int]) -> str:
        """Hex SHA-256 over task, split and content of the files that ``load`` would read, wherever they lie."""
        checksums = {key: remembered_sha256(path) for key, path in self.files(tasks).items()}
        return _digest(checksums, tasks, SPLITS)


def find_task_folder(root: Path, name: str, origin: str, expected: str) -> TaskFolder:
    """The folder ``name`` (``en``, ``en-10k``, ...) in ``root``, which is or holds ``tasks_1-20_v1-2``.

    Raises ``RequestError`` that begins with ``origin`` and ends with ``expected`` when there is none.
    """
    for base in (root, root / ARCHIVE_FOLDER):
        if (base / name).is_dir():
            return TaskFolder(base / name, origin)
    inner = root / ARCHIVE_FOLDER
    names = sorted(path.name for path in (inner if inner.is_dir() else root).iterdir())
    there = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    raise RequestError(f"{origin}: no folder {name} in it (there is: {there or 'nothing'}); expected {expected}")


def in_words(tasks: list[int]) -> str:
    """``tasks 1-2, 4-20`` for the numbers in between."""
    if not tasks:
        return "no task"
    runs: list[list[int]] = []
    for task in tasks:
        if runs and task == runs[-1][1] + 1:
            runs[-1][1] = task
        else:
            runs.append([task, task])
    return "tasks " + ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def changed(place: str) -> RequestError:
    """The error for data that are no longer what a run was planned with."""
    return RequestError(f"{place}: the data have changed since this run was planned; start it again, for a new record")


def _digest(checksums: dict[tuple[int, str], str], tasks: list[int], splits: tuple[str, ...]) -> str:
    content = [f"{task} {split} {checksums[task, split]}" for split in splits for task in tasks]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()
