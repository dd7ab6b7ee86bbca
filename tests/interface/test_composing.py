"""What words ask for in Python is what they ask for on the command line, and Hydra is left as it was."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

import babi_memnet as bm
from babi_memnet.errors import RequestError
from babi_memnet.interface.composing import composed
from tests.interface.conftest import SMALL
from tests.running import Run, only_run

NETWORK = """
from dataclasses import dataclass

import torch
from torch import nn

from babi_memnet.models.network import Network, no_padding
from babi_memnet.models.settings import NetworkSettings


@dataclass
class Settings(NetworkSettings):
    name: str = "constant"
    memory_size: int | None = 20


class Constant(Network):
    def __init__(self, settings, shape):
        super().__init__(settings, shape)
        self.words = nn.Parameter(torch.zeros(shape.words))

    def initialise(self, generator):
        pass

    def forward(self, batch):
        return no_padding((self.words * FACTOR).expand(len(batch.counts), -1))

    def hold(self, tensors):
        pass
"""


def test_the_record_is_that_of_the_command(place: Path, trained: bm.Run, command: Run, tmp_path: Path):
    done = command("train", "task=1", "training.restarts=3", *SMALL)
    assert done.returncode == 0, done.stderr
    directory = only_run(tmp_path)
    assert trained.directory == directory.relative_to(tmp_path)
    for file in ("result.json", ".hydra/config.yaml", ".hydra/overrides.yaml", "metrics.jsonl", "train.log"):
        assert (trained.directory / file).is_file()
        if file.startswith(".hydra"):
            assert (trained.directory / file).read_text() == (directory / file).read_text()
    assert bm.load(directory).restarts.equals(trained.restarts)


def own_resolvers() -> list[object]:
    """What OmegaConf has under the names that we use; other tests leave ours there."""
    return [BaseContainer._resolvers.get(name) for name in ("run_directory", "choices")]


def test_hydra_is_as_before(place: Path, tmp_path: Path):
    """Inside of a user's own Hydra application, whose schema has a name of ours."""
    Plugins.instance()  # what Hydra itself brings when it is first used
    store = ConfigStore.instance()
    before, resolvers = deepcopy(store.repo), own_resolvers()
    (tmp_path / "theirs.yaml").write_text("defaults: [train_schema, _self_]\nname: theirs\n")
    try:
        store.store(name="train_schema", node={"name": "?", "mine": 3})
        known = deepcopy(store.repo)
        with initialize_config_dir(str(tmp_path), version_base="1.3"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Hydra's, of a config that has the name of a schema
            for _ in range(2):
                assert composed(["task=4", "model.hops=2"]).request.settings.model.hops == 2
                assert compose("theirs") == {"name": "theirs", "mine": 3}
                assert store.repo == known
        assert not GlobalHydra.instance().is_initialized()
        assert own_resolvers() == resolvers
    finally:
        store.repo = before


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["task=one"], "task=one: expected 1 to 20, or joint"),
        (["modell=memn2n"], "modell: no such key (did you mean model?)"),
        (["model=memn2m"], "model=memn2m: no such choice"),
        (["task=1,2"], "task=1,2: expected one value"),
        (["--help"], "train=--help: expected words such as 'task=1'"),
        (["model.time_encoding=3"], "model.time_encoding=3: expected true or false"),
        (["hydra.run.dir=elsewhere"], "train=hydra.run.dir=elsewhere: expected words such as 'task=1'"),
        (["model.hops"], "train=model.hops: expected words such as 'task=1'"),
        ([3], "train=3: expected words such as 'task=1'"),
    ],
)
def test_a_wrong_word_is_one_line(place: Path, words: list[str], line: str):
    with pytest.raises(RequestError) as caught:
        bm.train(*words)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_resolver_of_the_users_stays(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(BaseContainer._resolvers, "choices", raising=False)
    OmegaConf.register_new_resolver("choices", lambda: "mine")
    try:
        composed(["task=1"])
        assert OmegaConf.create({"one": "${choices:}"}).one == "mine"
    finally:
        OmegaConf.clear_resolver("choices")


def test_threads_compose_side_by_side(place: Path):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda task: composed([f"task={task}"]).request.settings.task, range(1, 9)))
    assert found == list(range(1, 9))


def test_a_network_of_ones_own_is_read_anew(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for file in ("models/constant.py", "conf/model/constant.yaml"):
        (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / "conf/model/constant.yaml").write_text("defaults:\n  - /schema/model/constant@_here_\n")
    file = tmp_path / "models/constant.py"
    monkeypatch.setenv("BABI_PATH", str(tmp_path))
    losses = []
    for time, factor in enumerate(("1.0", "0.0", "1.0")):
        file.write_text(NETWORK.replace("FACTOR", factor))
        os.utime(file, (time, time))  # as if somebody had thought in between
        run = bm.train("model=constant", "training.linear_start_epochs=0", *SMALL)
        losses.append((str(run.directory), run.metrics["train/loss"].tolist()))
        assert len(run.predictions) == 40 * 11
    assert losses[0] == losses[2] != losses[1]
    assert losses[0][0] != losses[1][0]
    with pytest.raises(RequestError, match="the code of the network constant is another than when it was trained"):
        bm.load(losses[1][0]).trace(1)
    monkeypatch.delenv("BABI_PATH")
    with pytest.raises(RequestError, match="model=constant: no such choice"):
        bm.train("model=constant")
