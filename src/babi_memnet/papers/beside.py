"""Published columns to show beside ours, each with how its protocol differs from that of our table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.papers.language_models import language_model
from babi_memnet.papers.published import PublishedColumn, PublishedTable, load_table, tables

_ACCEPTED = "tables of conf/published or columns of them, such as ut or ut/ut_1k_joint, or results of lm_eval"


def columns_beside(names: Sequence[str], table: PublishedTable) -> list[dict[str, Any]]:
    """The ``beside`` of a table.json: published columns as plain JSON values, in the order asked for, each once.

    Args:
        names: tables (``entnet_10k``, all its columns) or single columns (``ut/ut_1k_joint``) of conf/published; files
            of results of lm_eval, which end with ``.json``.
        table: the one of ours they are shown beside, whose protocol theirs is held against.

    Raises:
        RequestError: a name is that of no table or column.
    """
    return list({(one["table"], one["id"]): one for name in names for one in _shown(name, table)}.values())


def _shown(name: str, table: PublishedTable) -> list[dict[str, Any]]:
    if name.endswith(".json"):
        return [language_model(Path(name))]
    return [
        {
            "id": column.id,
            "table": column.table,
            "label": column.label,
            "errors": {str(task): error for task, error in sorted(column.errors.items())},
            "mean": column.mean,
            "failed": column.failed,
            "source": column.source + ("" if column.confidence == "verified" else f" ({column.confidence})"),
            "differences": differences(column, theirs, table),
        }
        for column, theirs in _named(name)
    ]


BESIDE_LEGEND = "errors in percent; mean and failed tasks as printed, over all twenty tasks"


def said_of(column: Mapping[str, Any]) -> str:
    """What differs from our protocol, and the source, of one of the ``beside`` of a table.json."""
    return "; ".join([*column["differences"], column["source"]])


def differences(column: PublishedColumn, theirs: PublishedTable, table: PublishedTable) -> list[str]:
    """How the protocol of ``column`` of ``theirs`` differs from that of ``table``, a line each.

    What a source does not say is no difference, but for the selection, without which an error says little.
    """
    other, own = _facts(column.settings, column.protocol, theirs), _facts({}, table.protocol, table)
    lines = []
    for key, form in _FORMS.items():
        if other[key] is not None and other[key] != own[key]:
            lines.append(form.format(other[key]) + (f", not {own[key]}" if own[key] is not None else ""))
    return lines


_FORMS = {
    "train_size": "trained on {} questions per task",
    "training": "{}",
    "selection": "{}",
    "supervision": "supervision: {}",
    "dimension": "dimension {}",
    "memory": "memory: {}",
    "extra_data": "further training data: {}",
    "version": "stories of {} of the data",
}
_TRAINING = {"joint": "one network for all tasks (joint)", "per task": "one network per task"}


def _facts(settings: Mapping[str, Any], protocol: Mapping[str, Any], table: PublishedTable) -> dict[str, Any]:
    """What `_FORMS` speaks of, in words; None where it is not known."""
    return {
        "train_size": protocol.get("train_size", table.dataset.get("train_size")),
        "training": _TRAINING.get(protocol.get("training", "")),
        "selection": _selection(protocol),
        # supporting facts are what a network has to find out by itself, unless it says that it is told
        "supervision": settings.get("supervision", "weak"),
        "dimension": protocol.get("dimension"),
        "memory": protocol.get("memory"),
        "extra_data": protocol.get("extra_data"),
        "version": table.dataset.get("version"),
    }


def _selection(protocol: Mapping[str, Any]) -> str:
    """Which of how many runs the errors are of: ``the best of 10 runs by training error``."""
    reported, restarts, by = protocol.get("reported"), protocol.get("restarts"), protocol.get("selected_by")
    if reported == "mean over runs":
        return f"the mean over {protocol.get('runs') or 'several'} runs"
    if restarts == 1:
        return "a single run"
    if restarts is None and by is None:
        return "a run selected in a way that is not known"
    best = f"the best of {restarts} runs" if restarts else "the best run"
    each = " for each task" if reported == "best run per task" else ""
    return f"{best}{each}" + (f" by {by}" if by else "")


def _named(name: str) -> Iterator[tuple[PublishedColumn, PublishedTable]]:
    """The columns that ``name`` stands for, with their table."""
    id, slash, wanted = name.partition("/")
    try:
        table = load_table(id)
        columns = (table.column(wanted),) if slash else table.columns
    except RequestError:
        raise _unknown(name) from None
    for column in columns:
        yield column, table


def _unknown(name: str) -> RequestError:
    every = tables()
    columns = [column.name for table in every for column in table.columns]
    # a column without its table is the likeliest slip
    alike = [full for full in columns if full.partition("/")[2] == name.rpartition("/")[2]]
    likely = f" (did you mean {alike[0]}?)" if alike else suggestion(name, [*columns, *(table.id for table in every)])
    return bad_value("beside", name, f"{_ACCEPTED}{likely}")
