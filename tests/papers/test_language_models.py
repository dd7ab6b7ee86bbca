"""What the lm-evaluation-harness found, beside ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.papers.beside import columns_beside
from babi_memnet.papers.language_models import language_model
from babi_memnet.papers.published import load_table


def results(accuracies: dict[int, float], shots: int = 5) -> dict[str, Any]:
    """The keys of a file of results that matter, laid out as version 0.4.13 writes them."""
    names = {task: f"babi_memnet_task_{task:02d}" for task in accuracies}
    cells = {names[task]: {"alias": names[task], "sample_len": 1000, "exact_match,answer": share,
                           "exact_match_stderr,answer": 0.01} for task, share in accuracies.items()}  # fmt: skip
    return {
        "results": {**cells, "babi_memnet": {"exact_match,answer": 0.5}},
        "n-shot": {**dict.fromkeys(names.values(), shots), "babi_memnet": shots},
        "model_name": "who/parrot",
        "lm_eval_version": "0.4.13",
    }


def test_accuracies_become_errors(tmp_path: Path):
    (tmp_path / "results.json").write_text(json.dumps(results({1: 0.975, 3: 0.4})))
    column = language_model(tmp_path / "results.json")
    assert column["errors"] == {"1": 2.5, "3": 60.0}
    assert (column["mean"], column["failed"]) == (None, None)
    assert (column["label"], column["id"]) == ("who/parrot, 5 examples", "who_parrot-5")
    assert "5 examples in the prompt" in column["differences"][0]


def test_columns_of_one_model_stand_side_by_side(tmp_path: Path):
    names = []
    for shots, limit in ((0, None), (5, 10.0)):
        names.append(tmp_path / f"{shots}.json")
        names[-1].write_text(json.dumps({**results({1: 0.5}, shots), "config": {"limit": limit}}))
    none, five = columns_beside([str(name) for name in names], load_table("memn2n_1k"))
    assert (none["id"], five["id"]) == ("who_parrot-0", "who_parrot-5")
    assert len(none["differences"]) == 1
    assert five["differences"][1] == "the first 10 questions of each task"


def test_all_twenty_have_a_mean(tmp_path: Path):
    (tmp_path / "results.json").write_text(json.dumps(results({task: 1 - task / 100 for task in range(1, 21)})))
    column = language_model(tmp_path / "results.json")
    assert column["mean"] == pytest.approx(10.5)
    assert column["failed"] == 15
    published, ours = columns_beside(["memn2n_1k/lstm", str(tmp_path / "results.json")], load_table("memn2n_1k"))
    assert ours == column
    assert published.keys() == column.keys()


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"results": {}},
        results({}),
        {**results({1: 0.5}), "model_name": None, "n-shot": {}},
        results({1: 1.5}),
        results({21: 0.5}),
        {**results({1: 0.5}), "results": {"babi_memnet_task_01": {"acc,none": 0.5}}},
        {**results({1: 0.5}), "results": 3},
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: dict[str, Any]):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    for name in (path, tmp_path / "none.json"):
        with pytest.raises(RequestError) as caught:
            columns_beside([str(name)], load_table("memn2n_1k"))
        assert str(caught.value).startswith(f"beside={name}: expected results of lm_eval")
