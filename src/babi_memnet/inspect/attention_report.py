"""The attention of finished runs over their test questions, as records, as a table to read, and as files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from tqdm import tqdm

from babi_memnet.data.settings import settings_on_record
from babi_memnet.data.sources import load
from babi_memnet.inspect.attention import measure, recency, support_of, uniform
from babi_memnet.inspect.tracing import TracedNetwork
from babi_memnet.papers.formats import to_csv
from babi_memnet.papers.view import Sheet, to_markdown
from babi_memnet.runs.collection import Row
from babi_memnet.runs.files import plain, write_atomically

Record = dict[str, Any]
"""One network, or null model, on the test questions of one task: ``run``, ``experiment``, ``task``, ``hops``,
``network`` (a restart, uniform or recency), ``selected``, ``error_percent`` and the fields of `Attention`."""

NULL_MODELS = {"uniform": uniform, "recency": recency}


def attention_records(rows: Iterable[Row]) -> tuple[list[Record], list[str]]:
    """The records of every restart of every finished run, and of the null models; and what was left out, and why.

    Raises:
        RequestError: the stories of a run are not to be had, or its checkpoint is damaged.
    """
    runs: dict[str, list[Row]] = {}
    for row in rows:
        if row.is_done:
            runs.setdefault(row.keys["run"], []).append(row)
    records: list[Record] = []
    left_out = []
    for run, its_rows in tqdm(runs.items(), desc="attention", unit="run", leave=False, disable=None):
        if its_rows[0].keys["training.epochs"] == 0:
            left_out.append(f"{run}: its attention is linear, whose weights are no shares of one")
            continue
        records += _of_run(Path(run), its_rows)
    return records, left_out


def _of_run(run: Path, rows: Sequence[Row]) -> list[Record]:
    stories: dict[int, Any] = {}
    records = []
    for place, (_, number) in enumerate(rows[0].numbers):
        network = TracedNetwork.load(run, number)
        for row in rows:
            task = int(row.keys["task"])
            if task not in stories:
                columns = load(settings_on_record(network.settings["data"]), [task])["test"].to_dict()
                support = support_of(columns["story"], columns["supporting"], network.encoder.slots)
                stories[task] = network.encoder.encode(columns), support
            questions, support = stories[task]
            hops, slots = network.settings["model"]["hops"], network.encoder.slots
            about = {key: row.keys[key] for key in ("run", "experiment", "task")} | {"hops": hops}
            if place == 0:
                for name, model in NULL_MODELS.items():
                    found = asdict(model(support, hops, slots))
                    records.append({**about, "network": name, "selected": None, "error_percent": None, **found})
            attended = network.attend(questions)
            wrong = attended.answers != questions.answers
            found = asdict(measure(attended.attention.astype(np.float64), support, wrong))
            selected = place == row.selected
            error = 100 * float(wrong.mean())
            records.append({**about, "network": number, "selected": selected, "error_percent": error, **found})
    return records


def tidy_attention(records: Iterable[Record]) -> list[Record]:
    """The records with a column for each hop instead of a list; shorter ones are filled up with None."""
    records = list(records)
    most = max(record["hops"] for record in records)
    flat = []
    for record in records:
        one: Record = {}
        for key, value in record.items():
            if isinstance(value, tuple | list):
                one |= {f"{key}_{hop + 1}": value[hop] if hop < len(value) else None for hop in range(most)}
            else:
                one[key] = value
        flat.append(one)
    return flat


def attention_sheet(records: Iterable[Record], title: str, notes: Sequence[str] = ()) -> Sheet:
    """One row per run and task: the selected restart, with the deviation over all of them, beside the null models."""
    groups: dict[tuple[str, Any], list[Record]] = {}
    for record in records:
        groups.setdefault((record["run"], record["task"]), []).append(record)
    # with one experiment its name says nothing
    first = 0 if len({group[0]["experiment"] for group in groups.values()}) > 1 else 1
    rows = tuple(_row(group)[first:] for group in groups.values())
    return Sheet(title, _HEADER[first:], rows, notes=(*_LEGEND, *notes))


_HEADER = (
    "experiment",
    "task",
    "error\n%",
    "mass on supporting facts\nby hop",
    "±",
    "uniform",
    "recency",
    "found",
    "±",
    "uniform",
    "recency",
    "all\nfound",
    "in\norder",
    "on empty slots\nby hop",
    "entropy\nby hop",
    "mass when\nright, wrong",
    "error when all are\nfound, not found",
)
_LEGEND = (
    "percent, of the selected restart; ±: standard deviation over restarts; entropy in bits",
    "found: supporting facts that some hop weighs above all other statements; in order: as the chain of reasoning goes",
    "uniform: all slots alike; recency: the latest statement, then the one before it",
)


def _row(group: Sequence[Record]) -> tuple[str, ...]:
    (chosen,) = (record for record in group if record["selected"])
    restarts = [record for record in group if record["selected"] is not None]
    null = {name: next(record for record in group if record["network"] == name) for name in NULL_MODELS}
    return (
        str(chosen["experiment"] or "train"),
        str(chosen["task"]),
        f"{chosen['error_percent']:.1f}",
        _hops(chosen["mass"]),
        _deviation([fmean(record["mass"]) for record in restarts]),
        *(f"{fmean(null[name]['mass']):.0f}" for name in NULL_MODELS),
        _number(chosen["found"]),
        _deviation([record["found"] for record in restarts]),
        *(_number(null[name]["found"]) for name in NULL_MODELS),
        _number(chosen["complete"]),
        _number(chosen["in_order"]),
        _hops(chosen["empty"]),
        " ".join(f"{value:.1f}" for value in chosen["entropy"]),
        f"{_number(chosen['mass_when_right'])}, {_number(chosen['mass_when_wrong'])}",
        f"{_number(chosen['error_when_complete'], 1)}, {_number(chosen['error_when_incomplete'], 1)}",
    )


def _hops(values: Sequence[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _deviation(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    return f"{stdev(numbers):.0f}" if len(numbers) > 1 else ""


def condensed(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The records rounded and without the places of the runs, to be kept."""
    return [
        {key: _rounded(value) for key, value in record.items() if key != "run"} | {"run": record["experiment"]}
        for record in records
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded(item) for item in value]
    return round(value, 2) if isinstance(value, float) else value


def write_attention(directory: Path, records: Sequence[Record], title: str, notes: Sequence[str]) -> list[Path]:
    """Write attention.json, .csv and .md, and the figure where there is one, into ``directory``; the files."""
    # matplotlib takes longer to load than the rest to write
    from babi_memnet.inspect.attention_figures import support_figure
    from babi_memnet.inspect.style import rendered

    contents = {
        "attention.json": json.dumps([plain(record) for record in records], indent=1).encode(),
        "attention.csv": to_csv(tidy_attention(records)).encode(),
        "attention.md": to_markdown(attention_sheet(records, title, notes)).encode(),
    }
    if (figure := support_figure(records)) is not None:
        contents |= {f"figures/attention.{form}": rendered(figure, form) for form in ("png", "pdf")}
        (directory / "figures").mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return [directory / name for name in contents]
