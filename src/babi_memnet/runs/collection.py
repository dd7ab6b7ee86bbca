"""Many run directories as rows, one per run and task, read from their JSON alone.

A row has keys, which it can be chosen and compared by (task, experiment, state and every dotted key of the
configuration), and errors, those of every restart. `collect` reads them, `choose` filters, `varying` says what differs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from babi_memnet.errors import RequestError, bad_value, kind_and_line, one_line, suggestion
from babi_memnet.reading import read_regular
from babi_memnet.runs.directory import REQUEST_FOLDER, RESULT_FILE, STATUS_FILE, RunDirectory, settled
from babi_memnet.runs.dotted import flat, is_below
from babi_memnet.runs.files import LARGEST_DOCUMENT, read_json
from babi_memnet.tasks import JOINT, as_task

SEEDS = ("runtime.seed", "data.seed")
"""Runs that differ in these alone are repetitions of one experiment."""

REPETITIONS = (*SEEDS, "training.restarts", "training.first_restart")
"""What says which repetitions there are, and nothing of what is repeated."""

MACHINE = ("host", "platform", "cores", "python", "device", "threads", "started", "ended")

CONTENT = "data.fingerprint"
"""Of stories of one's own, whose other settings say nothing of what is in them."""

_FACTS = ("run", "signature", "state")
_NUMBER = re.compile(r"-?\d+(\.\d+)?k?")
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One task of one run; an unfinished joint run is one row, of task ``joint``. Errors are in percent.

    Attributes:
        keys: ``run`` (its path), ``signature``, ``state``, ``experiment``, ``task``, ``joint``, and the configuration
            by dotted keys.
        error: one line for a run that failed, else None.
        numbers: seed and number of each restart; empty unless the run is done, as are the errors.
        selected: the place of the selected restart among them.
        train, validation, test: error of each restart; the first of a joint run is over all its tasks, as is the
            second where the record is of an earlier version.
        published: what the error was held against: a cell of the comparison in result.json, and its ``column``.
        seconds: of training the whole run; None unless it is done.
        versions: of the packages that made it.
        machine: what status.json says of where and when it was made (`MACHINE`), and the commit of the code.
        bookkeeping: keys that say where things are or who watches, each with all below it. They can be asked for by
            name, but are no difference from another row.
    """

    keys: dict[str, Any]
    error: str | None = None
    numbers: tuple[tuple[int, int], ...] = ()
    selected: int = 0
    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    test: tuple[float, ...] = ()
    published: Mapping[str, Any] | None = None
    seconds: float | None = None
    versions: Mapping[str, str | None] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    bookkeeping: frozenset[str] = frozenset()

    @property
    def is_done(self) -> bool:
        """Whether the run has a result."""
        return bool(self.test)


class Known(NamedTuple):
    """What is known of settings outside of records.

    Attributes:
        bookkeeping: keys as in `Row`.
        complete: the settings of a record, with the defaults of those that have come since.
    """

    bookkeeping: frozenset[str] = frozenset()
    complete: Callable[[dict[str, Any]], dict[str, Any]] = dict


NOTHING_KNOWN = Known()


def folders_of(runs: object, key: str = "runs") -> list[str]:
    """The folders (or files of `merging`) that ``runs=``, or another key, names: one, or a list of them.

    Raises:
        RequestError: it is anything else.
    """
    named: list[object] = runs if isinstance(runs, list) else [runs]
    folders = [folder for folder in named if isinstance(folder, str) and folder]
    if not folders or len(folders) < len(named):
        raise bad_value(key, runs, "a folder of runs, or a list of some")
    return folders


def collect(roots: Iterable[str | os.PathLike[str]], known: Known = NOTHING_KNOWN) -> tuple[list[Row], list[str]]:
    """The rows of all runs at or below ``roots``, each run once, and a line for every run that cannot be read.

    Raises:
        RequestError: there is no such folder.
    """
    rows: list[Row] = []
    broken: list[str] = []
    seen: set[tuple[int, int]] = set()
    for root in roots:
        for run in RunDirectory.find(root):
            place = os.stat(run.path)
            if (place.st_dev, place.st_ino) in seen:
                continue
            seen.add((place.st_dev, place.st_ino))
            try:
                rows += read_rows(run.path, known)
            except RequestError as error:
                broken.append(str(error))
    return rows, broken


def read_rows(path: Path, known: Known = NOTHING_KNOWN) -> list[Row]:
    """The rows of the run recorded at ``path``.

    Raises:
        RequestError: its record is damaged or incomplete; the text names the file.
    """
    status = _read(path, STATUS_FILE) or {}
    try:
        status = settled(status, path)
        settings = known.complete(status["settings"] if "settings" in status else _recorded_configuration(path))
        run = {"run": os.fspath(path), "signature": status["signature"], "state": status["state"]}
        keys = {**run, "experiment": status.get("experiment"), **flat(settings), "joint": settings["task"] == JOINT}
        done, error = status["state"] == "done", status.get("error")
        made_by: dict[str, Any] = {
            "versions": dict(status.get("versions") or {}),
            "machine": {
                **{name: status.get(name) for name in MACHINE},
                "commit": (status.get("git") or {}).get("commit"),
            },
            "bookkeeping": known.bookkeeping,
        }
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise RequestError(f"{path / STATUS_FILE}: expected the status of a run ({kind_and_line(fault)})") from None
    if not done:
        return [Row(keys, error, **made_by)]
    result = _read(path, RESULT_FILE)
    if result is None:
        raise RequestError(f"{path / RESULT_FILE}: expected the result of a run that is done, found none")
    try:
        return rows_of_result(keys, result, made_by)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as fault:
        raise RequestError(f"{path / RESULT_FILE}: expected the result of a run ({kind_and_line(fault)})") from None


def rows_of_result(keys: Mapping[str, Any], result: Mapping[str, Any], made_by: Mapping[str, Any]) -> list[Row]:
    """The rows of a run that is done.

    Args:
        keys: those of all its rows, as far as the tasks have them in common.
        result: what result.json says.
        made_by: versions, machine and bookkeeping of the rows.
    """
    restarts, published = result["restarts"], result.get("published") or {}
    cells = (published.get("comparison") or {}).get("cells", {})
    keys = {**keys, "experiment": result.get("experiment", keys["experiment"])}
    if keys.get("data.source") == "files":  # whose places say nothing of what is in them
        keys[CONTENT] = (result.get("data") or {}).get("fingerprint", "")[
            :10
        ] or None  # left behind in what is handed on
    if not restarts:
        raise ValueError("no restarts")
    rows = []
    for task in restarts[0]["test"]["per_task"]:
        cell = cells.get(task)
        rows.append(
            Row(
                keys={**keys, "task": as_task(task)},
                numbers=tuple((restart["seed"], restart["restart"]) for restart in restarts),
                selected=range(len(restarts))[result["selected"]],
                train=tuple(float(restart["train"]["error_percent"]) for restart in restarts),
                validation=tuple(_validation(restart["validation"], task) for restart in restarts),
                test=tuple(float(restart["test"]["per_task"][task]) for restart in restarts),
                published=cell and {**cell, "column": published["column"]},
                seconds=result["seconds"],
                **made_by,
            )
        )
    return rows


def choose(rows: Sequence[Row], where: Mapping[str, Any]) -> list[Row]:
    """The rows whose keys have the values that ``where`` gives; a list means any of these.

    Raises:
        RequestError: a key that no row has, or values that none has.
    """
    for key, value in where.items():
        check_key("where", key, rows)
        wanted = value if isinstance(value, list | tuple) else [value]
        same = {_same(one) for one in wanted}
        kept = [row for row in rows if _same(row.keys.get(key)) in same]
        if not kept:
            raise bad_value(f"where.{key}", " or ".join(map(as_text, wanted)), _some(values_of(key, rows)))
        rows = kept
    return list(rows)


def check_key(option: str, key: str, rows: Iterable[Row]) -> None:
    """Make sure that ``option=key`` names a key of some row.

    Raises:
        RequestError: it does not; the text names the key that is spelled alike.
    """
    known = _all_keys(rows)
    if key not in known:
        ends = [name for name in known if name.endswith(f".{key}")]
        named = f" (did you mean {ends[0]}?)" if ends else suggestion(key, known)
        raise RequestError(
            f"{option}={key}: expected task, experiment, state or a key of the configuration such as model.hops{named}"
        )


def varying(rows: Sequence[Row]) -> list[str]:
    """The keys of what was run that do not have the same value in all rows: experiment, task, then configuration."""
    left_aside = frozenset(_FACTS).union(*{row.bookkeeping for row in rows})
    asked = [key for key in _all_keys(rows) if not is_below(key, left_aside)]
    return [key for key in asked if _differ(_per_task(rows) if key == CONTENT else [row.keys.get(key) for row in rows])]


def _per_task(rows: Sequence[Row]) -> list[int]:
    """How many contents of own files each task has, beside one: tasks are in different files by themselves."""
    contents: dict[Any, set[Any]] = {}
    for row in rows:
        contents.setdefault(row.keys["task"], set()).add(row.keys.get(CONTENT))
    return [1, *map(len, contents.values())]


def _all_keys(rows: Iterable[Row]) -> list[str]:
    shapes = dict.fromkeys(tuple(row.keys) for row in rows)  # few, as most rows have the same keys
    return list(dict.fromkeys(key for shape in shapes for key in shape))


def _differ(values: Sequence[Any]) -> bool:
    # for most keys all values are one, and comparing is far quicker than writing them out
    return values.count(values[0]) < len(values) and len(set(map(as_text, values))) > 1


def values_of(key: str, rows: Iterable[Row]) -> list[Any]:
    """The values that ``key`` has in the rows, in order: numbers, then text, then None for what lacks it."""
    unlike = {_same(value): value for value in (row.keys.get(key) for row in rows)}
    return sorted(unlike.values(), key=_order)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """The rows by experiment, task and whatever else differs."""
    keys = list(dict.fromkeys(["experiment", "task", *varying(rows)]))
    return sorted(rows, key=lambda row: [_order(row.keys.get(key)) for key in keys])


def as_text(value: Any) -> str:
    """A value as one would write it on the command line."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown(key: str | None, value: object) -> str:
    """The value of a key for people, who call a run without an experiment file just that."""
    return "no experiment" if key == "experiment" and value is None else as_text(value)


def as_number(value: object) -> float | None:
    """The number that a value is, also as text such as ``300`` or ``10k``; None for what is none."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return 1000 * float(value[:-1]) if value.endswith("k") else float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read(path: Path, name: str) -> dict[str, Any] | None:
    """As `read_json`, in less time."""
    try:
        value = orjson.loads(read_regular(path / name, LARGEST_DOCUMENT))
    except FileNotFoundError:
        return None
    except ValueError:
        value = None
    return value if isinstance(value, dict) else read_json(path / name)


def _validation(found: Mapping[str, Any], task: str) -> float:
    return float(found.get("per_task", {}).get(task, found["error_percent"]))


def _recorded_configuration(path: Path) -> dict[str, Any]:
    """The configuration of a run whose status does not have it, as those recorded by earlier versions; slow."""
    import yaml

    file = path / REQUEST_FOLDER / "config.yaml"
    try:
        content = yaml.load(read_regular(file, LARGEST_DOCUMENT), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise RequestError(f"{path / STATUS_FILE}: expected the settings of the run, found no {file} either") from None
    except yaml.YAMLError as error:
        raise RequestError(f"{file}: expected YAML ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise RequestError(f"{file}: expected the configuration of a run")
    return {key: value for key, value in content.items() if key != "hydra"}


def _some(values: Sequence[Any]) -> str:
    texts = [as_text(value) for value in values]
    left = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" or one of {left} others" if left > 0 else "")


def _same(value: Any) -> float | str:
    """Equal for what a user would call the same value: 3 and 3.0, 1k and 1000."""
    number = as_number(value)
    return as_text(value) if number is None else number


def _order(value: Any) -> tuple[int, float, str]:
    number = as_number(value)
    if number is not None:
        return 0, number, ""
    return (2, 0.0, "") if value is None else (1, 0.0, as_text(value))
