"""The paper's schedules."""

from __future__ import annotations

import numpy as np
import pytest

from babi_memnet.errors import RequestError
from babi_memnet.training.schedule import Epoch, is_stepwise, schedule, step_sizes
from babi_memnet.training.settings import TrainingSettings


def test_per_task_with_linear_start():
    epochs = list(schedule(TrainingSettings()))
    assert [epoch.number for epoch in epochs] == list(range(1, 121))
    assert all(epoch.linear and epoch.learning_rate == 0.005 for epoch in epochs[:20])
    rates = [epoch.learning_rate for epoch in epochs[20:]]
    assert not any(epoch.linear for epoch in epochs[20:])
    assert rates == [0.005] * 24 + [0.0025] * 25 + [0.00125] * 25 + [0.000625] * 25 + [0.0003125]


def test_without_linear_start():
    epochs = list(schedule(TrainingSettings(linear_start_epochs=0, learning_rate=0.01)))
    assert len(epochs) == 100
    assert {epoch.phase for epoch in epochs} == {"softmax"}
    assert epochs[0].learning_rate == 0.01


def rates(settings: TrainingSettings, steps: int) -> np.ndarray:
    return np.concatenate([step_sizes(settings, epoch, steps) for epoch in schedule(settings)])


def test_a_constant_rate():
    settings = TrainingSettings(schedule="constant", epochs=3, linear_start_epochs=0, learning_rate=0.2)
    assert not is_stepwise(settings)
    assert rates(settings, 4).tolist() == [0.2] * 12


def test_a_warm_up_and_a_cosine_reach_from_step_to_step():
    settings = TrainingSettings(
        schedule="cosine", warmup=0.25, epochs=4, linear_start_epochs=2, learning_rate=0.4,
        linear_start_learning_rate=0.1,
    )  # fmt: skip
    found = rates(settings, 2)
    np.testing.assert_allclose(found[:4], 0.1)  # the linear start has a rate of its own
    later = found[4:]
    assert len(later) == 8
    np.testing.assert_allclose(later[:2], [0.2, 0.4])
    np.testing.assert_allclose(later[2:], [0.4 * (1 + np.cos(np.pi * k / 6)) / 2 for k in range(1, 7)])
    assert later[-1] == pytest.approx(0)


def test_the_rate_of_a_warm_up_does_not_depend_on_where_epochs_end():
    one = TrainingSettings(schedule="constant", warmup=0.5, epochs=1, linear_start_epochs=0)
    many = TrainingSettings(schedule="constant", warmup=0.5, epochs=6, linear_start_epochs=0)
    np.testing.assert_allclose(rates(one, 12), rates(many, 2))
    assert step_sizes(one, Epoch("linear_start", 1, 0.3), 2).tolist() == [0.3, 0.3]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("restarts", 0),
        ("first_restart", -1),
        ("epochs", -1),
        ("learning_rate", 0.0),
        ("linear_start_learning_rate", -1.0),
        ("halve_every", 0),
        ("time_noise", 1.5),
        ("batch_size", 0),
        ("gradient_norm", 0.0),
        ("optimizer", "lion"),
        ("loss", "product"),
        ("schedule", "steps"),
        ("warmup", 1.0),
        ("beta2", -0.1),
        ("initial_accumulator", -0.1),
        ("clip", "none"),
        ("weight_decay", -1.0),
        ("weight_decay_on", "biases"),
        ("label_smoothing", 1.0),
        ("patience", 0),
        ("reported_epoch", "first"),
        ("selection", "test_error"),
        ("validation", "none"),
        ("validation_fraction", 1.0),
        ("checkpoint_seconds", -1.0),
    ],
)
def test_bad_settings_are_refused_by_name(key, value):
    with pytest.raises(RequestError, match=rf"^training\.{key}={value}: expected "):
        TrainingSettings(**{key: value})
