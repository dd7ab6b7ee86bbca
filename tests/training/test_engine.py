"""Both engines do the same thing, and a restart does not notice the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.models.memn2n import MemN2N
from babi_memnet.models.settings import MemN2NSettings
from babi_memnet.training.engine import AutogradEngine, Engine, FusedEngine, make_engine
from babi_memnet.training.loop import error_percent, select_restart, train
from babi_memnet.training.sampling import restart_generator
from babi_memnet.training.settings import TrainingSettings
from tests.models.kernels.test_memn2n import random_questions

SHORT = TrainingSettings(epochs=2, linear_start_epochs=2, halve_every=1, batch_size=8)


def trained(
    kind: str, numbers: range, options: dict[str, str], settings: TrainingSettings = SHORT, threads: int = 2
) -> tuple[MemN2N, list, Engine]:
    data = np.random.default_rng(0)
    questions, validation = (random_questions(data, number, 6, 4, 15) for number in (48, 20))
    model = MemN2N(MemN2NSettings(dimension=8, **options), len(numbers), words=15, slots=6, positions=4)
    generators = [restart_generator(11, number) for number in numbers]
    for place, generator in enumerate(generators):
        model.initialise(place, generator)
    engine = make_engine(kind, model, questions, settings, threads)
    records = list(train(engine, generators, validation, settings))
    return model, records, engine


@pytest.mark.parametrize("options", [{}, {"tying": "layerwise", "nonlinearity": "relu", "encoding": "bag_of_words"}])
def test_fused_and_autograd_train_alike(options):
    fused, fused_records, fused_engine = trained("fused", range(3), options)
    plain, plain_records, plain_engine = trained("autograd", range(3), options)
    assert isinstance(fused_engine, FusedEngine)
    assert isinstance(plain_engine, AutogradEngine)
    for name, values in plain.state_dict().items():
        torch.testing.assert_close(fused.state_dict()[name], values, rtol=1e-3, atol=1e-5)
    for one, other in zip(fused_records, plain_records, strict=True):
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-4)
        np.testing.assert_allclose(one.train_error_percent, other.train_error_percent)
        np.testing.assert_allclose(one.validation_error_percent, other.validation_error_percent)
        assert one.epoch == other.epoch


@pytest.mark.parametrize("kind", ["fused", "autograd"])
def test_a_restart_alone_equals_itself_among_others(kind):
    together, records, _ = trained(kind, range(5), {})
    alone, alone_records, _ = trained(kind, range(3, 4), {})
    np.testing.assert_allclose(alone.tables.detach()[0], together.tables.detach()[3], atol=1e-6)
    assert alone_records[-1].train_loss[0] == pytest.approx(records[-1].train_loss[3], rel=1e-5)


def test_threads_change_nothing_to_the_last_bit():
    one, _, _ = trained("fused", range(4), {}, threads=1)
    three, _, _ = trained("fused", range(4), {}, threads=3)
    assert torch.equal(one.tables, three.tables)


def test_the_gradient_of_every_table_is_clipped_by_itself():
    settings = TrainingSettings(epochs=1, linear_start_epochs=0, gradient_norm=1e-3, learning_rate=1.0, batch_size=48)
    for kind in ("fused", "autograd"):
        start, _, _ = trained(
            kind, range(2), {}, TrainingSettings(epochs=1, linear_start_epochs=0, learning_rate=1e-12)
        )
        model, _, _ = trained(kind, range(2), {}, settings)
        moved = torch.linalg.matrix_norm(model.tables.detach() - start.tables.detach())
        np.testing.assert_allclose(moved.numpy(), 1e-3, rtol=0.02)


def test_the_loss_of_the_default_schedule_is_pinned():
    """Fails when a change that should not change results does."""
    _, records, _ = trained("fused", range(2), {})
    found = [record.train_loss.tolist() for record in records]
    np.testing.assert_allclose(found, PINNED, rtol=1e-4)


PINNED = [[2.996194, 2.991487], [2.993527, 2.995404], [2.987209, 3.006356], [2.981544, 3.003795]]


def test_the_restart_with_the_lowest_training_error_is_selected_then_the_lowest_loss():
    assert select_restart([2.0, 1.0, 1.0], [0.1, 0.4, 0.3]) == 2
    assert select_restart([0.0, 5.0], [None, 2.0]) == 1
    assert select_restart([0.0, 0.0], [0.2, 0.1]) == 1


def test_error_percent_counts_wrong_answers():
    questions = random_questions(np.random.default_rng(0), 4, 2, 2, 5)
    right = questions.answers.astype(np.int64)
    wrong = right.copy()
    wrong[0] += 1
    np.testing.assert_allclose(error_percent(np.stack([right, wrong]), questions), [0, 25])
