"""The papers' tables: the numbers under ``conf/published``, one file per table, checked as they are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.paths import conf_files
from babi_memnet.tasks import TASKS, Task

CONFIDENCES = ("verified", "single-source", "memory")
METRICS = ("error_percent", "accuracy_percent")


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """One column of a published table. Errors are in percent, whatever the source printed.

    Attributes:
        id: name of the column within its table, such as ``pe_ls_rn``.
        table: the table it belongs to, such as ``memn2n_1k``.
        label: the column in the words of the paper.
        errors: task (1..20) to error; empty when the source gives no rows.
        mean: mean error as printed, or None.
        failed: number of failed tasks as printed, or None; not whole where the source averages over runs.
        source: where the numbers were seen.
        confidence: ``verified`` (primary text, authors' repository or two independent sources), ``single-source`` or
            ``memory``.
        notes: what to know before using the numbers.
        experiment: the file under ``conf/experiment`` that trains this column, or None when none does.
        settings: what else distinguishes the column, as the file says it.
        protocol: how it was trained and selected: that of the table, changed by what the column says. Null where the
            source does not say; docs/published.md has the keys.
        extra: whatever else the file gives (spreads, best runs), as it stands there.
    """

    id: str
    table: str
    label: str
    errors: dict[int, float]
    mean: float | None
    failed: float | None
    source: str
    confidence: str
    notes: str = ""
    experiment: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The column with its table: ``memn2n_1k/pe_ls_rn``."""
        return f"{self.table}/{self.id}"

    @property
    def joint(self) -> bool:
        """Whether one network was trained on all tasks together."""
        return self.protocol.get("training") == "joint"

    @property
    def has_numbers(self) -> bool:
        """Whether anything is published of it; a column of our own has only what is trained."""
        return bool(self.errors) or self.mean is not None

    def prints_mean_of(self, tasks: Collection[Task]) -> bool:
        """Whether the mean over just these tasks is published, and no error of any task."""
        return not self.errors and self.mean is not None and set(tasks) == set(TASKS)

    @property
    def restarts(self) -> int | None:
        """Among how many restarts the paper selected, or None when it does not say."""
        return self.protocol.get("restarts")


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One published table with its columns in the order of the paper.

    Attributes:
        id: name of the table and of its file.
        dataset: which stories, as far as the paper says.
        common: configuration keys with the value they have in every column and that no experiment file sets, such as
            ``data.language``.
        protocol: how the columns were trained and selected, where they do not say otherwise.
        notes: what to know before using the numbers.
    """

    id: str
    title: str
    authors: str
    year: int
    arxiv: str | None
    dataset: dict[str, Any]
    common: dict[str, Any]
    protocol: dict[str, Any]
    notes: str
    columns: tuple[PublishedColumn, ...]

    def column(self, id: str) -> PublishedColumn:
        """The column called ``id``; RequestError when there is none."""
        for column in self.columns:
            if column.id == id:
                return column
        known = [column.id for column in self.columns]
        raise bad_value("columns", id, f"a column of {self.id}: {', '.join(known)}{suggestion(id, known)}")


def load_table(id: str, directory: Path | None = None) -> PublishedTable:
    """The published table ``id``.

    ``directory`` holds the YAML files (default ``conf/published``). Raises RequestError, one line that names file and
    key, when there is no such table or its file is not of the expected form.
    """
    files = conf_files("published", directory)
    if id not in files:
        raise bad_value("table", id, f"one of {', '.join(files)}{suggestion(id, files)}")
    return _table(_Node(files[id].name, "", read_yaml(files[id])), id)


def tables(directory: Path | None = None) -> list[PublishedTable]:
    """Every published table, sorted by name."""
    return [load_table(id, directory) for id in conf_files("published", directory)]


def trainable_tables(directory: Path | None = None) -> list[PublishedTable]:
    """The tables with a column that an experiment trains, sorted by name.

    Every run looks for its column here. Most tables are for display alone; a file without the word ``experiment`` is
    one of those and is not parsed, which would take longer than all the rest.
    """
    files = conf_files("published", directory)
    found = (load_table(id, directory) for id, path in files.items() if b"experiment" in path.read_bytes())
    return [table for table in found if any(column.experiment for column in table.columns)]


def read_yaml(path: Path) -> Any:
    """The contents of a YAML file; RequestError with file and line when it is not YAML."""
    import yaml

    # the same loader as yaml.safe_load, ten times faster where the C library is there
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise RequestError(f"{place}: not valid YAML: {getattr(error, 'problem', error)}") from None


class _Node:
    """A mapping of a YAML file that knows where it stands, so that every complaint can name file and key."""

    def __init__(self, file: str, place: str, value: Any) -> None:
        self.file, self.place = file, place
        if not isinstance(value, Mapping):
            raise self.wrong("", value, "a mapping of keys to values")
        self.values: dict[Any, Any] = dict(value)

    def wrong(self, key: Any, value: object, accepted: str) -> RequestError:
        where = ".".join(str(part) for part in (self.place, key) if part != "")
        return bad_value(f"{self.file}: {where}", value, accepted)

    def take(self, key: str, kind: type | tuple[type, ...], accepted: str, **default: Any) -> Any:
        """The value of ``key``, removed from the node; ``default=...`` stands in for one that is absent."""
        if key not in self.values:
            if "default" in default:
                return default["default"]
            where = ".".join(part for part in (self.place, key) if part)
            raise RequestError(
                f"{self.file}: {where} is missing: expected {accepted}{suggestion(key, map(str, self.values))}"
            )
        value = self.values.pop(key)
        # bool is a kind of int in Python, but never what a number in these files should be
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(key, value, accepted)
        return value

    def node(self, key: str, **default: Any) -> _Node:
        place = ".".join(part for part in (self.place, key) if part)
        return _Node(self.file, place, self.take(key, Mapping, "a mapping of keys to values", **default))


def _one_of(node: _Node, key: str, choices: tuple[str, ...]) -> str:
    value = node.take(key, str, " or ".join(choices))
    if value not in choices:
        raise node.wrong(key, value, " or ".join(choices) + suggestion(value, choices))
    return str(value)


def _table(node: _Node, id: str) -> PublishedTable:
    said = node.take("id", str, f"the name of the file, {id}")
    if said != id:
        raise node.wrong("id", said, f"the name of the file, {id}")
    paper = node.node("paper")
    accuracy = _one_of(node, "metric", METRICS) == "accuracy_percent"
    protocol = node.node("protocol").values
    listed = node.take("columns", list, "a list of columns")
    columns: list[PublishedColumn] = []
    for position, entry in enumerate(listed):
        column = _column(_Node(node.file, f"columns[{position}]", entry), id, accuracy, protocol)
        if any(column.id == earlier.id for earlier in columns):
            raise node.wrong(f"columns[{position}].id", column.id, "a name that no earlier column has")
        columns.append(column)
    return PublishedTable(
        id=id,
        title=paper.take("title", str, "the title of the paper"),
        authors=paper.take("authors", str, "the authors of the paper"),
        year=paper.take("year", int, "the year of the paper"),
        arxiv=paper.take("arxiv", (str, type(None)), "an arXiv number in quotes, or null"),
        dataset=node.node("dataset").values,
        common=node.node("common", default={}).values,
        protocol=protocol,
        notes=node.take("notes", str, "text", default=""),
        columns=tuple(columns),
    )


def _column(node: _Node, table: str, accuracy: bool, protocol: dict[str, Any]) -> PublishedColumn:
    id = node.take("id", str, "the name of the column")
    node.place = f"columns.{id}"
    errors = _percents(node, "errors", optional=accuracy)
    mean = _percent(node, "mean", node.take("mean", (int, float, type(None)), "percent, or null"))
    if accuracy:
        # Errors throughout this package; the few tables that print accuracies are turned over here.
        errors = {task: round(100 - value, 6) for task, value in _percents(node, "accuracies", optional=False).items()}
        mean = None if mean is None else round(100 - mean, 6)
    return PublishedColumn(
        id=id,
        table=table,
        label=node.take("label", str, "the column in the words of the paper"),
        errors=errors,
        mean=mean,
        failed=node.take("failed", (int, float, type(None)), "a number of tasks, or null", default=None),
        source=node.take("source", str, "where the numbers were seen"),
        confidence=_one_of(node, "confidence", CONFIDENCES),
        notes=node.take("notes", str, "text", default=""),
        experiment=node.take("experiment", (str, type(None)), "the name of an experiment, or null", default=None),
        settings=node.node("settings", default={}).values,
        protocol={**protocol, **node.node("protocol", default={}).values},
        extra=node.values,
    )


def _percents(node: _Node, key: str, *, optional: bool) -> dict[int, float]:
    """The rows under ``key``; empty for ``null``, or where there is no such key and it is ``optional``."""
    accepted = "a mapping of tasks (1 to 20) to percent, or null"
    rows = node.take(key, (Mapping, type(None)), accepted, **({"default": None} if optional else {}))
    for task, value in (rows or {}).items():
        if task not in TASKS:
            raise node.wrong(f"{key}.{task}", value, "a task from 1 to 20")
        if not isinstance(value, (int, float)):
            raise node.wrong(f"{key}.{task}", value, "percent, from 0 to 100")
        _percent(node, f"{key}.{task}", value)
    return {int(task): float(value) for task, value in (rows or {}).items()}


def _percent(node: _Node, key: str, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 100:
        raise node.wrong(key, value, "percent, from 0 to 100")
    return value
