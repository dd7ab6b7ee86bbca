"""babi-reproduce: the cells of a published table, trained where they are not on record, and drawn beside it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import MISSING, DictConfig, OmegaConf

from babi_memnet.commands.application import launch
from babi_memnet.commands.train import TrainSchema
from babi_memnet.errors import RunsFailed, bad_value, suggestion
from babi_memnet.papers.beside import columns_beside
from babi_memnet.papers.published import PublishedColumn, PublishedTable, load_table
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.runs.environment import describe_environment, unlike_versions
from babi_memnet.runs.signature import short_digest
from babi_memnet.tasks import TASKS
from babi_memnet.tracking.protocol import TrackedRun
from babi_memnet.tracking.start import check_tracker, track_report

if TYPE_CHECKING:
    from babi_memnet.commands.cells import Cells

log = logging.getLogger(__name__)

# What the user says about these holds for every cell; the rest of a cell is the experiment file of its column.
_PASSED_ON = ("data", "training", "tracker", "runtime", "debug")


@dataclass
class ReproduceSchema:
    """The top level of reproduce.yaml.

    Attributes:
        table: a file of conf/published.
        columns: ids of its columns; null means all that can be trained.
        tasks: 1 to 20; null means all. A joint column is always trained on all tasks.
        beside: published tables of conf/published, or columns of them as TABLE/COLUMN, to show beside ours.
        training: changes to the schedule of every column, such as fewer restarts; only what the command line sets.
    """

    table: str = MISSING
    columns: list[str] | None = None
    tasks: list[int] | None = None
    beside: list[str] = field(default_factory=list)
    data: Any = MISSING
    training: Any = MISSING
    tracker: Any = MISSING
    runtime: Any = MISSING


def reproduce(config: DictConfig) -> None:
    """Train what is missing of the table, and write and print it."""
    # Not for --help, which shows what the schema above and the files of conf/ say.
    from babi_memnet.commands.cells import Cells
    from babi_memnet.commands.jobs import Common, Composer

    started = time.perf_counter()
    if config.data.source == "files":
        raise bad_value("data", "files", "official, generated, hub or saved, whose tasks are those of the table")
    table = load_table(config.table)
    columns = [_column(table.columns, name, config.table) for name in config.columns or _trainable(table.columns)]
    if not columns:
        raise bad_value("table", config.table, "a table with columns that can be trained, such as memn2n_1k")
    tasks = list(config.tasks or TASKS)
    for task in tasks:
        if task not in TASKS:
            raise bad_value("tasks", task, "a list of numbers from 1 to 20, such as tasks=[1,4,15]")
    beside = columns_beside(config.beside, table)
    hydra = HydraConfig.get()
    passed_on = [text for text in hydra.overrides.task if text.split("=")[0].split(".")[0].lstrip("+~") in _PASSED_ON]
    tracker: Any = OmegaConf.to_object(config.tracker)
    check_tracker(tracker)
    composer, common = Composer(GlobalHydra.instance().config_loader()), Common("train", _launcher_words(hydra))
    cells = Cells.plan(columns, tasks, passed_on, composer, common)
    if not cells.planned and cells.refused:
        raise cells.refused
    cells.train(composer, common, hydra)
    written = _draw(config, Path(hydra.runtime.output_dir), table, columns, tasks, cells, beside, started)
    if written:
        log.info("%s: %s", hydra.runtime.output_dir, ", ".join(written))
    elif cells.refused and not cells.failed:
        raise cells.refused
    if cells.failed:
        names = ", ".join(cell.name for cell in cells.failed)
        raise RunsFailed(f"{len(cells.failed)} of {len(cells.planned)} runs failed, each with its train.log: {names}")


def _draw(
    config: DictConfig,
    directory: Path,
    table: PublishedTable,
    columns: Sequence[PublishedColumn],
    tasks: Sequence[int],
    cells: Cells,
    beside: Sequence[Mapping[str, Any]],
    started: float,
) -> list[str]:
    """Print the table and write its folder; the names of what was written."""
    from babi_memnet.papers.judgement import caveats
    from babi_memnet.papers.reproduced import learning_curve, reproduced_column, reproduced_table
    from babi_memnet.tables.beside_sheets import beside_tables
    from babi_memnet.tables.sheet import column_tables, show, summary_table
    from babi_memnet.tables.table_report import table_for_tracker, write_table

    requests = {(cell.column.id, cell.task): cell.job.require() for cell in cells.planned}
    outputs = {request.settings.runtime.outputs for request in requests.values()}
    drawn, curves = [], {}
    notes: dict[str, None] = {}  # each once, in order
    for column in columns:
        results, missing = cells.results[column.id], cells.missing[column.id]
        for task, line in missing.items():
            notes[f"left out: {column.id}, task {task}: {line}"] = None
        if not results:
            continue
        places = {task: str(requests[column.id, task].directory.relative_to(*outputs)) for task in results}
        drawn.append(reproduced_column(column, results, tasks, missing, places))
        notes |= {note: None for result in results.values() for note in caveats(result, column)}
        curves[column.id] = {
            str(task): learning_curve(RunDirectory(requests[column.id, task].directory).metrics()) for task in results
        }
    if not drawn:
        return []
    recorded = [RunDirectory(requests[key].directory) for key in requests if key[1] in cells.results[key[0]]]
    notes |= dict.fromkeys(unlike_versions((record.status or {}).get("versions") for record in recorded))
    where = {key: value for key, value in describe_environment().items() if key in ("platform", "python", "versions")}
    whole = reproduced_table(table, drawn, list(notes), where, time.perf_counter() - started, beside)
    written = write_table(directory, whole, {"columns": curves})
    tracker: Any = OmegaConf.to_object(config.tracker)
    signatures = "".join(request.signature for request in requests.values())
    digest = short_digest(signatures)
    tracked = TrackedRun(
        run_id=f"table-{table.id}-{digest}",
        name=f"table/{table.id}",
        directory=directory,
        config={"table": table.id, "columns": [column["id"] for column in drawn], "tasks": list(tasks)},
        group=table.id,
        job_type="report",
        tags=["table", table.id],
    )
    track_report(tracker, tracked, table_for_tracker(whole, directory, written))
    show(column_tables(drawn, width=100, title=table.id, notes=list(notes)))
    show(beside_tables(whole, width=100))
    show([summary_table(drawn, table.id)])
    return [str(path.relative_to(directory)) for path in written if "figures" not in path.parts] + ["figures/"]


def _launcher_words(hydra: HydraConf) -> tuple[str, ...]:
    """The overrides that give the runs the launcher of this command, as jobs of a sweep have it."""
    settings = (word for word in hydra.overrides.hydra if word.lstrip("+~").startswith("hydra.launcher."))
    return "hydra.mode=MULTIRUN", f"hydra/launcher={hydra.runtime.choices['hydra/launcher']}", *settings


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
    launch("reproduce", reproduce, ReproduceSchema, train=TrainSchema)


if __name__ == "__main__":
    main()
