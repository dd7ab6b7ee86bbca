"""The words on a card make the very request: its signature is that of the run."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from hydra import compose
from omegaconf import open_dict

from babi_memnet.commands.repeating import repeating
from babi_memnet.config import request_of, schemas
from babi_memnet.data.export import write_official_layout
from babi_memnet.data.settings import GeneratedData
from babi_memnet.request import Request, as_plain, known_settings

CASES: dict[str, list[str]] = {
    "task=1": [],
    "task=2 data.size=200 model.hops=2 training.epochs=7": ["data.seed=3", "model.dimension=40", "runtime.seed=4"],
    "task=joint training=joint": [],
    "task=3 model=lstm training=lstm": ["runtime.threads=1"],
    "task=3 tokenizer=merged model=writing_memory": ["training=writing_memory", "training.restarts=2"],
    "task=4 model=ngram training=ngram": [],
    "experiment=memn2n_1k/pe_ls_rn task=3 data=generated training.restarts=3": ["runtime.device=cpu"],
    "experiment=ours_1k/memn2n_declared task=2 data=generated": [],
    "task=4 data=official data.root=DIR model=gated_memn2n": [],
    "task=1 training.schedule=constant training.gradient_norm=null": ["tracker=none", "runtime.outputs=elsewhere"],
    "task=rooms data=files data.train=TRAIN data.test=TEST model.hops=2": [],
    "task=joint data=files data.train=TRAIN data.test=TEST training=joint": [],
    "task=21 data=official data.root=DIR": [],
    "task=1 'tokenizer.pattern=\"[a-z]+\"'": ["training.checkpoint_seconds=1"],
}


def asked(words: list[str], experiment: str | None) -> Request:
    config = compose("train", words)
    with open_dict(config):
        config.pop("hydra", None)
    return request_of(config, experiment)


@pytest.mark.parametrize("line", CASES)
def test_the_signature_is_that_of_the_run(loader: Any, tmp_path: Path, line: str) -> None:
    words = [*shlex.split(line), *CASES[line]]
    experiment = next((word.partition("=")[2] for word in words if word.startswith("experiment=")), None)
    known = known_settings(schemas()).bookkeeping
    if "data=official" in words or "data=files" in words:
        folder = write_official_layout(GeneratedData(size="1k", test_questions=20), tmp_path, [4], progress=False)
        (train,), (test,) = (list(folder.glob(f"qa4_*_{split}.txt")) for split in ("train", "test"))
        shutil.copy(train, folder / "qa21_rooms_train.txt")
        shutil.copy(test, folder / "qa21_rooms_test.txt")
        for name, path in {"DIR": tmp_path, "TRAIN": train, "TEST": test}.items():
            words = [word.replace(name, str(path)) for word in words]
    request = asked(words, experiment)
    command = repeating(as_plain(request.settings), request.experiment, known)
    repeated = shlex.split(" ".join(command))
    assert repeated[0] == "babi-train"
    assert str(tmp_path) not in " ".join(command)
    rest = [
        word for word in words if word.startswith(("data.root=", "data.train=", "data.test="))
    ]  # for whoever types them to say
    assert asked([*repeated[1:], *rest], experiment).signature == request.signature
    assert not any(
        word.startswith(("runtime.threads", "runtime.outputs", "tracker", "training.ch")) for word in repeated
    )
    # no longer than what somebody typed
    assert len(repeated) <= 1 + len(words)


def test_an_experiment_that_is_gone_is_told_by_its_settings(loader: Any) -> None:
    request = asked(["experiment=memn2n_1k/bow", "task=5", "data=generated"], "memn2n_1k/bow")
    known = known_settings(schemas()).bookkeeping
    command = repeating(as_plain(request.settings), "mine/no_more", known)
    repeated = shlex.split(" ".join(command))
    assert not any(word.startswith("experiment=") for word in repeated)
    assert asked(repeated[1:], None).signature == request.signature
