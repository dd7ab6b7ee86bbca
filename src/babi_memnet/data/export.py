"""Simulated stories as files in the layout of the official data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from babi_memnet.data.babi_format import file_name, write_babi
from babi_memnet.data.generated import SPLITS, check_tasks, questions
from babi_memnet.data.records import StoryQuestion
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import RequestError

OFFICIAL_FOLDER = "tasks_1-20_v1-2"


def write_official_layout(
    settings: GeneratedData, out: Path, tasks: list[int], overwrite: bool = False, progress: bool = True
) -> Path:
    """Writes ``out/tasks_1-20_v1-2/en/qa1_..._train.txt`` and so on; returns the folder with the files.

    The folder is named as the official one of that size: ``en``, ``en-10k``, otherwise ``en-<number>``. The files
    appear there together once all of them are complete; other files of the folder stay as they are. ``progress`` shows
    a bar on standard error. Raises ``RequestError`` when a file exists and ``overwrite`` is false, or when ``out``
    cannot be written.
    """
    check_tasks(tasks)
    folder = out / OFFICIAL_FOLDER / settings.folder
    names = {(task, split): file_name(task, split) for task in tasks for split in SPLITS}
    existing = [name for name in names.values() if (folder / name).exists()]
    if existing and not overwrite:
        others = f", and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise RequestError(
            f"out={out}: {folder / existing[0]} exists already{others}; overwrite=true replaces what exists"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".incomplete-", dir=folder.parent))
    except OSError as error:
        raise RequestError(f"out={out}: cannot be written ({error.strerror or error})") from None
    try:
        _write_files(settings, temporary, names, progress)
        folder.mkdir(exist_ok=True)
        for name in names.values():
            (temporary / name).replace(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _write_files(settings: GeneratedData, folder: Path, names: dict[tuple[int, str], str], progress: bool) -> None:
    from tqdm import tqdm

    tasks = len(names) // len(SPLITS)
    total = tasks * (settings.training_questions + settings.test_questions)
    with tqdm(total=total, unit=" questions", unit_scale=True, disable=not progress) as bar:
        for (task, split), name in names.items():
            bar.set_description(f"task {task} {split}", refresh=False)
            with (folder / name).open("w", encoding="ascii", newline="\n") as file:
                write_babi(_counted(questions(settings, task, split), bar.update), file)


def _counted(records: Iterator[StoryQuestion], count: Callable[[], object]) -> Iterator[StoryQuestion]:
    for record in records:
        yield record
        count()
