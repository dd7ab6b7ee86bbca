"""The digits of the kernels as one SHA-256: ``python -m tests.models.kernels.digest [THREADS]``.

It is of losses, parameters and answers, and the same whatever computes them: a processor with other vectors or of
another kind, one thread or two.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.experiment import Experiment
from babi_memnet.paths import conf_directory
from babi_memnet.training.loop import train

SMALL = ["data.test_questions=50", "training.restarts=2", "training.epochs=3", "tracker=none"]

OPTIONS = {
    "as published": [],
    "no softmax": ["training.linear_start_epochs=2"],
    "words without order": ["model.encoding=bag_of_words", "model.time_encoding=false"],
    "layer-wise": ["model.tying=layerwise", "model.nonlinearity=relu", "model.empty_slots=masked"],
    "untied": ["model.tying=untied", "model.hops=2", "model.dimension=33"],
    "words exchanged": ["training.symmetry=declared", "training.symmetry_file=babi", "training.time_noise=0"],
}


def requests() -> Iterator[list[str]]:
    """The overrides of each run."""
    for task in (1, 3, 19):
        for words in OPTIONS.values():
            yield [f"task={task}", "data.size=200", "training.linear_start_epochs=0", *SMALL, *words]
    yield ["task=joint", "training=joint", "data.size=40", "training.linear_start_epochs=1", *SMALL]


def digest(threads: int) -> str:
    """SHA-256, in hex, of what the runs end with, computed by so many threads."""
    found = hashlib.sha256()
    register(train=TrainSchema)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        for words in requests():
            experiment = Experiment(request_of(compose("train", [*words, f"runtime.threads={threads}"]), None))
            shown = [
                epoch.as_row()
                for epoch in train(
                    experiment.engine,
                    experiment.restarts,
                    experiment.generators,
                    experiment.validation,
                    experiment.settings.training,
                    experiment.course,
                    done=0,
                )
            ]
            answered = experiment.engine.evaluate(experiment.test)
            found.update(repr([{**row, "seconds": 0} for row in shown]).encode())
            for name, values in sorted(experiment.engine.tensors().items()):
                found.update(f"{name} {tuple(values.shape)}".encode() + np.ascontiguousarray(values.numpy()).tobytes())
            found.update(answered.answers.tobytes() + answered.loss.tobytes())
            experiment.close()
    return found.hexdigest()


if __name__ == "__main__":
    print(digest(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
