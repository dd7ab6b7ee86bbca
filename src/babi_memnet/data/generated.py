"""Simulated stories: in any amount, from a seed, made once and kept in the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from babi_memnet.data.babi_format import SPLITS, check_tasks
from babi_memnet.data.cache import cache_directory, cannot_be_written, locked, remembered_sha256
from babi_memnet.data.records import StoryQuestion, features, to_dataset
from babi_memnet.data.settings import GeneratedData, check_shift
from babi_memnet.errors import RequestError
from babi_memnet.reading import file_sha256
from babi_memnet.worlds import UNSHIFTED
from babi_memnet.worlds.simulation import SIMULATOR_VERSION, simulate

if TYPE_CHECKING:
    import datasets

# Records per Arrow batch: what lies in memory at a time while a file is written.
_BATCH = 1000

# So many questions one after the other that are all known from training mean that there are hardly any others.
_HOPELESS = 20_000


def load(settings: GeneratedData, tasks: list[int], expected: str | None = None) -> datasets.DatasetDict:
    """The splits of ``tasks``, task after task in the given order, read from the cache and simulated if not there.

    The datasets are mapped from the files of the cache, so that a million questions take no memory. Raises
    ``RequestError``: unknown task, a shift that does not exist for a task, a cache that cannot be written, ``disjoint``
    asks for more than there is. What is ``expected`` cannot differ: settings alone decide about the content.
    """
    from datasets import Dataset, DatasetDict, DatasetInfo
    from datasets.table import MemoryMappedTable, concat_tables

    check_tasks(tasks)
    check_shift(settings.shift, tasks)

    def dataset(split: str) -> datasets.Dataset:
        tables = [MemoryMappedTable.from_file(str(_cached(settings, task, split))) for task in tasks]
        info = DatasetInfo(features=features())
        return Dataset(concat_tables(tables), info=info, fingerprint=_digest(settings, tasks, (split,)))

    return DatasetDict({split: dataset(split) for split in SPLITS})


def fingerprint(settings: GeneratedData, tasks: list[int]) -> str:
    """Hex SHA-256 of everything that decides about the content; nothing is simulated for it."""
    check_tasks(tasks)
    check_shift(settings.shift, tasks)
    return _digest(settings, tasks, SPLITS)


def origin(settings: GeneratedData, tasks: list[int]) -> str:
    """What the training questions are made by, for errors."""
    check_tasks(tasks)
    return f"data.size={settings.size}"


def questions(settings: GeneratedData, task: int, split: str) -> Iterator[StoryQuestion]:
    """The records of one file, simulated as they are consumed.

    Train and test are independent draws, so that test questions can occur in training, as in the official data; with
    ``disjoint`` those are passed over and others drawn instead. The test questions do not depend on ``size`` otherwise,
    and the training questions do not depend on ``shift``. Raises ``RequestError`` when ``shift`` does not exist for the
    task, and when ``disjoint`` asks for more different questions than there are.
    """
    if split == "train":
        return simulated_records(task, settings.training_questions, settings.seed, "train")
    if not settings.disjoint:
        return simulated_records(task, settings.test_questions, settings.seed, "test", settings.shift)
    return islice(_unseen(settings, task), settings.test_questions)


def simulated_records(
    task: int, questions: int | None, seed: int, split: str, shift: str = UNSHIFTED
) -> Iterator[StoryQuestion]:
    """What ``worlds.simulation.simulate`` gives for these arguments, as the records of every other source.

    Raises ``RequestError`` for a task or a shift that does not exist, and for a shift that does not exist for the task.
    """
    check_tasks([task])
    check_shift(shift, [task])
    return (
        StoryQuestion(task, asked.story, asked.question, asked.answer, asked.supporting, asked.story_id)
        for asked in simulate(task, questions, seed, split, shift)
    )


def _unseen(settings: GeneratedData, task: int) -> Iterator[StoryQuestion]:
    known = {_identity(record) for record in questions(settings, task, "train")}
    in_vain = 0
    for record in simulated_records(task, None, settings.seed, "test", settings.shift):
        if _identity(record) not in known:
            in_vain = 0
            yield record
        else:
            in_vain += 1
            if in_vain == _HOPELESS:
                raise RequestError(
                    f"data.disjoint=true: after {settings.size} training questions of task {task} there are hardly any "
                    "new ones left to test on; lower data.size or data.test_questions, or allow overlap"
                )


def _identity(record: StoryQuestion) -> bytes:
    """Stands for story and question. Should two ever share these 8 bytes, a question is drawn again for nothing."""
    return hashlib.blake2b("\n".join((*record.story, record.question)).encode(), digest_size=8).digest()


def _content(settings: GeneratedData, task: int, split: str) -> dict[str, object]:
    """Everything that decides about one file."""
    content: dict[str, object] = {"simulator": SIMULATOR_VERSION, "task": task, "split": split, "seed": settings.seed}
    content["questions"] = settings.training_questions if split == "train" else settings.test_questions
    if split == "test" and settings.disjoint:
        content["disjoint_from"] = settings.training_questions
    if split == "test" and settings.shift != UNSHIFTED:
        content["shift"] = settings.shift
    return content


def _digest(settings: GeneratedData, tasks: list[int], splits: tuple[str, ...]) -> str:
    content = [_content(settings, task, split) for split in splits for task in tasks]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _cached(settings: GeneratedData, task: int, split: str) -> Path:
    """The Arrow file of one task and split in the cache, made if it is not there or no longer what was written."""
    name = "_".join(f"{key}-{value}" for key, value in _content(settings, task, split).items())
    path = cache_directory() / "generated" / f"{name}.arrow"
    if not _intact(path):
        with locked(path):
            # Another process may have made it while this one waited.
            if not _intact(path):
                _write(path, questions(settings, task, split))
    return path


def _intact(path: Path) -> bool:
    checksum = _checksum_of(path)
    return path.is_file() and checksum.is_file() and checksum.read_text() == remembered_sha256(path)


def _checksum_of(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _write(path: Path, records: Iterator[StoryQuestion]) -> None:
    """Writes the file and its checksum; only what is complete gets its name."""
    import pyarrow as pa

    # The lock is held, so nobody else uses these names, and what a killed process left is overwritten.
    partial, partial_checksum = path.with_suffix(".partial"), path.with_suffix(".partial-sha256")
    try:
        with partial.open("wb") as file, pa.ipc.new_stream(file, features().arrow_schema) as stream:
            while batch := list(islice(records, _BATCH)):
                stream.write_table(to_dataset(batch, "batch").data.table)
        partial_checksum.write_text(file_sha256(partial))
        partial.replace(path)
        partial_checksum.replace(_checksum_of(path))
    except OSError as error:
        raise cannot_be_written(path.parent, error) from None
    finally:
        partial.unlink(missing_ok=True)
