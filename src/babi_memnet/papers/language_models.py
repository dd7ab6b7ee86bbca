"""Results of EleutherAI's lm-evaluation-harness on the stories of `data.lm_eval`, as a column to show beside ours."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import fmean
from typing import Any

from babi_memnet.errors import RequestError
from babi_memnet.runs.files import read_json
from babi_memnet.tasks import TASKS

_TASK = re.compile(r"babi_memnet_task_(\d\d)")
_ACCEPTED = "results of lm_eval on babi_memnet tasks, as its --output_path has them"


def language_model(path: Path) -> dict[str, Any]:
    """One of the ``beside`` of a table.json: the errors of a language model in percent, and how it was asked.

    Mean and failed tasks are given where there are all twenty.

    Raises:
        RequestError: the file is not there, or not of this kind.
    """
    found = read_json(path)
    try:
        if found is None:
            raise KeyError("results")
        cells = {int(match[1]): cell for name, cell in found["results"].items() if (match := _TASK.fullmatch(name))}
        errors = {task: 100 * (1 - _accuracy(cell)) for task, cell in sorted(cells.items())}
        shots = {found["n-shot"][name] for name in found["results"] if _TASK.fullmatch(name)}
        model, limit = str(found["model_name"]), (found.get("config") or {}).get("limit")
        if not errors or not all(task in TASKS and 0 <= error <= 100 for task, error in errors.items()):
            raise ValueError("errors")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RequestError(f"beside={path}: expected {_ACCEPTED}") from None
    from babi_memnet.papers.comparison import failed  # with it scipy, which --help has no need of

    whole = set(errors) == set(TASKS)
    examples = " or ".join(map(str, sorted(shots)))
    return {
        "id": re.sub(r"[^\w.-]+", "_", f"{model}-{examples}"),
        "table": "lm_eval",
        "label": f"{model}, {examples} examples",
        "errors": {str(task): round(error, 4) for task, error in errors.items()},
        "mean": fmean(errors.values()) if whole else None,
        "failed": sum(map(failed, errors.values())) if whole else None,
        "source": f"lm-evaluation-harness {found.get('lm_eval_version') or '(version not said)'}, {path.name}",
        "differences": [
            f"a language model that is not trained on the task, {examples} examples in the prompt",
            *([f"the first {limit:g} questions of each task"] if limit else []),
        ],
    }


def _accuracy(cell: dict[str, Any]) -> float:
    """The share of exact matches; the name of the metric ends with that of a filter."""
    (share,) = (value for key, value in cell.items() if key.partition(",")[0] == "exact_match")
    return float(share)
