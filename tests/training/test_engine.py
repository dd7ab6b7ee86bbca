"""Any network is trained as it would be alone: by each optimizer, beside others, after an interruption, by kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError
from babi_memnet.models.memn2n import MemN2N
from babi_memnet.models.memn2n import Settings as MemN2NSettings
from babi_memnet.models.network import Batch, Network, Shape, StoryBatch
from babi_memnet.models.networks import network_class, network_files, settings_class
from babi_memnet.models.settings import NetworkSettings
from babi_memnet.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from babi_memnet.training.course import Course
from babi_memnet.training.engine import AutogradEngine, Engine, KernelEngine, make_engine
from babi_memnet.training.feeding import StoryFeed
from babi_memnet.training.loop import EpochRecord, error_percent, train
from babi_memnet.training.restarts import Restarts
from babi_memnet.training.sampling import draw_epoch, restart_generator
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange, Free, Symmetry
from tests.models import examples
from tests.models.kernels.test_memn2n import random_questions

SHORT = {"epochs": 2, "linear_start_epochs": 2, "halve_every": 1, "batch_size": 8}
SHAPE = Shape(words=15, slots=6, positions=4)

Kind = tuple[type[Network], NetworkSettings]
SHIPPED: dict[str, Kind] = {  # but for those that are fitted in one go: they have no steps
    name: (network_class(name), settings_class(name)().settled(joint=False))
    for name in network_files()
    if not settings_class(name).fitted
}
EXAMPLES: dict[str, Kind] = {
    kind.__name__: (kind, examples.Settings())
    for kind in (examples.Summing, examples.Recurrent, examples.Penalised, examples.Frozen)
}
VARIANTS: dict[str, Kind] = {
    f"{name} {label}": (network_class(name), settings_class(name)(**changes).settled(joint=False))
    for name, label, changes in (
        ("memn2n", "decides and writes", {"controller": "reinforce", "write": "gated", "answer": "concatenated"}),
        ("writing_memory", "decides", {"controller": "reinforce"}),
        ("memn2n", "ponders", {"controller": "act"}),
        ("qrn", "untied", {"tied": False, "bidirectional": False}),
    )
}
EVERY = {**SHIPPED, **EXAMPLES, **VARIANTS}
MEMN2N: Kind = (MemN2N, MemN2NSettings(dimension=8))


def random_facts(questions: Questions) -> np.ndarray:
    """Up to three supporting facts of each question, [N, 3]."""
    drawn = np.random.default_rng(1)
    counts = questions.counts[:, None].astype(int)
    facts = (drawn.random((len(questions), 3)) * counts).astype(np.int32)
    return np.where(np.arange(3) < drawn.integers(0, 4, (len(questions), 1)) * (counts > 0), facts, -1)


class Run:
    """A run of some restarts on made-up questions."""

    def __init__(
        self,
        kind: Kind,
        numbers: range,
        engine: str = "autograd",
        threads: int = 2,
        exchange: Exchange | None = None,
        **changes: Any,
    ) -> None:
        network, settings = kind
        if network.wants_supporting:  # a ranking loss has no target to smooth
            changes.pop("label_smoothing", None)
        short = {**SHORT, "linear_start_epochs": SHORT["linear_start_epochs"] if settings.linear_start else 0}
        self.settings = TrainingSettings(**{**short, "restarts": len(numbers), "first_restart": numbers[0], **changes})
        data = np.random.default_rng(0)
        self.questions, self.validation = (random_questions(data, number, 6, 4, 15) for number in (48, 20))
        if network.wants_supporting:
            self.questions = replace(self.questions, supporting=random_facts(self.questions))
        self.generators = [restart_generator(11, number) for number in numbers]
        self.restarts = Restarts(network, settings, SHAPE, self.generators, torch.device("cpu"))
        self.course = Course(self.settings)
        self.engine: Engine = make_engine(engine, self.restarts, self.questions, self.settings, threads, exchange)
        self.records: list[EpochRecord] = []
        self.running: list[list[bool]] = []

    def train(self, most: int | None = None) -> Run:
        """Train to the end, or to the end of epoch ``most``."""
        done = self.records[-1].epoch.number if self.records else 0
        parts = self.restarts, self.generators, self.validation, self.settings, self.course
        for record in train(self.engine, *parts, done=done):
            self.records.append(record)
            self.running.append(self.course.running.tolist())
            if record.epoch.number == most:
                break
        return self

    @property
    def losses(self) -> np.ndarray:
        """[epochs, R]"""
        return np.array([record.train_loss for record in self.records])

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All that a checkpoint would keep."""
        tensors = {**self.engine.tensors(), **self.course.tensors()}
        generators = [generator.bit_generator.state for generator in self.generators]
        arrays = {name: values.numpy().copy() for name, values in tensors.items()}
        return arrays, {"course": self.course.state(), "generators": generators}

    def restore(self, checkpoint: Checkpoint | None) -> None:
        """Go back to it."""
        assert checkpoint is not None
        tensors = {name: torch.from_numpy(np.array(values)) for name, values in checkpoint.tensors.items()}
        self.engine.restore(tensors)
        self.course.restore(tensors, checkpoint.state["course"])
        for generator, state in zip(self.generators, checkpoint.state["generators"], strict=True):
            generator.bit_generator.state = state


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "adam": {"optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine", "warmup": 0.3},
    "adamw": {
        "optimizer": "adamw",
        "weight_decay": 0.1,
        "weight_decay_on": "matrices",
        "clip": "over_all",
        "averaging": 0.9,
    },
    "adagrad": {"optimizer": "adagrad", "loss": "mean", "label_smoothing": 0.1, "gradient_norm": None},
}

TWO = ("sgd", "adamw")
# What an optimizer keeps is the same for all networks: each is trained by two, some by all.
BY_ALL = ("memn2n", *EXAMPLES)
TRAINED = [(name, optimizer) for name in EVERY for optimizer in OPTIMIZERS if name in BY_ALL or optimizer in TWO]


@pytest.mark.parametrize(("name", "optimizer"), TRAINED)
def test_a_restart_alone_equals_itself_among_others(name: str, optimizer: str):
    together = Run(EVERY[name], range(5), **OPTIMIZERS[optimizer]).train()
    alone = Run(EVERY[name], range(3, 4), **OPTIMIZERS[optimizer]).train()
    np.testing.assert_allclose(alone.losses[:, 0], together.losses[:, 3], rtol=1e-5)
    for key, values in alone.restarts.tensors().items():
        # Where terms cancel, as of a ranking, a gradient is rounding alone, which Adam makes a step of all the same.
        cancels = EVERY[name][0].wants_supporting or name in VARIANTS
        rounding = 2e-4 if cancels and optimizer.startswith("adam") else 1e-5
        torch.testing.assert_close(values[0], together.restarts.tensors()[key][3], rtol=1e-4, atol=rounding)
    assert not np.allclose(together.losses[-1, 0], together.losses[-1, 3]), "restarts differ"


@pytest.mark.parametrize(("name", "optimizer"), TRAINED)
def test_an_interrupted_run_continued_equals_the_uninterrupted_one_to_the_last_bit(
    tmp_path: Path, name: str, optimizer: str
):
    """By way of the checkpoint on the disk, after the first restart has ended early, where one does."""
    changes = {**OPTIMIZERS[optimizer], "epochs": 6, "reported_epoch": "best", "patience": 1}
    whole = Run(EVERY[name], range(3), **changes).train()
    both = zip(whole.records, whole.running, strict=True)
    early = [record.epoch.number for record, running in both if not all(running)]
    ended = min(early, default=max(1, len(whole.records) - 2))
    first = Run(EVERY[name], range(3), **changes).train(most=ended)
    save_checkpoint(tmp_path, Checkpoint(ended, *first.state()))
    second = Run(EVERY[name], range(3), **changes)
    second.restore(load_checkpoint(tmp_path))
    second.records = list(first.records)
    second.train()
    np.testing.assert_array_equal(second.losses, whole.losses)
    for key, values in whole.engine.tensors().items():
        assert torch.equal(values, second.engine.tensors()[key]), key
    assert second.course.state() == whole.course.state()


@pytest.mark.parametrize("name", [name for name in EVERY if name != "Recurrent"])  # its dropout is torch's own
def test_all_restarts_at_once_are_plain_networks_in_a_plain_loop(name: str):
    """An epoch of gradient descent on the summed loss, written with nothing but the network and autograd."""
    kind, settings = EVERY[name]
    run = Run(EVERY[name], range(2), epochs=1, linear_start_epochs=0, halve_every=9, gradient_norm=None)
    networks = []
    for restart in range(2):
        network = kind(settings, SHAPE)
        own = {key: values[restart] for key, values in run.restarts.tensors().items()}
        network.load_state_dict(own, strict=False)
        generator = restart_generator(11, restart)
        kind(settings, SHAPE).initialise(generator)  # draws what the restart has drawn
        for batch, answers in _batches(network, run, generator):
            network.zero_grad()
            network.loss(batch, answers).losses.sum().backward()
            with torch.no_grad():
                for values in network.parameters():
                    if values.requires_grad:
                        values -= run.settings.learning_rate * values.grad
                network.hold(dict(network.named_parameters()))
        networks.append(network)
    run.train()
    for key, values in run.restarts.tensors().items():
        for restart, network in enumerate(networks):
            torch.testing.assert_close(values[restart], network.state_dict()[key], rtol=1e-4, atol=1e-5)


def _batches(network: Network, run: Run, generator: np.random.Generator) -> Iterator[tuple[Batch | StoryBatch, Tensor]]:
    """What a restart is asked in the first epoch, one batch after another."""
    if network.whole_stories:
        feed = StoryFeed(run.questions, run.settings, torch.device("cpu"), None)
        for asked in feed.epoch([generator], next(iter(_epochs(run))))[1]:
            batch = StoryBatch(*(values if values is None else values[0] for values in asked.batch))
            yield batch._replace(noise=_noise(network, len(batch.told), generator)), asked.answers[0]
        return
    plan = draw_epoch(generator, run.questions, run.settings)
    for order, ages in zip(plan.order, plan.ages, strict=True):
        arrays = (run.questions.words[order], ages, run.questions.counts[order], run.questions.questions[order])
        batch = Batch(*(torch.from_numpy(array.astype(np.int64)) for array in arrays))
        batch = batch._replace(noise=_noise(network, run.settings.batch_size, generator))
        if network.wants_supporting:
            batch = batch._replace(supporting=torch.from_numpy(run.questions.supporting[order].astype(np.int64)))
        yield batch, torch.from_numpy(run.questions.answers[order].astype(np.int64))


def _noise(network: Network, size: int, generator: np.random.Generator) -> Tensor | None:
    """The random numbers of a batch of this size, for networks that want some."""
    if not network.noise:
        return None
    return torch.from_numpy(generator.random((size, network.noise), dtype=np.float32))


@pytest.mark.parametrize("options", [{}, {"tying": "layerwise", "nonlinearity": "relu", "encoding": "bag_of_words"}])
def test_kernels_and_autograd_train_alike(options: dict[str, str]):
    kind = (MemN2N, MemN2NSettings(dimension=8, **options))
    kernels, plain = Run(kind, range(3), "fused").train(), Run(kind, range(3), "autograd").train()
    assert isinstance(kernels.engine, KernelEngine)
    assert isinstance(plain.engine, AutogradEngine)
    for name, values in plain.restarts.tensors().items():
        torch.testing.assert_close(kernels.restarts.tensors()[name], values, rtol=1e-3, atol=1e-5)
    for one, other in zip(kernels.records, plain.records, strict=True):
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-4)
        np.testing.assert_allclose(one.train_error_percent, other.train_error_percent)
        np.testing.assert_allclose(one.validation_error_percent, other.validation_error_percent)
        np.testing.assert_allclose(one.validation_loss, other.validation_loss, rtol=1e-4)
        assert one.epoch == other.epoch


def test_kernels_and_autograd_exchange_words_alike():
    known = Vocabulary(TokenizerSettings(), map(str, range(1, SHAPE.words)))
    data = random_questions(np.random.default_rng(0), 48, 6, 4, 15)
    symmetry = Symmetry((Free((("1", "2", "3"),)), Free((("4", "5"), ("6", "7")))))
    exchange = Exchange({int(task): symmetry for task in set(data.tasks.tolist())}, known)
    kernels, plain = (Run(MEMN2N, range(3), engine, exchange=exchange).train() for engine in ("fused", "autograd"))
    assert isinstance(kernels.engine, KernelEngine)
    np.testing.assert_allclose(kernels.losses, plain.losses, rtol=1e-4)
    for name, values in plain.restarts.tensors().items():
        torch.testing.assert_close(kernels.restarts.tensors()[name], values, rtol=1e-3, atol=1e-5)
    assert not np.allclose(kernels.losses, Run(MEMN2N, range(3), "fused").train().losses), "words are exchanged"


def test_threads_of_kernels_change_nothing_to_the_last_bit():
    one, three = Run(MEMN2N, range(4), "fused", threads=1).train(), Run(MEMN2N, range(4), "fused", threads=3).train()
    for name, values in one.restarts.tensors().items():
        assert torch.equal(values, three.restarts.tensors()[name])


def test_a_restart_alone_equals_itself_among_others_with_kernels_too():
    together, alone = Run(MEMN2N, range(5), "fused").train(), Run(MEMN2N, range(3, 4), "fused").train()
    np.testing.assert_array_equal(alone.losses[:, 0], together.losses[:, 3])


@pytest.mark.parametrize("engine", ["fused", "autograd"])
def test_the_gradient_of_every_table_is_clipped_by_itself(engine: str):
    short = {"epochs": 1, "linear_start_epochs": 0, "batch_size": 48, "halve_every": 25}
    run = Run(MEMN2N, range(2), engine, **short, gradient_norm=1e-3, learning_rate=1.0)
    start = {name: values.clone() for name, values in run.restarts.parameters.items()}
    run.train()
    for name, values in run.restarts.parameters.items():
        np.testing.assert_allclose((values - start[name]).flatten(1).norm(dim=1), 1e-3, rtol=0.02)


@pytest.mark.parametrize("engine", ["fused", "autograd"])
def test_a_restart_that_has_ended_early_is_left_as_it_is(engine: str):
    changes = {"epochs": 12, "learning_rate": 0.05, "patience": 1, "reported_epoch": "last"}
    run = Run(MEMN2N, range(6), engine, **changes)
    ended: dict[int, dict[str, torch.Tensor]] = {}
    parts = run.restarts, run.generators, run.validation, run.settings, run.course
    for record in train(run.engine, *parts):
        for place in np.flatnonzero(~run.course.running).tolist():
            now = {name: values[place].clone() for name, values in run.restarts.tensors().items()}
            for name, values in ended.setdefault(place, now).items():
                assert torch.equal(values, now[name]), (place, name, record.epoch)
    assert 0 < len(ended) < 6, "some have ended early, some have not"


def test_the_recorded_step_size_is_that_of_the_last_step():
    run = Run(EXAMPLES["Summing"], range(1), optimizer="adam", schedule="cosine", learning_rate=0.01).train()
    assert run.records[-1].learning_rate == pytest.approx(0)
    assert run.records[0].learning_rate == pytest.approx(0.005)


def test_adam_leaves_the_moments_of_ended_restarts_alone():
    run = Run(EXAMPLES["Summing"], range(3), **OPTIMIZERS["adam"])
    run.engine.train_epoch(run.generators, next(iter(_epochs(run))), np.array([True, True, True]))
    before = {name: values.clone() for name, values in run.engine.tensors().items()}
    run.engine.train_epoch(run.generators, next(iter(_epochs(run))), np.array([True, False, True]))
    for name, values in run.engine.tensors().items():
        if values.dim() == 0 or "fixed" in name:
            continue
        assert torch.equal(values[1], before[name][1]), name
        assert not torch.equal(values[0], before[name][0]), name


def _epochs(run: Run) -> Any:
    from babi_memnet.training.schedule import schedule

    return schedule(run.settings)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"optimizer": "adam"}, "kernels know training.optimizer=sgd alone"),
        ({"loss": "mean"}, "kernels know training.loss=sum alone"),
        ({"clip": "over_all"}, "kernels know training.clip=per_tensor alone"),
        ({"weight_decay": 0.1}, "kernels know training.weight_decay=0.0 alone"),
        ({"label_smoothing": 0.1}, "kernels know training.label_smoothing=0.0 alone"),
        ({"warmup": 0.1}, "kernels know step sizes by epoch alone"),
    ],
)
def test_kernels_are_refused_where_they_do_not_fit(changes: dict[str, Any], reason: str):
    assert isinstance(Run(MEMN2N, range(1), "auto", **changes).engine, AutogradEngine)
    with pytest.raises(RequestError, match=rf"^runtime\.engine=fused: expected autograd or auto, since {reason}$"):
        Run(MEMN2N, range(1), "fused", **changes)


def test_a_run_that_was_over_is_restored_with_what_was_measured():
    """Killed between its last checkpoint and its result."""
    run = Run(EXAMPLES["Summing"], range(2), optimizer="adam", averaging=0.9).train()
    saved = {name: values.clone() for name, values in run.engine.tensors().items()}
    again = Run(EXAMPLES["Summing"], range(2), optimizer="adam", averaging=0.9)
    again.engine.restore(saved)
    again.engine.finish()
    for one, other in zip(run.engine.measured.values(), again.engine.measured.values(), strict=True):
        assert torch.equal(one, other)


def test_stories_are_told_in_part_only_to_networks_that_go_through_them():
    with pytest.raises(RequestError, match=r"^training\.first_statements=4: expected null: MemN2N is asked single"):
        Run(MEMN2N, range(1), first_statements=4)


def test_a_network_that_learns_from_facts_is_refused_where_there_are_none():
    kind = SHIPPED["memnn"]
    run = Run(kind, range(1))
    for none in (None, np.full((48, 3), -1, dtype=np.int32)):
        questions = replace(run.questions, supporting=none)
        with pytest.raises(
            RequestError, match=r"^MemNN learns from supporting facts, and no training question has any"
        ):
            make_engine("auto", run.restarts, questions, run.settings, 1)


def test_kernels_are_refused_for_a_subclass():
    class Gated(MemN2N):
        """Something else, for all that kernels know."""

    kind = (Gated, MemN2NSettings(dimension=8))
    assert isinstance(Run(kind, range(1), "auto").engine, AutogradEngine)
    with pytest.raises(RequestError, match="there are no kernels for Gated"):
        Run(kind, range(1), "fused")


def test_random_numbers_under_vmap_are_refused():
    class Careless(examples.Recurrent):
        """Says nothing of torch's own dropout."""

        one_by_one = False

    with pytest.raises(RequestError, match=r"^Careless: draws random numbers of torch's own"):
        Run((Careless, examples.Settings()), range(2)).train()


@pytest.mark.parametrize("engine", ["fused", "autograd"])
def test_the_loss_of_the_default_schedule_is_pinned(engine: str):
    """Fails when a change that should not change results does."""
    np.testing.assert_allclose(Run(MEMN2N, range(2), engine).train().losses, PINNED, rtol=1e-4)


PINNED = [[2.996194, 2.991487], [2.993527, 2.995404], [2.987209, 3.006356], [2.981544, 3.003795]]


def test_error_percent_counts_wrong_answers():
    questions = random_questions(np.random.default_rng(0), 4, 2, 2, 5)
    right = questions.answers.astype(np.int64)
    wrong = right.copy()
    wrong[0] += 1
    np.testing.assert_allclose(error_percent(np.stack([right, wrong]), questions), [0, 25])
