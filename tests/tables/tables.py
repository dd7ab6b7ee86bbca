"""A made-up table.json: a column of single tasks, one of them missing, and a joint column, beside another paper's."""

from __future__ import annotations

from typing import Any

from babi_memnet.papers.beside import columns_beside
from babi_memnet.papers.published import load_table
from babi_memnet.papers.reproduced import learning_curve, reproduced_column, reproduced_table
from tests.papers.runs import joint_result, task_result

TRAIN = [0.31, 0.12, 0.23, 0.44, 0.55]


def made_up() -> tuple[dict[str, Any], dict[str, Any]]:
    """A table.json and its curves.json."""
    table = load_table("memn2n_1k")
    single = {
        1: task_result(1, TRAIN, [0.0, 0.04, 0.3, 0.2, 9.0]),
        19: task_result(19, TRAIN, [90.1, 99.9, 97.0, 95.0, 92.25]),
    }
    rows = [{task: 0.6 * task + shift for task in range(1, 21)} for shift in (0.0, 0.1, 2.0, 3.3, 4.0)]
    columns = [
        reproduced_column(
            table.column("pe"), single, [1, 3, 19], {3: "its file is not there"}, {1: "pe/task_01", 19: "pe/task_19"}
        ),
        reproduced_column(
            table.column("pe_ls_rn_joint"), {"joint": joint_result(TRAIN, rows)}, [1, 3, 19], {}, {"joint": "rn/joint"}
        ),
    ]
    beside = columns_beside(["memn2n_1k/lstm", "rn_10k_joint"], table)
    where = {"platform": "Linux", "python": "3.11.7", "versions": {"torch": "2.13.0", "wandb": None}}
    whole = reproduced_table(table, columns, ["a note with <b>markup</b> & 5 %"], where, 7.5, beside)
    epochs = [
        {"epoch": epoch, "phase": "linear_start" if epoch == 1 else "softmax"}
        | {f"{split}/error_percent": [50.0 / epoch, 40.0, 30.0 + epoch] for split in ("train", "validation")}
        for epoch in (1, 2, 3)
    ]
    curve = learning_curve(epochs)
    return whole, {"columns": {"pe": {"1": curve, "19": curve}, "pe_ls_rn_joint": {"joint": curve}}}
