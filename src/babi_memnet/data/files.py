"""Stories of one's own, in files that are called anything: which task is in which of them, and reading them."""

from __future__ import annotations

import glob
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from babi_memnet.data.babi_format import LARGEST_FILE, questions_in, read_content
from babi_memnet.data.cache import remembered_sha256
from babi_memnet.data.layout import changed
from babi_memnet.data.own_format import OWN
from babi_memnet.data.records import StoryQuestion, to_dataset
from babi_memnet.data.rows import Row, json_rows, parquet_rows, record_of, task_in
from babi_memnet.data.settings import PLACES, FilesData
from babi_memnet.errors import RequestError, bad_value, one_line, suggestion
from babi_memnet.reading import MEBIBYTE, expect_regular
from babi_memnet.tasks import JOINT, NAME, Task, as_task, name_like

if TYPE_CHECKING:
    import datasets

FORMATS = (".txt", ".txt.gz", ".parquet", ".jsonl")
_FORMATS = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"

KEYS = {"train": "data.train", "test": "data.test", "validation": "data.valid"}
"""By split the key that names its files."""

_DEFAULT_TASK = 1
"""What ``task`` is where nobody has set it; no file is called so."""

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "validation"),
}
"""By what files are called after it, at the end or the start of their name."""
_ANY_SPLIT = "|".join(_SPLITS)
_SPLIT_IN_NAME = re.compile(rf"(?:^|[\W_])(?P<end>{_ANY_SPLIT})$|^(?P<start>{_ANY_SPLIT})(?:$|[\W_])", re.IGNORECASE)
_ROWS: dict[str, Callable[[bytes, str], Iterator[Row]]] = {".parquet": parquet_rows, ".jsonl": json_rows}
_MOST_NAMED = 12


class Part(NamedTuple):
    """The questions of one task and split: all of a file, or the rows in it that name a task of several."""

    path: Path
    rows_of: str | None


def load(settings: FilesData, tasks: Sequence[Task], expected: str | None = None) -> datasets.DatasetDict:
    """The splits of ``tasks``, task after task in the given order; ``validation`` among them if files are given for it.

    Raises ``RequestError``: no such task; a file that is missing or malformed, named with the line; a task without
    files for each split, or not with ``data.size`` training questions; what was read is not what is ``expected``.
    """
    from datasets import DatasetDict

    parts = _parts_of(settings, tasks)
    # Each file is read once, and what is counted as its content is what was read.
    contents = {path: read_content(path) for path in {part.path for of in parts.values() for part in of.values()}}
    checksums = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    if expected not in (None, _digest(parts, checksums)):
        raise changed(", ".join(str(part.path) for part in parts["train"].values()))
    splits = {}
    for split, of_task in parts.items():
        records: list[StoryQuestion] = []
        for task, part in of_task.items():
            found = _records(contents[part.path], part, task)
            if split == "train" and settings.training_questions not in (None, len(found)):
                there = f"{len(found)}, what {part.path} has of task {task}, or null"
                raise bad_value("data.size", settings.size, there)
            records += found
        splits[split] = to_dataset(records, _digest({split: of_task}, checksums), named=True)
    return DatasetDict(splits)


def fingerprint(settings: FilesData, tasks: Sequence[Task]) -> str:
    """Hex SHA-256 over task, split and content of the files that ``load`` would read, wherever they lie."""
    parts = _parts_of(settings, tasks)
    paths = {part.path for of_task in parts.values() for part in of_task.values()}
    return _digest(parts, {path: remembered_sha256(path) for path in paths})


def origin(settings: FilesData, tasks: Sequence[Task]) -> str:
    """The files with the training questions, for errors."""
    return ", ".join(str(part.path) for part in _parts_of(settings, tasks)["train"].values())


def chosen(settings: FilesData, asked: object) -> tuple[Task, list[Task]]:
    """What ``task=`` asks for: the task, or ``joint``, and the tasks that are learned.

    One training file and one test file are a task whatever they are called: by the name that is asked for, or else by
    that of the training file.

    Raises ``RequestError`` when there is no such task; the text names those that there are.
    """
    listed = _listed(settings)
    names = sorted(listed["train"])
    if str(asked) == JOINT:
        return JOINT, list(names)
    task = as_task(asked, f"{NAME}, or {JOINT}")
    if _is_pair(listed):
        if task == _DEFAULT_TASK:
            return names[0], [names[0]]
        if isinstance(task, int):
            raise bad_value("task", task, f"{NAME}; without task these stories are called {names[0]}")
        return task, [task]
    if task not in listed["train"]:
        there = ", ".join(names[:_MOST_NAMED]) + (
            f" or one of {len(names) - _MOST_NAMED} others" * (len(names) > _MOST_NAMED)
        )
        raise bad_value("task", task, f"{there}, or {JOINT} for all{suggestion(str(task), names)}")
    return task, [task]


def _is_pair(listed: dict[str, dict[str, Part]]) -> bool:
    return all(len(of_task) == 1 for of_task in listed.values())


def _parts_of(settings: FilesData, tasks: Sequence[Task]) -> dict[str, dict[str, Part]]:
    """By split and task where the questions are; raises ``RequestError`` where a task lacks some."""
    listed, names = _listed(settings), [str(task) for task in tasks]
    if _is_pair(listed) and len(names) == 1:
        return {split: {names[0]: next(iter(of_task.values()))} for split, of_task in listed.items()}
    for split, of_task in listed.items():
        for name in names:
            if name not in of_task:
                there = ", ".join(f"{other} ({part.path})" for other, part in sorted(of_task.items())[:_MOST_NAMED])
                raise RequestError(f"{KEYS[split]}: no file of task {name}; expected one, there are: {there}")
        untrained = sorted(of_task.keys() - listed["train"].keys())
        if untrained and len(names) == len(listed["train"]):
            path = of_task[untrained[0]].path
            raise RequestError(
                f"{KEYS[split]}: {path} is of task {untrained[0]}, of which data.train has no file; expected one of "
                f"{', '.join(sorted(listed['train'])[:_MOST_NAMED])}"
            )
    return {split: {name: of_task[name] for name in names} for split, of_task in listed.items()}


def _listed(settings: FilesData) -> dict[str, dict[str, Part]]:
    """By split and task, in order of the names, all there is.

    Raises ``RequestError``: a key that is needed is not set, names nothing, or names two files of one task.
    """
    for split in ("train", "test"):
        if split not in settings.places:
            raise RequestError(f"{KEYS[split]}: needs a value; expected {PLACES} ({_FORMATS})")
    paths = {split: _paths(split, places) for split, places in settings.places.items()}
    split_of: dict[Path, str] = {}
    for split, of_split in paths.items():
        for path in of_split:
            if (other := split_of.setdefault(path.resolve(), split)) != split:
                raise RequestError(f"{KEYS[split]}: {path} is of {KEYS[other]} as well; expected other questions")
    return {split: _named(split, of_split) for split, of_split in paths.items()}


def _paths(split: str, places: Sequence[str]) -> list[Path]:
    """The files that are named, each once: those in a folder, and those that a pattern fits, in order of their names.

    In a folder, and where there is a pattern, hidden files, those of no known format and those that are called after
    another split are left aside.
    """
    found: dict[Path, Path] = {}
    for place in places:
        given, path = f"{KEYS[split]}={place}", Path(place).expanduser()
        if path.is_dir():
            several = sorted(path.iterdir())
        elif path.exists():
            if _suffix(path) is None:
                raise RequestError(f"{given}: expected a file that ends with {_FORMATS}")
            expect_regular(path, LARGEST_FILE)
            found.setdefault(path.resolve(), path)
            continue
        elif glob.has_magic(place):
            several = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
        else:
            raise RequestError(f"{given}: no such file or folder; expected {PLACES}")
        kept = [path for path in several if _is_of(split, path)]
        if not kept:
            raise RequestError(f"{given}: no file of this split in it; expected files that end with {_FORMATS}")
        found |= {path.resolve(): path for path in kept if path.resolve() not in found}
    return list(found.values())


def _suffix(path: Path) -> str | None:
    """The ending of a file that can be read."""
    return next((suffix for suffix in FORMATS if path.name.lower().endswith(suffix)), None)


def _stem(path: Path) -> str:
    return path.name[: -len(_suffix(path) or "")]


def _is_of(split: str, path: Path) -> bool:
    if path.name.startswith(".") or _suffix(path) is None or not path.is_file():
        return False
    named = _SPLIT_IN_NAME.search(_stem(path))
    return named is None or _SPLITS[(named["end"] or named["start"]).lower()] == split


def _named(split: str, paths: Sequence[Path]) -> dict[str, Part]:
    """The files of a split by the names of their tasks, in order of these."""
    parts: dict[str, Part] = {}
    for path in paths:
        inside = _tasks_inside(path)
        names = {name_of(path): None} if len(inside) < 2 else {}
        for name, rows_of in [*names.items(), *((name_like(task), task) for task in inside if len(inside) > 1)]:
            if name in parts:
                other, both = parts[name].path, f"are both of task {name}"
                raise RequestError(f"{KEYS[split]}: {other} and {path} {both}; expected one file of each task")
            parts[name] = Part(path, rows_of)
    return dict(sorted(parts.items()))


def name_of(path: Path) -> str:
    """The task of a file: its name without ending and split, or that of its folder where nothing else is left."""
    stem, folder = _SPLIT_IN_NAME.sub("", _stem(path)), path.absolute().parent
    while not stem.strip(" _.-") and folder.name:
        stem, folder = _SPLIT_IN_NAME.sub("", folder.name), folder.parent
    return name_like(stem)


def _tasks_inside(path: Path) -> tuple[str, ...]:
    """The tasks that the rows of a file name."""
    if _suffix(path) not in _ROWS:
        return ()
    try:
        status = path.stat()
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from None
    return _tasks_in_rows(path.absolute(), path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _tasks_in_rows(_absolute: Path, path: Path, _size: int, _modified: int) -> tuple[str, ...]:
    found: dict[str | None, str] = {}
    for place, row in _ROWS[str(_suffix(path))](read_content(path), str(path)):
        found.setdefault(task_in(row, place), place)
    if None in found and len(found) > 1:
        raise RequestError(f"{found[None]}: no task, which other rows have; expected one in all rows or in none")
    return tuple(task for task in found if task is not None)


def _records(content: bytes, part: Part, task: str) -> list[StoryQuestion]:
    suffix, name = _suffix(part.path), str(part.path)
    if suffix not in _ROWS:
        return questions_in(_unpacked(content, name) if suffix == ".txt.gz" else content, task, name, OWN)
    records: list[StoryQuestion] = []
    for place, row in _ROWS[suffix](content, name):
        if part.rows_of is None or task_in(row, place) == part.rows_of:
            record = record_of(row, place, task, records[-1].story_id if records else 0)
            if records and row.get("story_id") is None and not _continues(records[-1], record):
                record = record_of(row, place, task, records[-1].story_id + 1)
            records.append(record)
    if not records:
        raise RequestError(f"{name}: no row in it; expected one question a row")
    return records


def _continues(earlier: StoryQuestion, later: StoryQuestion) -> bool:
    return later.story[: len(earlier.story)] == earlier.story


def _unpacked(content: bytes, name: str) -> bytes:
    try:
        text = gzip.GzipFile(fileobj=BytesIO(content)).read(LARGEST_FILE * MEBIBYTE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RequestError(f"{name}: cannot be unpacked ({one_line(error)}); expected text packed by gzip") from None
    if len(text) > LARGEST_FILE * MEBIBYTE:
        raise RequestError(f"{name}: unpacks to more than {LARGEST_FILE} MiB; expected a smaller file")
    return text


def _digest(parts: dict[str, dict[str, Part]], checksums: dict[Path, str]) -> str:
    content = [
        [split, task, _suffix(part.path), part.rows_of, checksums[part.path]]
        for split, of_task in parts.items()
        for task, part in of_task.items()
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
