"""Stories as a data set, and tables as data frames: those of papers, those that were reproduced, and any runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.config import schemas
from babi_memnet.data.settings import SOURCES
from babi_memnet.data.sources import chosen_tasks, load
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.papers.published import load_table
from babi_memnet.reading import read_regular
from babi_memnet.request import known_settings
from babi_memnet.runs.collection import choose, in_order
from babi_memnet.runs.files import LARGEST_DOCUMENT
from babi_memnet.runs.merging import gather
from babi_memnet.tables.run_sheets import tidy
from babi_memnet.tables.table_report import tidy_cells
from babi_memnet.tasks import JOINT, TASKS, Task

if TYPE_CHECKING:
    import datasets
    import pandas as pd


def stories(
    task: Task | Iterable[Task] | None = None, data: str = "generated", **settings: Any
) -> datasets.DatasetDict:
    """The stories of a task, of several, or of all: the splits ``train`` and ``test``, a row for every question.

    Args:
        task: a number or a name, or several; None for all there are.
        data: where from, as ``data=`` of the commands: generated, official, hub, saved or files.
        settings: of that source (docs/data.md), such as ``size="10k"`` or ``root="tasks_1-20_v1-2"``.

    Raises:
        RequestError: no such source, key or task; or the stories are not to be had.
    """
    if data not in SOURCES:
        raise bad_value("data", data, f"one of {', '.join(SOURCES)}")
    known = [field.name for field in fields(SOURCES[data]) if field.name != "source"]
    for name in settings:
        if name not in known:
            raise bad_value("stories", name, f"a key of data={data}: {', '.join(known)}")
    source = SOURCES[data](
        **{key: os.fspath(value) if isinstance(value, os.PathLike) else value for key, value in settings.items()}
    )
    asked = [JOINT] if task is None else [task] if isinstance(task, Task) else task
    return load(source, [number for one in asked for number in chosen_tasks(source, one)[1]])


def table(table: str | os.PathLike[str]) -> pd.DataFrame:
    """A published table by its name, or a reproduced one by its folder.

    ``table("memn2n_1k")`` has a row for each task, and ``mean`` and ``failed``, with the errors of each column in
    percent as the paper prints them. ``table("outputs/tables/memn2n_1k")``, what ``babi-reproduce`` wrote, has a row
    for each column and task (the rows of its table.csv).

    Raises:
        RequestError: there is no such table.
    """
    import pandas as pd

    if (file := Path(table, "table.json")).is_file():
        try:
            return pd.DataFrame(tidy_cells(json.loads(read_regular(file, LARGEST_DOCUMENT))))
        except (ValueError, KeyError, TypeError, IndexError):
            raise RequestError(f"{file}: expected a table as babi-reproduce writes it") from None
    published = load_table(os.fspath(table))
    rows = {
        column.id: {**column.errors, "mean": column.mean, "failed": column.failed}
        for column in published.columns
        if column.has_numbers
    }
    frame = pd.DataFrame(rows, index=[*TASKS, "mean", "failed"], dtype=float)
    return frame.rename_axis("task")


def report(
    runs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = "outputs", where: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The runs below a folder or in a merged file, or in several of these: the tidy table of ``babi-report``.

    It has a row for each run and task.

    Args:
        runs: the folders.
        where: keys and the value, or values, that a run must have: ``{"task": [1, 2], "model.hops": 3}``.

    Raises:
        RequestError: there is no such folder, no run in it, or none with such values.
    """
    import pandas as pd

    roots = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    found, _ = gather([os.fspath(root) for root in roots], known_settings(schemas()))
    if not found:
        raise bad_value("runs", ",".join(map(str, roots)), "folders with run directories in them, found no run to read")
    return pd.DataFrame(tidy(in_order(choose(found, where or {}))))
