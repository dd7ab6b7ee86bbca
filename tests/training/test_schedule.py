"""The paper's schedules."""

from __future__ import annotations

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.training.schedule import schedule
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
        ("validation", "none"),
        ("validation_fraction", 1.0),
        ("checkpoint_seconds", -1.0),
    ],
)
def test_bad_settings_are_refused_by_name(key, value):
    with pytest.raises(RequestError, match=rf"^training\.{key}={value}: expected "):
        TrainingSettings(**{key: value})
