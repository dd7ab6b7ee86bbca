"""What networks answer to their test questions: files with every answer, and a table of where restarts agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from babi_memnet.looking.answers import Record
from babi_memnet.looking.predictions import Predicted, prediction_records
from babi_memnet.runs.files import write_atomically
from babi_memnet.tables.numbers import rounded
from babi_memnet.tables.run_report import PREDICTIONS, write_records
from babi_memnet.tables.sheet import Sheet, to_markdown


def write_predictions(
    directory: Path, found: Sequence[Predicted], agreements: Sequence[Record], sheet: Sheet
) -> list[Path]:
    """Write `PREDICTIONS` into the folder of a report: every answer of ``found``, and the agreements; the files."""
    records = [record for one in found for record in prediction_records(one)]
    write_records(directory / "predictions", records, (".csv", ".parquet"))
    write_records(directory / "agreement", agreements, (".csv", ".json"))
    write_atomically(directory / "agreement.md", to_markdown(sheet).encode())
    return [directory / name for name in PREDICTIONS]


def agreement_sheet(agreements: Sequence[Record], title: str, left_out: Sequence[str] = ()) -> Sheet:
    """The errors of each run beside that of its restarts together, and on how many questions the restarts agree."""
    header = ("", "task", "restarts", "selected", "mean", "ensemble", "agreed", "agreed and wrong")
    numbers = ("error_percent", "mean", "ensemble", "agreed_percent", "agreed_and_wrong_percent")
    rows = tuple(
        (one["label"], one["task"], str(one["restarts"]), *(rounded(one[name]) for name in numbers))
        for one in agreements
    )
    notes = (
        "percent of test questions: errors of the selected restart, of all in the mean, and of the ensemble, which "
        "answers with the mean of their probabilities; questions to which all restarts give the same answer, and "
        "that is wrong",
        *(f"left out: {line}" for line in left_out),
    )
    return Sheet(title, header, rows, notes=notes)
