"""babi-reproduce: the cells of a published table, trained where they are not on record, and drawn beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from babi_memnet.commands.application import launch, write_request
from babi_memnet.config import request_of
from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.logs import to_log_files
from babi_memnet.papers.comparison import compare, compare_column
from babi_memnet.papers.judgement import caveats
from babi_memnet.papers.published import PublishedColumn, load_table
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.runs.environment import describe_environment
from babi_memnet.runs.files import write_atomically, write_json
from babi_memnet.settings import TASKS

log = logging.getLogger(__name__)

# What the user says about these holds for every cell; the rest of a cell is the experiment file of its column.
_PASSED_ON = ("data", "training", "tracker", "runtime", "debug")


def reproduce(config: DictConfig) -> None:
    """Train what is missing of the table, column by column, and write and print the table."""
    table = load_table(config.table)
    columns = [_column(table.columns, name, config.table) for name in config.columns or _trainable(table.columns)]
    if not columns:
        raise bad_value("table", config.table, "a table with columns that can be trained, such as memn2n_1k")
    tasks = list(config.tasks or TASKS)
    for task in tasks:
        if task not in TASKS:
            raise bad_value("tasks", task, "a list of numbers from 1 to 20, such as tasks=[1,4,15]")
    # One line a cell on how to upload it would bury the table.
    logging.getLogger("babi_memnet.runs.wandb_tracker").setLevel(logging.WARNING)
    hydra = HydraConfig.get()
    passed_on = [text for text in hydra.overrides.task if text.split("=")[0].split(".")[0].lstrip("+~") in _PASSED_ON]
    drawn: list[dict[str, Any]] = []
    missing: list[RequestError] = []
    notes: dict[str, None] = {}  # each once, in order
    for column in columns:
        results = {}
        for task in ["joint"] if column.joint else tasks:
            overrides = [f"experiment={column.experiment}", f"task={task}"]
            try:
                results[task] = _cell(str(column.experiment), [*overrides, *passed_on])
            except RequestError as error:
                missing.append(error)
                notes[f"left out: {column.id}, task {task}: {error}"] = None
        if results:
            drawn.append(_entry(results, column, tasks))
            notes |= {note: None for result in results.values() for note in caveats(result, column)}
    if not drawn:
        raise missing[0]
    _write(Path(hydra.runtime.output_dir), config.table, drawn, list(notes))


def _cell(experiment: str, overrides: list[str]) -> dict[str, Any]:
    """The result of one run of the table, from its record or by training."""
    config = compose("train", overrides)
    request = request_of(config, experiment)
    if (result := RunDirectory(request.directory).result) is not None:
        return result
    from babi_memnet.experiment import run

    with _logged_to(request.directory):
        return run(request, request.directory, lambda: write_request(request.directory, config, overrides))


@contextmanager
def _logged_to(directory: Path) -> Iterator[None]:
    """train.log in the run directory of a cell, as babi-train would leave it."""
    directory.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(directory / "train.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    except Exception as error:
        to_log_files(logging.ERROR, "failed", error)
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _entry(results: dict[Any, dict[str, Any]], column: PublishedColumn, tasks: list[int]) -> dict[str, Any]:
    """The column of table.json: its comparison, with the errors of every restart and the seconds of training."""
    result_of = {task: results.get("joint", results.get(task)) for task in tasks}
    present = {task: result for task, result in result_of.items() if result is not None}
    cells = {task: compare(result, column, task) for task, result in present.items()}
    overall = compare(results["joint"], column, "joint") if "joint" in results else None
    entry = compare_column(cells, column, overall).as_json()
    for task, result in present.items():
        entry["cells"][str(task)]["restart_errors"] = {
            "train": [restart["train"]["error_percent"] for restart in result["restarts"]],
            "test": [restart["test"]["per_task"][str(task)] for restart in result["restarts"]],
        }
    return {**entry, "seconds": sum(result["seconds"] for result in results.values())}


def _write(directory: Path, table: str, columns: list[dict[str, Any]], notes: list[str]) -> None:
    from babi_memnet.papers.view import column_table, column_tables, show, to_markdown

    where = {key: value for key, value in describe_environment().items() if key in ("platform", "python", "versions")}
    write_json(directory / "table.json", {"id": table, "columns": columns, "notes": notes, "environment": where})
    write_atomically(directory / "table.md", to_markdown(column_table(columns, table, notes)).encode())
    show(column_tables(columns, width=100, title=table, notes=notes))
    log.info("%s: table.json, table.md", directory)


def _trainable(columns: tuple[PublishedColumn, ...]) -> list[str]:
    return [column.id for column in columns if column.experiment]


def _column(columns: tuple[PublishedColumn, ...], name: str, table: str) -> PublishedColumn:
    known = _trainable(columns)
    for column in columns:
        if column.id == name and column.experiment:
            return column
    raise bad_value(
        "columns", name, f"columns of {table} that can be trained: {', '.join(known)}{suggestion(name, known)}"
    )


def main() -> NoReturn:
    """Entry point of ``babi-reproduce``."""
    launch("reproduce", reproduce)


if __name__ == "__main__":
    main()
