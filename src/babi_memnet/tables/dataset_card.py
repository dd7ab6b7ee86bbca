"""The card of stories that are saved as files: what they are, what they are made by, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from babi_memnet.data.babi_format import SPLITS
from babi_memnet.data.records import features
from babi_memnet.tables.cards import HUB_ID, are_official, stories_in_words
from babi_memnet.tables.pages import filled
from babi_memnet.tasks import title
from babi_memnet.worlds.simulation import SIMULATOR_VERSION

_MEANINGS = {
    "task": "its number",
    "story": "everything told before the question, oldest statement first",
    "question": "with its question mark",
    "answer": "several words are joined by commas",
    "supporting": "indices into the story, from 0, of the statements that the answer rests on",
    "story_id": "counts the stories of a task and split from 0; the questions of a story share it",
}
_FILES = {"parquet": "{}.parquet", "datasets": "{}/*.arrow"}
_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
_LANGUAGES = {"en": "en", "hn": "hi"}


def dataset_card(
    settings: Any, tasks: Sequence[int], form: str, rows: Mapping[str, int], fingerprint: str, command: Sequence[str]
) -> str:
    """The README.md beside the files.

    Args:
        settings: of the source of the stories.
        tasks: those that are in the files.
        form: one of `data.saved.FORMS`.
        rows: by split how many questions there are.
        fingerprint: of the stories as their source has them.
        command: the words that write the files again.
    """
    data = asdict(settings)
    source = data["source"] if data["source"] == "generated" or are_official(data, tasks) else "saved"
    name = f"bAbI, {stories_in_words(data)}"
    return filled(
        "dataset_card.md",
        header=_header(data, source, form, sum(rows.values()), name),
        title=name,
        source=source,
        tasks=[title(task) for task in tasks],
        seed=data.get("seed"),
        simulator=SIMULATOR_VERSION,
        rows=rows,
        fingerprint=fingerprint,
        columns=[(field.name, _kind(field.type), _MEANINGS[field.name]) for field in features().arrow_schema],
        command=" ".join(command),
        form=form,
    )


def _kind(type: Any) -> str:
    """A type of Arrow in words."""
    return f"list of {type.value_type}" if hasattr(type, "value_type") else str(type)


def _header(data: Mapping[str, Any], source: str, form: str, rows: int, name: str) -> str:
    """The YAML that the hub reads, without the lines around it; of ``saved`` stories nobody knows whose they are."""
    from huggingface_hub import DatasetCardData

    language = _LANGUAGES.get(data.get("language", "en")) if source != "saved" else None
    licence = {"generated": "mit", "saved": None}.get(source, "cc-by-3.0")
    header = DatasetCardData(
        pretty_name=name,
        language=[language] if language else None,
        license=licence,
        size_categories=[next((words for most, words in _SIZES.items() if rows < most), "n>10M")],
        task_categories=["question-answering"],
        source_datasets=[HUB_ID] if source in ("official", "hub") else None,
        tags=["babi", data["source"]],
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": _FILES[form].format(split)} for split in SPLITS],
            }
        ],
    )
    return str(header.to_yaml())
