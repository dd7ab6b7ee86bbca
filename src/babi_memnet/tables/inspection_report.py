"""The files of an inspection: attention, errors, confusions and words, as numbers and as pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.looking.answers import BINS, POOLED, Answered, Record, by_label, confusion, confusion_records
from babi_memnet.looking.inspection import Inspection
from babi_memnet.looking.stopping import allowed_records, hop_records
from babi_memnet.looking.word_map import word_records
from babi_memnet.runs.files import plain, write_atomically, write_json
from babi_memnet.tables.attention_sheet import attention_sheet, tidy_attention
from babi_memnet.tables.formats import to_csv
from babi_memnet.tables.numbers import NO_DATA, rounded
from babi_memnet.tables.run_report import MANIFEST
from babi_memnet.tables.sheet import Sheet, to_markdown
from babi_memnet.tables.stopping_sheet import stopping_sheet
from babi_memnet.tasks import file_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 8
"""For more kinds of networks attention and errors are not drawn."""
MOST_MAPS = 8
MOST_CONFUSIONS = 20
MOST_ANSWERS = 20

_LONGEST_NAME = 80


def write_inspection(
    directory: Path, found: Inspection, errors: Sequence[Record], title: str, figures: bool
) -> tuple[list[Path], list[str]]:
    """Write all of ``found`` into ``directory``, a folder of its own; the files, and lines on what is not drawn.

    ``attention``, ``errors``, ``confusion`` and ``words`` as JSON and CSV, unrounded, the first two also as Markdown;
    attention, words and steps only where a network has them; pictures as PNG and PDF below ``figures/``. ``errors`` are
    the `error_records`. ``files.json`` names all of these, so that the next report there can remove them.
    """
    confused, words = confusion_records(found.answered), word_records(found.maps)
    contents = {
        "errors.json": _json(errors),
        "errors.csv": to_csv(errors).encode(),
        "errors.md": to_markdown(error_sheet(errors, title, found.left_out)).encode(),
        "confusion.json": _json(confused),
        "confusion.csv": to_csv(confused).encode(),
    }
    if words:
        contents |= {"words.json": _json(words), "words.csv": to_csv(words).encode()}
    if found.attention:
        contents |= {
            "attention.json": _json(found.attention),
            "attention.csv": to_csv(tidy_attention(found.attention)).encode(),
            "attention.md": to_markdown(attention_sheet(found.attention, title, found.left_out)).encode(),
        }
    if found.stopped:
        hops, allowed = hop_records(found.stopped), allowed_records(found.stopped)
        contents |= {
            "steps.json": _json(hops),
            "steps.csv": to_csv(hops).encode(),
            "steps_allowed.json": _json(allowed),
            "steps_allowed.csv": to_csv(allowed).encode(),
            "steps.md": to_markdown(stopping_sheet(hops, allowed, title)).encode(),
        }
    directory.mkdir(parents=True, exist_ok=True)
    notes: list[str] = []
    if figures:
        # matplotlib takes longer to load than the rest to write
        from babi_memnet.tables.style import rendered

        (directory / "figures").mkdir(exist_ok=True)
        for name, figure in _pictures(found, errors, notes):
            for form in ("png", "pdf"):
                contents[f"figures/{name}.{form}"] = rendered(figure, form)
    for name, content in contents.items():
        write_atomically(directory / name, content)
    names = [*contents, MANIFEST]
    write_json(directory / MANIFEST, {"written": names})
    return [directory / name for name in names], notes


def _pictures(found: Inspection, errors: Sequence[Record], notes: list[str]) -> Iterator[tuple[str, Figure]]:
    """The name of each picture and the picture; what is not drawn is added to ``notes``."""
    from babi_memnet.tables.answer_figures import confusion_figure, error_figure
    from babi_memnet.tables.attention_figures import support_figure
    from babi_memnet.tables.stopping_figure import stopping_figure
    from babi_memnet.tables.word_figure import word_figure

    names = file_names(by_label(found.answered))
    if len(names) > MOST_LABELS:
        notes.append(
            f"no figures of attention and errors: for {len(names)} kinds of networks, drawn up to {MOST_LABELS}"
        )
    else:
        for label, name in names.items():
            attention = [record for record in found.attention if record["label"] == label]
            if attention and (figure := support_figure(attention)) is not None:
                yield f"attention{name}", figure
            stopped = [one for one in found.stopped if one.label == label]
            if stopped:
                yield f"steps{name}", stopping_figure(hop_records(stopped), allowed_records(stopped))
            yield f"errors{name}", error_figure([record for record in errors if record["label"] == label])

    confused = sorted((one for one in found.answered if _wrong(one)), key=_wrong, reverse=True)
    for one in confused[:MOST_CONFUSIONS]:
        matrix = confusion(one.right, one.given, MOST_ANSWERS)
        heading = f"{one.label}, task {one.task}: {rounded(_wrong(one))} % wrong"
        yield f"confusion{names[one.label]}-{file_label(one.task)}", confusion_figure(matrix, heading)
    if faultless := len(found.answered) - len(confused):
        notes.append(f"no figure of confusion where all is right: {faultless} of {len(found.answered)} tasks")
    if len(confused) > MOST_CONFUSIONS:
        notes.append(f"confusion drawn for the {MOST_CONFUSIONS} highest of {len(confused)} errors")

    for word_map in found.maps[:MOST_MAPS]:
        task = f"-{file_label(word_map.tasks[0])}" if len(word_map.tasks) == 1 else ""
        yield f"words{names[word_map.label]}{task}", word_figure(word_map)
    if len(found.maps) > MOST_MAPS:
        notes.append(
            f"maps of words drawn for the first {MOST_MAPS} of {len(found.maps)} runs; where={{task:3}} chooses"
        )


def _wrong(one: Answered) -> float:
    """Percent, of the selected restart."""
    return 100 * float(one.wrong[one.selected].mean())


def file_names(labels: Iterable[str]) -> dict[str, str]:
    """What a label adds to the name of a file: nothing when it is the only one, and no two the same."""
    labels = list(labels)
    names: dict[str, str] = {}
    for place, label in enumerate(labels, 1):
        name = "-" + re.sub(r"[^\w.=]+", "-", label).strip("-")[:_LONGEST_NAME]
        names[label] = "" if len(labels) == 1 else f"{name}-{place}" if name in names.values() else name
    return names


def error_sheet(records: Sequence[Record], title: str, more: Sequence[str] = ()) -> Sheet:
    """One row per label and task: the error of the selected restart by number of supporting facts, and by length."""
    bins = [
        (name, str(part))
        for name, parts in BINS.items()
        for part in parts
        if any((record["by"], record["bin"]) == (name, str(part)) for record in records)
    ]
    cells: dict[tuple[str, Any], dict[tuple[str, str], float]] = {}
    for record in records:
        cells.setdefault((record["label"], record["task"]), {})[record["by"], record["bin"]] = record["error_percent"]
    # a label that is always the same says nothing
    first = 0 if len({label for label, _ in cells}) > 1 else 1
    rows = [
        (label, str(task), *(rounded(errors.get(part), missing=NO_DATA) for part in bins))[first:]
        for (label, task), errors in cells.items()
    ]
    opened: set[str] = set()
    header = ["networks", "task"][first:]
    for name, part in bins:
        header.append(f"{'' if name in opened else name}\n{part}")
        opened.add(name)
    notes = ["test error of the selected restart, in percent, by supporting facts and by statements told before"]
    if any(record["task"] == POOLED for record in records):
        notes.append("pooled: the tasks whose questions differ in it; where none does, all of them")
    return Sheet(title, tuple(header), tuple(rows), notes=(*notes, *more))


def _json(records: Iterable[Record]) -> bytes:
    return (json.dumps([plain(record) for record in records], indent=1, ensure_ascii=False) + "\n").encode()
