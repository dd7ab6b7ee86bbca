"""Which epoch of a restart is reported, when it ends early, and which restart is selected."""

from __future__ import annotations

import numpy as np
import torch

from babi_memnet.training.course import Course
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.selection import select_restart
from babi_memnet.training.settings import TrainingSettings


def followed(
    errors: list[list[float]], losses: list[list[float]] | None = None, linear: int = 0, **changes: object
) -> tuple[Course, torch.Tensor, list[list[bool]]]:
    """A course over the validation errors of each epoch; parameters are the number of the epoch."""
    settings = TrainingSettings(restarts=len(errors[0]), epochs=len(errors) - linear, **changes)  # type: ignore[arg-type]
    course, running = Course(settings), []
    parameters = torch.zeros(len(errors[0]), 1)
    for number, epoch_errors in enumerate(errors, 1):
        parameters[torch.from_numpy(course.running)] = float(number)
        validation = np.array(epoch_errors), np.array(losses[number - 1] if losses else epoch_errors)
        shown = {
            "validation/error_percent": validation[0],
            "validation/loss": validation[1],
            "train/error_percent": validation[0] + 1,
            "train/loss": validation[0] + 2,
        }
        course.take(Epoch("linear_start" if number <= linear else "softmax", number, 0.1), shown, {"p": parameters})
        running.append(course.running.tolist())
    course.finish({"p": parameters})
    return course, parameters[:, 0], running


def test_by_default_the_last_epoch_is_reported():
    course, parameters, running = followed([[1, 5], [2, 4], [3, 6]])
    assert parameters.tolist() == [3, 3]
    assert course.shown["validation/error_percent"].tolist() == [3, 6]
    assert running == [[True, True]] * 3


def test_the_best_epoch_is_reported_where_that_is_asked_for():
    course, parameters, _ = followed([[3, 5], [2, 4], [3, 6]], reported_epoch="best")
    assert parameters.tolist() == [2, 2]
    assert course.shown["train/error_percent"].tolist() == [3, 5]
    course, parameters, _ = followed([[2, 1], [2, 1], [2, 1]], [[3, 1], [1, 1], [2, 1]], reported_epoch="best")
    assert parameters.tolist() == [2, 1], "equal errors are told apart by the loss, equals in all by who came first"
    _, parameters, _ = followed([[1, 2], [2, 1]], [[2, 1], [1, 2]], reported_epoch="best", selection="validation_loss")
    assert parameters.tolist() == [2, 1], "the loss decides where it selects"


def test_epochs_without_the_softmax_are_never_the_best():
    _, parameters, _ = followed([[0, 0], [5, 4], [3, 6]], linear=1, reported_epoch="best", patience=1)
    assert parameters.tolist() == [3, 2]


def test_a_restart_ends_when_it_has_not_improved_for_long():
    course, parameters, running = followed([[5, 9], [6, 8], [7, 7], [1, 6]], patience=2)
    assert running == [[True, True], [True, True], [False, True], [False, True]]
    assert parameters.tolist() == [3, 4]
    assert course.shown["validation/error_percent"].tolist() == [7, 6]
    _, parameters, _ = followed([[5, 9], [6, 8], [7, 7], [1, 6]], patience=2, reported_epoch="best")
    assert parameters.tolist() == [1, 4]


def test_a_loss_that_is_no_number_is_no_improvement():
    _, parameters, running = followed([[float("nan")], [float("nan")], [1.0]], patience=2, reported_epoch="best")
    assert running[-1] == [False]
    assert parameters.tolist() == [1], "the first stands for the best where none is any"


def test_its_state_brings_it_back():
    course, _, _ = followed([[3, 5], [2, 4], [3, 6]], reported_epoch="best", patience=2)
    other = Course(TrainingSettings(restarts=2, epochs=3, reported_epoch="best", patience=2))
    other.restore(course.tensors(), course.state())
    assert other.state() == course.state()
    parameters = torch.zeros(2, 1)
    other.finish({"p": parameters})
    assert parameters[:, 0].tolist() == [2, 2]


def shown(train: list[float], loss: list[float | None], validation: list[float], held: list[float]) -> dict[str, list]:
    names = ("train/error_percent", "train/loss", "validation/error_percent", "validation/loss")
    return dict(zip(names, (train, loss, validation, held), strict=True))


def test_the_restart_with_the_lowest_error_is_selected_then_the_lowest_loss():
    rest = [1.0, 2.0, 3.0]
    assert select_restart("train_error", shown([2.0, 1.0, 1.0], [0.1, 0.4, 0.3], rest, rest)) == 2
    assert select_restart("train_error", shown([0.0, 5.0], [None, 2.0], [0, 0], [0, 0])) == 1, "it diverged"
    assert select_restart("train_error", shown([0.0, 0.0], [0.2, 0.1], [0, 0], [0, 0])) == 1
    assert select_restart("validation_error", shown([0, 1, 2], [1, 1, 1], [5, 4, 4], [1, 3, 2])) == 2
    assert select_restart("validation_loss", shown([0, 1, 2], [1, 1, 1], [5, 4, 4], [2, 3, 2])) == 2
