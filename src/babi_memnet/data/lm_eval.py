"""Stories as tasks of EleutherAI's lm-evaluation-harness, so that a language model can be asked the very questions.

Its results are shown beside ours by ``beside=RESULTS.json`` (`papers.language_models`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babi_memnet.data.babi_format import SPLITS
from babi_memnet.data.output import assembled, refuse_existing
from babi_memnet.data.records import StoryQuestion, from_dataset
from babi_memnet.data.sources import DataSettings, load
from babi_memnet.tasks import Task, file_label

GROUP = "babi_memnet"
"""The name of all tasks together; that of a task begins with it."""


_ANSWER = {"function": "regex", "regex_pattern": r"^\s*(.*?)[\s.]*$"}
"""What a model has said, without blanks around it and without a full stop."""


def task_name(task: Task) -> str:
    """What the harness calls a task: ``babi_memnet_task_01``."""
    return f"{GROUP}_{file_label(task)}"


def write_tasks(settings: DataSettings, out: Path, tasks: Sequence[Task], overwrite: bool = False) -> Path:
    """Writes for each task a YAML and its questions as JSON lines, and a group of all tasks; returns ``out``.

    Test questions are asked; the examples of a prompt with some (``--num_fewshot``) come from the training questions.
    An answer of several words is right when it is the same list in the same order. The YAML names the questions by
    their absolute place, as the harness would look for them where it is started.

    Raises ``RequestError`` when a file exists and ``overwrite`` is false, when ``out`` cannot be written, and for
    everything that loading does.
    """
    names = [f"{GROUP}.yaml"]
    for task in tasks:
        names += [f"{task_name(task)}.yaml", *(f"{task_name(task)}_{split}.jsonl" for split in SPLITS)]
    if not overwrite:
        refuse_existing(out, out, names)
    with assembled(out, out, names, overwrite) as scratch:
        for task in tasks:
            stories = load(settings, [task])
            for split in SPLITS:
                lines = [json.dumps(_row(record), ensure_ascii=False) for record in from_dataset(stories[split])]
                (scratch / f"{task_name(task)}_{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            _write(scratch / f"{task_name(task)}.yaml", _task(task, out.absolute()))
        _write(scratch / f"{GROUP}.yaml", _group(tasks))
    return out


def _row(record: StoryQuestion) -> dict[str, str]:
    return {"story": "\n".join(record.story), "question": record.question, "answer": record.answer}


def _task(task: Task, folder: Path) -> dict[str, Any]:
    files = {split: str(folder / f"{task_name(task)}_{split}.jsonl") for split in SPLITS}
    return {
        "task": task_name(task),
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "training_split": "train",
        "fewshot_split": "train",
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{story}}\n{{question}}\nAnswer:",
        "doc_to_target": "{{answer}}",
        "target_delimiter": " ",
        "fewshot_delimiter": "\n\n",
        "generation_kwargs": {"until": ["\n"], "do_sample": False, "max_gen_toks": 16},
        "filter_list": [{"name": "answer", "filter": [_ANSWER, {"function": "take_first"}]}],
        "metric_list": [
            {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True}
        ],
        "metadata": {"version": 1.0},
    }


def _group(tasks: Sequence[Task]) -> dict[str, Any]:
    mean = {"metric": "exact_match", "aggregation": "mean", "weight_by_size": False}
    return {
        "group": GROUP,
        "task": [task_name(task) for task in tasks],
        "aggregate_metric_list": [mean],
        "metadata": {"version": 1.0},
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    import yaml

    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
