"""Stories saved as Parquet files or as a folder of the datasets library: which files those are, and reading them.

What is read must have exactly the columns of `records.features`. Writing is in `export`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from babi_memnet.data.babi_format import SPLITS, check_tasks
from babi_memnet.data.cache import remembered_sha256
from babi_memnet.data.layout import changed, in_words
from babi_memnet.data.records import features
from babi_memnet.data.settings import SavedData
from babi_memnet.errors import RequestError, bad_value, one_line
from babi_memnet.reading import file_sha256, read_regular

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

# What lies in the folder; the last name of each form tells by itself that it is this form.
FORMS: dict[str, tuple[str, ...]] = {
    "parquet": ("test.parquet", "train.parquet"),
    "datasets": ("test", "train", "dataset_dict.json"),
}

_END = b"\xff\xff\xff\xff\0\0\0\0"
"""What a stream of Arrow ends with."""

STATE_FILE = "state.json"
"""Lies in the folder of each split that the datasets library saved, and lists its Arrow files."""

_EXPECTED = (
    "a folder with train.parquet and test.parquet, or one that DatasetDict.save_to_disk wrote with the splits train "
    "and test"
)


def load(settings: SavedData, tasks: list[int], expected: str | None = None) -> datasets.DatasetDict:
    """The splits of ``tasks``, in memory, task after task in the given order.

    Raises ``RequestError``: unknown task; no such folder; a file that is missing or damaged; a column that is missing,
    of another type or unknown; a task without questions, or not with ``data.size`` of them; what was read is not what
    is ``expected``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from datasets import Dataset, DatasetDict, DatasetInfo

    check_tasks(tasks)
    folder, form, files = _files(settings)
    checksums = _checksums(files)
    if expected not in (None, _digest(checksums, tasks, SPLITS)):
        raise changed(str(folder))
    splits = {}
    for split in SPLITS:
        place = files[split][0] if form == "parquet" else folder / split
        table = _checked(_table(files[split], form, place), place)
        counts = {row["values"]: row["counts"] for row in pc.value_counts(table["task"]).to_pylist()}
        for task in tasks:
            if task not in counts:
                raise RequestError(f"{place}: no questions of task {task}; there are: {in_words(sorted(counts))}")
            if split == "train" and settings.training_questions not in (None, counts[task]):
                raise bad_value("data.size", settings.size, f"{counts[task]}, what {place} has of task {task}, or null")
        rows = pa.concat_tables([table.filter(pc.equal(table["task"], task)) for task in tasks])
        info = DatasetInfo(features=features())
        splits[split] = Dataset(rows, info=info, fingerprint=_digest(checksums, tasks, (split,)))
    # What was mapped or read between two equal checksums is what they are of.
    if checksums != _checksums(files):
        raise changed(str(folder))
    return DatasetDict(splits)


def fingerprint(settings: SavedData, tasks: list[int]) -> str:
    """Hex SHA-256 over the numbers of the tasks and the content of the files, wherever they lie; reads no rows.

    The files count as a whole: other tasks in them make another fingerprint, and so does the other form.
    """
    check_tasks(tasks)
    _, _, files = _files(settings)
    return _digest({split: [remembered_sha256(path) for path in files[split]] for split in SPLITS}, tasks, SPLITS)


def origin(settings: SavedData, tasks: list[int]) -> str:
    """Where the training questions are, for errors."""
    check_tasks(tasks)
    return ", ".join(map(str, _files(settings)[2]["train"]))


def _checksums(files: dict[str, list[Path]]) -> dict[str, list[str]]:
    """By split those of the files as they are now."""
    try:
        return {split: [file_sha256(path) for path in files[split]] for split in SPLITS}
    except OSError as error:
        raise RequestError(f"{error.filename}: cannot be read ({error.strerror or error})") from None


def _digest(checksums: dict[str, list[str]], tasks: list[int], splits: tuple[str, ...]) -> str:
    content = [tasks, [[split, checksums[split]] for split in splits]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _files(settings: SavedData) -> tuple[Path, str, dict[str, list[Path]]]:
    """The folder, the form of what is in it, and by split the files with the rows."""
    if settings.path is None:
        raise RequestError(f"data.path: needs a value; expected {_EXPECTED}")
    folder, given = Path(settings.path).expanduser(), f"data.path={settings.path}"
    if not folder.is_dir():
        raise RequestError(f"{given}: no such folder; expected {_EXPECTED}")
    found = [form for form, names in FORMS.items() if (folder / names[-1]).exists()]
    if len(found) != 1:
        marks = [names[-1] for names in FORMS.values()]
        problem = f"both {' and '.join(marks)}" if found else f"neither {' nor '.join(marks)}"
        raise RequestError(f"{given}: {problem} in it; expected {_EXPECTED}")
    if found == ["parquet"]:
        files = {split: [folder / f"{split}.parquet"] for split in SPLITS}
    else:
        files = {split: _arrow_files(folder / split) for split in SPLITS}
    for path in (path for paths in files.values() for path in paths):
        if not path.is_file():
            raise RequestError(f"{given}: {path} is missing; expected {_EXPECTED}")
    return folder, found[0], files


def _arrow_files(folder: Path) -> list[Path]:
    """The files of one split in the order of their rows."""
    state = folder / STATE_FILE
    try:
        saved = json.loads(read_regular(state, 16))
        names = [entry["filename"] for entry in saved["_data_files"]]
        if saved.get("_indices_files") or saved.get("_indices_data_files"):
            raise ValueError("a selection of rows; save what it selects")
        if not names or any(not name.endswith(".arrow") or Path(name).name != name for name in names):
            raise ValueError("_data_files lists other things than Arrow files of the folder")
        return [folder / name for name in names]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError(f"{state}: {_reason(error)}; expected {_EXPECTED}") from None


def _table(files: list[Path], form: str, place: Path) -> pa.Table:
    """All rows of the files of a split, which ``place`` stands for in errors."""
    import pyarrow as pa

    # Of a folder of the datasets library the Arrow files are read as they are: what else lies there tells nothing more.
    read = _parquet if form == "parquet" else _arrow
    try:
        table = pa.concat_tables(map(read, files))
        table.validate(full=True)  # no damaged file makes others read beyond the end of its values
        return table
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{place}: cannot be read ({_reason(error)}); expected {_EXPECTED}") from None


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path).read()


def _arrow(path: Path) -> pa.Table:
    import pyarrow as pa

    content = pa.memory_map(str(path))
    if content.size() < len(_END) or content.read_at(len(_END), content.size() - len(_END)) != _END:
        raise ValueError(f"{path.name} ends in the middle")
    return pa.ipc.open_stream(content).read_all()


def _checked(table: pa.Table, place: Path) -> pa.Table:
    """``table`` with the columns of `features` in their order; ``RequestError`` names the first that does not fit.

    What another writer has stored in another type that means the same, such as large strings, is cast.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = features().arrow_schema
    for name in (*schema.names, *table.column_names):
        if name not in table.column_names:
            raise RequestError(f"{place}: column {name} is missing; expected {', '.join(schema.names)}")
        if name not in schema.names:
            raise RequestError(f"{place}: column {name} is unknown; expected only {', '.join(schema.names)}")
    if len(table.column_names) > len(schema.names):
        raise RequestError(f"{place}: a column stands there twice; expected each of {', '.join(schema.names)} once")
    columns = []
    for name in schema.names:
        found, expected = table.schema.field(name).type, schema.field(name).type
        refused = RequestError(f"{place}: column {name} holds {found}; expected {expected}")
        if not _is_alike(found, expected):
            raise refused
        try:
            columns.append(table[name].cast(expected))
        except pa.ArrowException:  # a number that is too large for it
            raise refused from None
    table = pa.table(columns, schema=schema)
    for name in schema.names:
        values = [table[name]] + ([pc.list_flatten(table[name])] if name in ("story", "supporting") else [])
        if any(value.null_count for value in values):
            raise RequestError(f"{place}: column {name} has empty cells; expected a value in each")
    for name in ("question", "answer"):
        blank = pc.index(pc.equal(pc.utf8_trim_whitespace(table[name]), ""), True).as_py()
        if blank >= 0:
            raise RequestError(f"{place}: row {blank + 1} has no {name}; expected a text")
    for batch in table.to_batches():
        statements = pc.list_value_length(batch["story"]).take(pc.list_parent_indices(batch["supporting"]))
        indices = pc.list_flatten(batch["supporting"])
        if pc.any(pc.or_(pc.less(indices, 0), pc.greater_equal(indices, statements))).as_py():
            raise RequestError(f"{place}: column supporting points outside of the story; expected indices from 0")
    return table


def _is_alike(found: pa.DataType, expected: pa.DataType) -> bool:
    """Whether values of a type mean the same in the expected one, if they fit into it."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_list(expected):
        lists = (kinds.is_list, kinds.is_large_list, kinds.is_fixed_size_list, kinds.is_list_view)
        return any(is_kind(found) for is_kind in lists) and _is_alike(found.value_type, expected.value_type)
    if kinds.is_string(expected):
        if kinds.is_dictionary(found):
            return _is_alike(found.value_type, expected)
        return any(is_kind(found) for is_kind in (kinds.is_string, kinds.is_large_string, kinds.is_string_view))
    return all(kinds.is_integer(kind) for kind in (found, expected))


def _reason(error: Exception) -> str:
    """What went wrong, on one line."""
    return error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
