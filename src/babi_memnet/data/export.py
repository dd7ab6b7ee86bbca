"""Stories as files: in the layout of the official data, as Parquet, or as a folder of the datasets library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from babi_memnet.data.babi_format import SPLITS, check_tasks, file_name, write_babi
from babi_memnet.data.generated import questions
from babi_memnet.data.layout import ARCHIVE_FOLDER
from babi_memnet.data.output import assembled, refuse_existing
from babi_memnet.data.records import StoryQuestion
from babi_memnet.data.saved import FORMS, STATE_FILE
from babi_memnet.data.settings import GeneratedData, check_shift
from babi_memnet.data.sources import DataSettings, load
from babi_memnet.errors import RequestError


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
    check_shift(settings.shift, tasks)
    folder = out / ARCHIVE_FOLDER / settings.folder
    names = {(task, split): file_name(task, split) for task in tasks for split in SPLITS}
    if not overwrite:
        refuse_existing(out, folder, list(names.values()))
    with assembled(out, folder, list(names.values()), overwrite) as scratch:
        _write_files(settings, scratch, names, progress)
    return folder


CARD_FILE = "README.md"


def write_saved(
    settings: DataSettings,
    out: Path,
    tasks: list[int],
    form: str,
    overwrite: bool = False,
    progress: bool = True,
    card: Callable[[Mapping[str, int]], str] | None = None,
) -> Path:
    """Writes the stories of any source as `saved` reads them: ``form`` is one of its ``FORMS``; returns ``out``.

    That is ``train.parquet`` and ``test.parquet`` with one row per question, or what ``DatasetDict.save_to_disk``
    writes. ``card`` is given the number of questions by split and makes the README.md beside them. The rest as in
    `write_official_layout`, and everything that loading raises.
    """
    names = FORMS[form] if card is None else (CARD_FILE, *FORMS[form])
    if not overwrite:
        refuse_existing(out, out, names)
    for split in SPLITS if form == "datasets" else ():
        # A folder of this name can be anything, and it would be gone as a whole.
        if (out / split).exists() and not (out / split / STATE_FILE).is_file():
            raise RequestError(f"out={out}: {out / split} is not a saved dataset and stays; choose another folder")
    stories = load(settings, tasks)
    with assembled(out, out, names, overwrite) as scratch, _progress_bars(progress):
        if form == "datasets":
            stories.save_to_disk(scratch)
        else:
            for split in SPLITS:
                stories[split].to_parquet(scratch / f"{split}.parquet")
        if card is not None:
            text = card({split: len(stories[split]) for split in SPLITS})
            (scratch / CARD_FILE).write_text(text, encoding="utf-8")
    return out


@contextmanager
def _progress_bars(shown: bool) -> Iterator[None]:
    """Whether the datasets library shows its bars, for a while."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    disabled_before = are_progress_bars_disabled()
    if not shown:
        disable_progress_bars()
    try:
        yield
    finally:
        if not disabled_before:
            enable_progress_bars()


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
