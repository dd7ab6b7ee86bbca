"""Published columns beside ours: which they are, and how it is said that they are something else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from babi_memnet.errors import RequestError
from babi_memnet.papers.beside import columns_beside, differences
from babi_memnet.papers.published import PublishedTable, load_table, tables

OURS = load_table("memn2n_1k")
BEST = "the best of 10 runs by training error"
JOINT = "one network for all tasks (joint), not one network per task"
MORE = "trained on 10k questions per task, not 1k"


def lines(name: str, table: PublishedTable = OURS) -> list[str]:
    (entry,) = columns_beside([name], table)
    found = entry["differences"]
    assert isinstance(found, list)
    return found


def test_an_entry_is_the_column_as_json() -> None:
    (entry,) = columns_beside(["rn_10k_joint/rn"], OURS)
    column = load_table("rn_10k_joint").column("rn")
    assert set(entry) == {"id", "table", "label", "errors", "mean", "failed", "source", "differences"}
    assert json.loads(json.dumps(entry)) == entry
    assert entry["errors"] == {"2": 8.1, "3": 16.5, "16": 2.1}
    assert (entry["id"], entry["table"], entry["label"]) == ("rn", "rn_10k_joint", column.label)
    assert (entry["mean"], entry["failed"], entry["source"]) == (None, 2, column.source)


def test_a_table_stands_for_its_columns_and_each_comes_once_where_it_was_first_asked_for() -> None:
    found = columns_beside(["entnet_10k/ntm", "qrn", "entnet_10k", "qrn/qrn_10k"], OURS)
    names = [f"{entry['table']}/{entry['id']}" for entry in found]
    assert names == [
        "entnet_10k/ntm",
        *("qrn/qrn_2r_1k", "qrn/qrn_3r_1k", "qrn/qrn_6r200_10k", "qrn/qrn_10k"),
        *("entnet_10k/entnet", "entnet_10k/entnet_repo"),
    ]
    assert columns_beside([], OURS) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("memn2n_1k/pe_ls_rn", []),
        ("memn2n_1k/pe_ls_rn_joint", [JOINT]),
        ("memn2n_10k/pe_ls_rn", [MORE]),
        ("memn2n_10k/pe_ls_lw_rn_relu", [MORE, "dimension 100, not 20 per task, 50 joint"]),
        (
            "memn2n_1k/memnn_strong",
            [f"a run selected in a way that is not known, not {BEST}", "supervision: strong, not weak"],
        ),
        (
            "memn2n_1k_reruns/tf_port_pe_ls_rn_joint",
            [JOINT, f"a single run, not {BEST}", "stories of v1.2 of the data"],
        ),
        (
            "ut/ut_act_1k_joint_best",
            [
                JOINT,
                f"the best of 10 runs for each task by validation, not {BEST}",
                "stories of v1.2 of the data",
            ],
        ),
        ("ut/transformer_1k_single", [f"the best of 10 runs by validation, not {BEST}", "stories of v1.2 of the data"]),
        (
            "adnc_10k_joint/biadnc_aug16",
            [
                MORE,
                JOINT,
                f"the mean over 5 runs, not {BEST}",
                "further training data: task 16 augmented",
                "stories of v1.2 of the data",
            ],
        ),
        ("nutm_10k_joint/nutm_p4", [MORE, JOINT, f"the mean over several runs, not {BEST}"]),
        (
            "dmn_plus",
            [
                MORE,
                f"the best run by validation loss, not {BEST}",
                "dimension 80, not 20 per task, 50 joint",
                "memory: the 70 most recent statements, 130 on task 3, not the 50 most recent statements",
            ],
        ),
    ],
)
def test_the_differences_of_a_protocol_in_words(name: str, expected: list[str]) -> None:
    assert lines(name) == expected


def test_differences_are_from_the_table_that_is_reproduced() -> None:
    ten = load_table("memn2n_10k")
    assert lines("memn2n_10k/pe_ls_rn", ten) == []
    assert lines("memn2n_1k/pe_ls_rn", ten) == ["trained on 1k questions per task, not 10k"]
    assert MORE not in lines("entnet_10k/entnet", ten)
    # against a table that was trained jointly, it is the other way round
    assert "one network per task, not one network for all tasks (joint)" in lines(
        "memn2n_10k/pe_ls_rn", load_table("rmn_10k_joint")
    )


@pytest.mark.parametrize("theirs", tables(), ids=lambda table: table.id)
def test_every_shipped_column_says_size_training_and_selection_where_they_differ(theirs: PublishedTable) -> None:
    """Read from the YAML itself: a difference is said if, and only if, there is one."""
    folder = Path(__file__).parents[2] / "conf" / "published"
    file = yaml.safe_load((folder / f"{theirs.id}.yaml").read_text())
    for column, entry in zip(theirs.columns, file["columns"], strict=True):
        protocol = file["protocol"] | entry.get("protocol", {})
        said = differences(column, theirs, OURS)
        size = protocol.get("train_size", file["dataset"]["train_size"])
        assert (MORE in said) == (size == "10k")
        assert (JOINT in said) == (protocol["training"] == "joint")
        same = (protocol.get("restarts"), protocol.get("selected_by"), protocol.get("reported"))
        assert any(re.search(f", not {BEST}$", line) for line in said) == (same != (10, "training error", None))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("entnet_20k", "did you mean entnet_10k"),
        ("ut_1k_joint", "did you mean ut/ut_1k_joint"),
        ("ut/ut_1k_jiont", "did you mean ut/ut_1k_joint"),
        ("utt/ut_1k_joint", "did you mean ut/ut_1k_joint"),
        ("xyz", "such as ut or ut/ut_1k_joint, or results of lm_eval$"),
        ("ut/", "beside=ut/: expected"),
        ("", "^beside=: expected"),
        ("../experiment/memn2n_1k/pe", "^beside=../experiment/memn2n_1k/pe: expected"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        columns_beside(["ut", name], OURS)
    assert str(caught.value).startswith(f"beside={name}: expected tables of conf/published")
    assert "\n" not in str(caught.value)
