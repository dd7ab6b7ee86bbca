"""babi-report: any run directories as one table, pivoted by two keys, in every form, with figures."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import MISSING, DictConfig, OmegaConf

from babi_memnet.commands.application import launch
from babi_memnet.config import choices_of, schemas
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.request import known_settings
from babi_memnet.runs.collection import Row, as_text, choose, folders_of, in_order
from babi_memnet.runs.merging import SUFFIX, gather, newest, write_merged
from babi_memnet.tables.sheet import screen_width, show
from babi_memnet.tracking.start import check_tracker, track_report

log = logging.getLogger(__name__)

_ROWS_SHOWN = 40


@dataclass
class ReportSchema:
    """The top level of report.yaml.

    Attributes:
        runs: a folder of runs, a Parquet file of merged ones, or a list of some.
        merge: the same, to write their results to the Parquet file ``out`` instead of a report; null for a report.
        where: which runs; a mapping of key to the value, or the values, that it must have; null means all.
        rows: the key whose values stand down the side; null means that what sets the runs apart decides.
        columns: the key whose values stand across; null for none.
        value: what is shown; one of `tables.pivot.VALUES`.
        out: the folder to write to; null means reports/<name of runs> among the outputs.
        figures: whether figures are drawn.
        inspect: whether the networks are asked their test questions again: attention, errors, confusions, words.
        predictions: whether every answer of every restart to every test question is written, and where they agree.
        story: the number of a test question, from 1, or a text file; a network's way through it is then shown instead.
        restart: whose; null means the one that was selected.
    """

    runs: Any = MISSING
    merge: Any = None
    where: Any = None
    rows: str | None = None
    columns: str | None = None
    value: str = "test_error_percent"
    out: str | None = None
    figures: bool = True
    inspect: bool = False
    predictions: bool = False
    story: Any = None
    restart: int | None = None
    tracker: Any = MISSING
    runtime: Any = MISSING


def report(config: DictConfig) -> None:
    """Read the runs, print the table and write the report."""
    # Not for --help, which shows what the schema above and the files of conf/ say.
    from babi_memnet.tables.pivot import choose_keys, pivot
    from babi_memnet.tables.run_report import write_run_report
    from babi_memnet.tables.run_sheets import pivot_sheets, row_sheet
    from babi_memnet.tables.tracked_report import runs_for_tracker, tracked

    gc.disable()  # records are only gathered here; looking through ten thousand of them again and again takes its time
    settings: Any = OmegaConf.to_container(config, resolve=True)
    if settings["merge"] is not None:
        _merge(settings)
        return
    roots = folders_of(settings["runs"])
    _check_story(settings)
    where = _where(settings)
    if not isinstance(config.tracker, DictConfig):
        raise bad_value("tracker", config.tracker, f"one of {', '.join(choices_of('tracker'))}")
    tracker: Any = OmegaConf.to_object(config.tracker)
    check_tracker(tracker)
    rows = in_order(choose(_gathered("runs", roots), where))
    title = " + ".join(roots)
    out = Path(settings["out"] or Path(settings["runtime"]["outputs"]) / "reports" / _name(roots))
    if not next(place for place in (out, *out.parents) if place.exists()).is_dir():
        raise bad_value("out", out, "a folder to write to, found a file")

    if settings["story"] is not None:
        _story(rows, settings, tracker, out)
        return

    row_key, column_key = settings["rows"], settings["columns"]
    if row_key is None and column_key is not None:
        raise RequestError(f"columns={column_key}: needs a key down the side as well; add rows=task or another key")
    if row_key is None and (keys := choose_keys(rows)):
        row_key, column_key = keys
    table = pivot(rows, row_key, column_key, settings["value"]) if row_key else None

    width = screen_width()
    show(pivot_sheets(table, rows, title, width) if table else [row_sheet(rows, title, _ROWS_SHOWN)])
    if table is None:
        log.info("rows=KEY and columns=KEY pivot the runs and draw them")
    written = write_run_report(out, rows, table, title, settings["figures"])
    inspected: dict[str, Any] = {}
    if settings["inspect"]:
        files, inspected = _inspect(rows, settings, out, title)
        written += files
    if settings["predictions"]:
        written += _predict(rows, out, title)
    if tracker.kind != "none":
        asked = {key: settings[key] for key in ("value", "inspect", "predictions")} | {
            "rows": row_key,
            "columns": column_key,
        }
        track_report(tracker, tracked(rows, title, asked, out), runs_for_tracker(rows, table, inspected, out, written))
    log.info("%s: %s", out, ", ".join(str(path.relative_to(out)) for path in written))


def _where(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The values that ``where`` wants of keys.

    Raises:
        RequestError: it is no mapping.
    """
    where = {} if settings["where"] is None else settings["where"]
    if not isinstance(where, dict):
        raise bad_value("where", where, "keys and values, such as where={task:[1,2]}")
    return where


def _gathered(key: str, roots: Sequence[str]) -> list[Row]:
    """The rows of all runs in these folders and files, which ``key`` names; runs that cannot be read are told.

    Raises:
        RequestError: there is no run.
    """
    found, broken = gather(roots, known_settings(schemas()))
    for line in broken:
        log.warning("left out: %s", line)
    if not found:
        raise bad_value(key, ",".join(roots), "folders with run directories in them, found no run to read")
    return found


def _merge(settings: dict[str, Any]) -> None:
    """Write the results of several folders and files to one Parquet file, of each signature the newest."""
    roots, where = folders_of(settings["merge"], "merge"), _where(settings)
    _refuse_others(settings, "no merge beside it, which makes no table")
    if settings["story"] is not None:
        raise RequestError(f"story={settings['story']}: expected no merge beside it, which shows nothing")
    out = Path(settings["out"] or "")
    if out.suffix != SUFFIX:
        raise bad_value("out", settings["out"], f"the file to write to, such as results{SUFFIX}")
    if out.exists():
        if where:
            raise RequestError(f"out={out}: exists already; expected another file, since where leaves results out")
        if out.resolve() not in {Path(root).resolve() for root in roots}:
            raise RequestError(f"out={out}: exists already; name it in merge as well, or choose another file")
    sources = [_gathered("merge", [root]) for root in roots]
    rows = in_order(choose(newest(sources), where))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_merged(out, rows)
    except OSError as error:
        raise RequestError(f"out={out}: cannot be written ({error.strerror or error})") from None
    runs = len({row.keys["signature"] for row in rows})
    log.info("%s: runs: %d, rows: %d of the %d in %s", out, runs, len(rows), sum(map(len, sources)), " + ".join(roots))


def _refuse_others(settings: Mapping[str, Any], expected: str) -> None:
    """Refuse what only a table has.

    Raises:
        RequestError: there is such a key; the text names it.
    """
    without = {"inspect": False, "predictions": False, "rows": None, "columns": None, "value": ReportSchema.value}
    for key, default in without.items():
        if settings[key] != default:
            raise RequestError(f"{key}={as_text(settings[key])}: expected {expected}")


def _check_story(settings: Mapping[str, Any]) -> None:
    """Refuse what means nothing with ``story``, and what means nothing without it.

    Raises:
        RequestError: there is such a key; the text names it.
    """
    if settings["story"] is None:
        if settings["restart"] is not None:
            raise RequestError(f"restart={settings['restart']}: expected story as well, whose network it chooses")
        return
    _refuse_others(settings, "no story beside it, which makes no table")


def _inspect(
    rows: Sequence[Row], settings: Mapping[str, Any], out: Path, title: str
) -> tuple[list[Path], dict[str, Any]]:
    """What the networks do with their test questions, printed and written; the files, and the tables by name."""
    gc.freeze()  # the rows stay out of it
    gc.enable()  # a figure refers to itself, and stays otherwise
    # Only this needs the networks, and with them torch.
    from babi_memnet.looking.answers import error_records
    from babi_memnet.looking.inspection import inspect_runs
    from babi_memnet.looking.stopping import allowed_records, hop_records
    from babi_memnet.tables.attention_sheet import attention_sheet, tidy_attention
    from babi_memnet.tables.inspection_report import error_sheet, write_inspection
    from babi_memnet.tables.run_report import INSPECTION
    from babi_memnet.tables.stopping_sheet import stopping_sheet

    found = inspect_runs(rows)
    if not found.answered:
        reasons = found.left_out or ["expected runs that are done"]
        raise RequestError(f"inspect=true: {reasons[0]}")
    errors = error_records(found.answered)
    if found.attention:
        show([attention_sheet(found.attention, title, found.left_out)])
    show([error_sheet(errors, title, () if found.attention else found.left_out)])
    if found.stopped:
        show([stopping_sheet(hop_records(found.stopped), allowed_records(found.stopped), title)])
    written, notes = write_inspection(out / INSPECTION, found, errors, title, settings["figures"])
    for note in notes:
        log.info("%s", note)
    return written, {"attention": tidy_attention(found.attention), "errors": errors}


def _predict(rows: Sequence[Row], out: Path, title: str) -> list[Path]:
    """What the networks answer to every test question, written, and where their restarts agree, printed; the files."""
    gc.enable()
    # Only this needs the networks, and with them torch.
    from babi_memnet.looking.predictions import agreement_record, predict_runs
    from babi_memnet.tables.predictions_report import agreement_sheet, write_predictions

    found, left_out = predict_runs(rows)
    if not found:
        raise RequestError(f"predictions=true: {[*left_out, 'expected runs that are done'][0]}")
    agreements = [agreement_record(one, label) for one, label in found]
    sheet = agreement_sheet(agreements, title, left_out)
    show([sheet])
    return write_predictions(out, [one for one, _ in found], agreements, sheet)


def _story(rows: Sequence[Row], settings: Mapping[str, Any], tracker: Any, out: Path) -> None:
    """One traced story, of the network that did best on its validation questions."""
    from babi_memnet.looking.stories import best_run, described, numbered_question, read_story
    from babi_memnet.looking.trace import TracedNetwork
    from babi_memnet.tables.story_report import story_sheet, story_sheets, write_story
    from babi_memnet.tables.tracked_report import story_for_tracker, tracked

    number = settings["story"]
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise bad_value("story", number, "the number of a test question, from 1, or a text file")
    row = best_run(rows)
    network = TracedNetwork.load(row.keys["run"], settings["restart"])
    if isinstance(number, int):
        asked = numbered_question(network.settings["data"], row.keys["task"], number, network.learned)
    else:
        asked = read_story(Path(number))
    trace = network.ask(asked.story, asked.question)
    for line in (asked.name, *described(network.settings, network.restart, row.keys["experiment"], network.directory)):
        log.info("%s", line)
    show(story_sheets(trace, asked, screen_width()))
    written = write_story(out, network, asked, trace, row.keys["experiment"])
    if tracker.kind != "none":
        about = {"story": asked.story, "question": asked.question, "restart": network.restart}
        known = {"question": asked.question, "answer": trace.answer, "expected": asked.expected}
        report = story_for_tracker(story_sheet(trace, asked), known, out, written)
        track_report(tracker, tracked([row], asked.name, about, out), report)
    log.info("%s: %s", out, ", ".join(str(path.relative_to(out)) for path in written))


def _name(roots: Sequence[str]) -> str:
    """The folder of a report by default, after the folders of its runs."""
    return "+".join(Path(root).resolve().name.removesuffix(SUFFIX) or "runs" for root in roots)


def main() -> NoReturn:
    """Entry point of ``babi-report``."""
    launch("report", report, ReportSchema)


if __name__ == "__main__":
    main()
