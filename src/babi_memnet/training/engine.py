"""Ways to compute an epoch of all restarts: autograd for any network anywhere, kernels where a network has them.

Both draw the same and give the same numbers. A third is for networks that are fitted in one go.

Legend: R restarts, S steps of an epoch, B batch, M memory slots, N questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.models.kernels import Kernel, kernel_of
from babi_memnet.models.network import Batch
from babi_memnet.training.averaging import Average
from babi_memnet.training.feeding import Feed, QuestionFeed, StoryFeed
from babi_memnet.training.optimizer import Optimizer
from babi_memnet.training.restarts import Objectives, Restarts
from babi_memnet.training.sampling import draw_epoch
from babi_memnet.training.schedule import Epoch, is_stepwise, step_sizes
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange

Floats = npt.NDArray[np.float64]


class Trained(NamedTuple):
    """What an epoch showed; NaN for restarts that sat it out.

    Attributes:
        loss: [R] mean of a question.
        wrong: [R] share of wrong answers.
        learning_rate: the step size of its last step.
    """

    loss: Floats
    wrong: Floats
    learning_rate: float


class Evaluated(NamedTuple):
    """What the restarts say to questions: answers [R, N], the number of each; loss [R], mean cross entropy in nats."""

    answers: npt.NDArray[np.int64]
    loss: Floats


class Engine(Protocol):
    """Trains and questions all restarts of one network."""

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        """One epoch of the restarts that are ``running`` [R]; each draws from its own generator.

        The parameters are updated in place.
        """

    @property
    def measured(self) -> Mapping[str, Tensor]:
        """The parameters that `evaluate` answers with, [R, ...]."""

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        """What each restart answers to each question."""

    def finish(self) -> None:
        """The training is over: what was `measured` becomes the parameters."""

    def tensors(self) -> dict[str, Tensor]:
        """All that `restore` needs: parameters and the state of the optimizer, restarts first."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` gave."""

    def close(self) -> None:
        """Let go of threads; the engine cannot be used afterwards."""


class KernelEngine:
    """Each restart is one job for a thread: it draws its batches and runs the kernels, which hold no lock."""

    def __init__(
        self,
        kernel: type[Kernel],
        restarts: Restarts,
        train: Questions,
        settings: TrainingSettings,
        threads: int,
        exchange: Exchange | None = None,
    ) -> None:
        self._restarts, self._train, self._settings, self._exchange = restarts, train, settings, exchange
        self._kernels = kernel.of(restarts.network, restarts.parameters)
        self._pool = ThreadPoolExecutor(min(threads, len(restarts)), thread_name_prefix="restart")

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        rate, norm = epoch.learning_rate, self._settings.gradient_norm or np.inf

        def train(place: int) -> tuple[float, float]:
            if not running[place]:
                return np.nan, np.nan
            plan = draw_epoch(generators[place], self._train, self._settings, self._exchange)
            asked, order = self._train, plan.order
            if plan.maps is not None:  # each question drawn becomes a question of its own
                asked = self._train.select(order.ravel()).moved(plan.maps.reshape(order.size, -1))
                order = np.arange(order.size, dtype=np.uint32).reshape(order.shape)
            loss, wrong = self._kernels[place].train_epoch(asked, order, plan.ages, epoch.linear, rate, norm)
            return loss / order.size, wrong / order.size

        shown = np.array(list(self._pool.map(train, range(len(self._restarts)))), dtype=np.float64).T
        return Trained(shown[0], shown[1], rate)

    @property
    def measured(self) -> Mapping[str, Tensor]:
        return self._restarts.parameters

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        found = list(self._pool.map(lambda kernel: kernel.evaluate(questions, linear), self._kernels))
        answers, losses = zip(*found, strict=True)
        return Evaluated(np.stack(answers).astype(np.int64), np.array(losses) / len(questions))

    def finish(self) -> None:
        """The parameters are what was measured."""

    def tensors(self) -> dict[str, Tensor]:
        return self._restarts.tensors()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._restarts.restore(tensors)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class AutogradEngine:
    """All restarts are one computation of the network as written, on the device that holds it.

    Nothing inside an epoch waits for the device: draws are made and sent ahead, sums are fetched at the end.
    """

    def __init__(
        self, restarts: Restarts, train: Questions, settings: TrainingSettings, exchange: Exchange | None = None
    ) -> None:
        self._restarts, self._settings = restarts, settings
        self._optimizer = Optimizer(restarts.learned, settings)
        self._average = Average(restarts.learned, settings.averaging) if settings.averaging else None
        self._feed: Feed
        if restarts.network.whole_stories:
            self._feed = StoryFeed(train, settings, restarts.device, exchange)
        else:
            wanted = restarts.network.wants_supporting
            self._feed = QuestionFeed(train, settings, restarts.device, exchange, wanted)

    @property
    def measured(self) -> Mapping[str, Tensor]:
        return {**self._restarts.parameters, **(self._average.values if self._average else {})}

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        restarts, settings, device = self._restarts, self._settings, self._restarts.device
        places = np.flatnonzero(running)
        drawing = [generators[place] for place in places.tolist()]
        at = torch.from_numpy(places).to(device)
        how = Objectives(epoch.linear, settings.loss == "mean", settings.label_smoothing)
        loss, wrong, asked = (torch.zeros(len(places), device=device, dtype=torch.float64) for _ in range(3))
        steps, batches = self._feed.epoch(drawing, epoch)
        rates = step_sizes(settings, epoch, steps)
        for rate, (batch, answers) in zip(rates.tolist(), batches, strict=True):
            batch = batch._replace(noise=self._noise(drawing, answers.shape[1]))
            gradients, found = restarts.gradients(at, batch, answers, how, self._seeds(drawing))
            self._descend(at, gradients, rate)
            there = answers > 0 if restarts.network.whole_stories else torch.ones_like(answers, dtype=torch.bool)
            loss += found.losses.flatten(1).sum(dim=1)
            wrong += ((found.logits.argmax(dim=-1) != answers) & there).flatten(1).sum(dim=1)
            asked += there.flatten(1).sum(dim=1)
        shares = np.full((2, len(restarts)), np.nan)
        shares[:, places] = (torch.stack([loss, wrong]) / asked).cpu().numpy()
        return Trained(shares[0], shares[1], float(rates[-1]))

    def _descend(self, at: Tensor, gradients: dict[str, Tensor], rate: float) -> None:
        """One step of the restarts ``at`` these places; the others stay what they are, as does their optimizer."""
        some = at if len(at) < len(self._restarts) else None
        self._restarts.hold(gradients)
        self._optimizer.step(gradients, rate, some)
        self._restarts.hold(self._restarts.parameters)
        if self._average is not None:
            self._average.step(some)

    def _noise(self, generators: Sequence[np.random.Generator], size: int) -> Tensor | None:
        """Random numbers for one batch of each restart, [A, B, noise]."""
        wanted = self._restarts.network.noise
        if not wanted:
            return None
        drawn = np.stack([generator.random((size, wanted), dtype=np.float32) for generator in generators])
        return torch.from_numpy(drawn).to(self._restarts.device)

    def _seeds(self, generators: Sequence[np.random.Generator]) -> list[int]:
        if not self._restarts.network.one_by_one:
            return []
        return [int(generator.integers(2**63)) for generator in generators]

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        return _evaluate(self._restarts, self._feed, questions, linear, self.measured)

    def finish(self) -> None:
        if self._average is not None:
            self._average.take_over()
            self._average = None

    def tensors(self) -> dict[str, Tensor]:
        average = self._average.tensors() if self._average else {}
        return {**self._restarts.tensors(), **self._optimizer.tensors(), **average}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._restarts.restore(tensors)
        self._optimizer.restore(tensors)
        if self._average is not None and not self._average.restore(tensors):
            self._average = None  # after the last epoch the parameters are what is measured

    def close(self) -> None:
        """Nothing to let go of."""


class FittingEngine:
    """Each restart is fitted once, to all training questions, in the one epoch that there is."""

    def __init__(self, restarts: Restarts, train: Questions, settings: TrainingSettings) -> None:
        self._restarts, self._train = restarts, train
        self._feed = QuestionFeed(train, settings, restarts.device, None)

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        """What it shows is what the fitted networks say to the training questions; there is no step size."""
        told = [(Batch(*part.batch), part.answers) for part in self._feed.evaluation(self._train)]
        self._restarts.fit(told, generators)
        found = self.evaluate(self._train)
        return Trained(found.loss, (found.answers != self._train.answers).mean(axis=1), learning_rate=0.0)

    @property
    def measured(self) -> Mapping[str, Tensor]:
        return self._restarts.parameters

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        return _evaluate(self._restarts, self._feed, questions, linear, self.measured)

    def finish(self) -> None:
        """The parameters are what was measured."""

    def tensors(self) -> dict[str, Tensor]:
        return self._restarts.tensors()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._restarts.restore(tensors)

    def close(self) -> None:
        """Nothing to let go of."""


@torch.no_grad()
def _evaluate(
    restarts: Restarts, feed: Feed, questions: Questions, linear: bool, parameters: Mapping[str, Tensor]
) -> Evaluated:
    """What each restart answers with these parameters [R, ...]."""
    device, count = restarts.device, len(restarts)
    answers = torch.zeros((count, len(questions)), dtype=torch.int64, device=device)
    loss = torch.zeros(count, dtype=torch.float64, device=device)
    for batch, right, places in feed.evaluation(questions):
        chances = torch.log_softmax(restarts.logits(batch, linear, parameters), dim=-1)  # [R, B, V]
        there = places >= 0
        losses = -chances.gather(-1, right.expand(count, *right.shape).unsqueeze(-1)).squeeze(-1).double()
        answers[:, places[there]] = chances.argmax(dim=-1)[:, there]
        loss += losses[:, there].sum(dim=1)
    return Evaluated(answers.cpu().numpy(), loss.cpu().numpy() / len(questions))


def make_engine(
    kind: str,
    restarts: Restarts,
    train: Questions,
    settings: TrainingSettings,
    threads: int,
    exchange: Exchange | None = None,
) -> Engine:
    """The engine for a network: ``fused`` (its kernels, on a CPU), ``autograd``, or ``auto``, the faster of these.

    Raises:
        RequestError: there are no kernels for what is asked, stories cannot be told in part, or there are no
            supporting facts where the network learns from them.
    """
    if settings.first_statements is not None and not restarts.network.whole_stories:
        name = type(restarts.network).__name__
        raise bad_value(
            "training.first_statements", settings.first_statements, f"null: {name} is asked single questions"
        )
    if restarts.network.wants_supporting and (train.supporting is None or not (train.supporting >= 0).any()):
        name = type(restarts.network).__name__
        raise RequestError(f"{name} learns from supporting facts, and no training question has any that it remembers")
    kernel = kernel_of(restarts.network) if kind != "autograd" else None
    amiss = _amiss(kernel, restarts, settings)
    if kind == "fused" and amiss:
        raise bad_value("runtime.engine", kind, f"autograd or auto, since {amiss}")
    if restarts.network.settings.fitted:
        return FittingEngine(restarts, train, settings)
    if kernel is None or amiss:
        return AutogradEngine(restarts, train, settings, exchange)
    return KernelEngine(kernel, restarts, train, settings, threads, exchange)


def _amiss(kernel: type[Kernel] | None, restarts: Restarts, settings: TrainingSettings) -> str | None:
    """Why kernels cannot be used; None when they can."""
    if kernel is None:
        network = restarts.network
        return f"there are no kernels for {type(network).__name__} ({network.settings.described()})"
    if restarts.device.type != "cpu":
        return "kernels are for the cpu"
    plain = {
        "optimizer": "sgd",
        "loss": "sum",
        "clip": "per_tensor",
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "averaging": 0.0,
    }
    for key, value in plain.items():
        if getattr(settings, key) != value:
            return f"kernels know training.{key}={value} alone"
    return "kernels know step sizes by epoch alone" if is_stepwise(settings) else None
