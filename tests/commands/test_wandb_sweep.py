"""The sweep file for Weights & Biases, expanded as wandb's agent does it."""

from __future__ import annotations

from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.paths import conf_directory
from babi_memnet.tracking.flatten import result_summary
from tests.papers.runs import task_result


def test_the_command_of_the_sweep_is_one_that_can_be_run() -> None:
    path = conf_directory().parent / "scripts" / "wandb_sweep.yaml"
    sweep: dict[str, Any] = yaml.safe_load(path.read_text())
    drawn = {
        name: {"value": choice.get("value", choice.get("min", choice.get("values", [None])[-1]))}
        for name, choice in sweep["parameters"].items()
    }
    arguments = create_sweep_command_args({"args": drawn})
    words: list[str] = []
    for word in create_sweep_command(sweep["command"]):
        words += arguments["args_no_hyphens"] if word == "${args_no_hyphens}" else [word]
    assert words[0] == "${program}"
    assert sweep["program"] == "babi-train"
    register(train=TrainSchema)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        config = compose("train", [*words[1:], "data.size=60", "data.test_questions=40"])
    request = request_of(config, "memn2n_1k/pe_ls_rn")
    assert request.settings.tracker.group == "sweep/wandb"  # type: ignore[union-attr]
    assert (request.settings.task, request.settings.model.dimension) == (2, 40)
    assert request.settings.training.learning_rate == 0.001


def test_what_is_minimised_is_in_the_summary() -> None:
    path = conf_directory().parent / "scripts" / "wandb_sweep.yaml"
    result = task_result(2, [1.0, 0.5], [4.0, 6.0])
    for place, restart in enumerate(result["restarts"]):
        restart |= {"seed": 0, "validation": {"error_percent": 20.0 + place}}
    result |= {"test_error_percent": 6.0}
    assert result_summary(result)[yaml.safe_load(path.read_text())["metric"]["name"]] == 21.0
