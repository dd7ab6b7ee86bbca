"""Two ways to compute an epoch of all restarts: autograd for any network anywhere, kernels where a network has them.

Both draw the same and give the same numbers.

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
from babi_memnet.errors import bad_value
from babi_memnet.models.kernels import Kernel, kernel_of
from babi_memnet.models.network import Batch
from babi_memnet.training.optimizer import Optimizer
from babi_memnet.training.restarts import Objectives, Restarts
from babi_memnet.training.sampling import draw_epoch
from babi_memnet.training.schedule import Epoch, is_stepwise, step_sizes
from babi_memnet.training.settings import TrainingSettings

_EVALUATION_BATCH = 100

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

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        """What each restart answers to each question."""

    def tensors(self) -> dict[str, Tensor]:
        """All that `restore` needs: parameters and the state of the optimizer, restarts first."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` gave."""

    def close(self) -> None:
        """Let go of threads; the engine cannot be used afterwards."""


class KernelEngine:
    """Each restart is one job for a thread: it draws its batches and runs the kernels, which hold no lock."""

    def __init__(
        self, kernel: type[Kernel], restarts: Restarts, train: Questions, settings: TrainingSettings, threads: int
    ) -> None:
        self._restarts, self._train, self._settings = restarts, train, settings
        self._kernels = kernel.of(restarts.network, restarts.parameters)
        self._pool = ThreadPoolExecutor(min(threads, len(restarts)), thread_name_prefix="restart")

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        rate, norm = epoch.learning_rate, self._settings.gradient_norm or np.inf

        def train(place: int) -> tuple[float, float]:
            if not running[place]:
                return np.nan, np.nan
            plan = draw_epoch(generators[place], self._train, self._settings)
            loss, wrong = self._kernels[place].train_epoch(self._train, plan.order, plan.ages, epoch.linear, rate, norm)
            return loss / plan.order.size, wrong / plan.order.size

        shown = np.array(list(self._pool.map(train, range(len(self._restarts)))), dtype=np.float64).T
        return Trained(shown[0], shown[1], rate)

    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        found = list(
            self._pool.map(lambda kernel: kernel.evaluate(questions, linear, _EVALUATION_BATCH), self._kernels)
        )
        answers, losses = zip(*found, strict=True)
        return Evaluated(np.stack(answers).astype(np.int64), np.array(losses) / len(questions))

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

    def __init__(self, restarts: Restarts, train: Questions, settings: TrainingSettings) -> None:
        self._restarts, self._train, self._settings = restarts, train, settings
        self._optimizer = Optimizer(restarts.learned, settings)
        self._on_device = self._send(train)

    def train_epoch(
        self, generators: Sequence[np.random.Generator], epoch: Epoch, running: npt.NDArray[np.bool_]
    ) -> Trained:
        restarts, settings, device = self._restarts, self._settings, self._restarts.device
        places = np.flatnonzero(running)
        drawing = [generators[place] for place in places.tolist()]
        plans = [draw_epoch(generator, self._train, settings) for generator in drawing]
        order = torch.from_numpy(np.stack([plan.order for plan in plans]).astype(np.int64)).to(device)  # [A, S, B]
        ages = torch.from_numpy(np.stack([plan.ages for plan in plans]).astype(np.int32)).to(device)
        at = torch.from_numpy(places).to(device)
        how = Objectives(epoch.linear, settings.loss == "mean", settings.label_smoothing)
        loss = torch.zeros(len(places), device=device, dtype=torch.float64)
        wrong = torch.zeros(len(places), device=device, dtype=torch.float64)
        rates = step_sizes(settings, epoch, order.shape[1])
        for step, rate in enumerate(rates.tolist()):
            batch, answers = self._batch(self._on_device, order[:, step], ages[:, step].long())
            batch = batch._replace(noise=self._noise(drawing))
            gradients, found = restarts.gradients(at, batch, answers, how, self._seeds(drawing))
            self._descend(at, gradients, rate)
            loss += found.losses.sum(dim=1)
            wrong += (found.logits.argmax(dim=-1) != answers).sum(dim=1)
        shares = np.full((2, len(restarts)), np.nan)
        shares[:, places] = torch.stack([loss, wrong]).cpu().numpy() / order[0].numel()
        return Trained(shares[0], shares[1], float(rates[-1]))

    def _descend(self, at: Tensor, gradients: dict[str, Tensor], rate: float) -> None:
        """One step of the restarts ``at`` these places; the others stay what they are, as does their optimizer."""
        self._restarts.hold(gradients)
        self._optimizer.step(gradients, rate, at if len(at) < len(self._restarts) else None)
        self._restarts.hold(self._restarts.parameters)

    def _noise(self, generators: Sequence[np.random.Generator]) -> Tensor | None:
        """Random numbers for one batch of each restart, [A, B, noise]."""
        wanted = self._restarts.network.noise
        if not wanted:
            return None
        shape = (self._settings.batch_size, wanted)
        drawn = np.stack([generator.random(shape, dtype=np.float32) for generator in generators])
        return torch.from_numpy(drawn).to(self._restarts.device)

    def _seeds(self, generators: Sequence[np.random.Generator]) -> list[int]:
        if not self._restarts.network.one_by_one:
            return []
        return [int(generator.integers(2**63)) for generator in generators]

    @torch.no_grad()
    def evaluate(self, questions: Questions, linear: bool = False) -> Evaluated:
        sent = self._send(questions)
        slots = torch.arange(questions.words.shape[1], device=self._restarts.device)
        answers, losses = [], []
        for order in torch.split(torch.arange(len(questions), device=self._restarts.device), _EVALUATION_BATCH):
            batch, right = self._batch(sent, order, slots.expand(len(order), -1))
            chances = torch.log_softmax(self._restarts.logits(batch, linear), dim=-1)  # [R, B, V]
            answers.append(chances.argmax(dim=-1))
            losses.append(-chances.gather(-1, right.expand(len(chances), -1).unsqueeze(-1)).double().sum(dim=(1, 2)))
        chosen = torch.cat(answers, dim=1).cpu().numpy()
        return Evaluated(chosen, torch.stack(losses).sum(dim=0).cpu().numpy() / len(questions))

    def tensors(self) -> dict[str, Tensor]:
        return {**self._restarts.tensors(), **self._optimizer.tensors()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._restarts.restore(tensors)
        self._optimizer.restore(tensors)

    def close(self) -> None:
        """Nothing to let go of."""

    def _send(self, questions: Questions) -> dict[str, Tensor]:
        names = ("words", "counts", "questions", "answers")
        device = self._restarts.device
        return {name: torch.from_numpy(getattr(questions, name).astype(np.int64)).to(device) for name in names}

    def _batch(self, source: dict[str, Tensor], order: Tensor, ages: Tensor) -> tuple[Batch, Tensor]:
        """The questions at ``order`` [..., B] with the ages [..., B, M] of their statements, and their answers."""
        batch = Batch(source["words"][order], ages, source["counts"][order], source["questions"][order])
        return batch, source["answers"][order]


def make_engine(kind: str, restarts: Restarts, train: Questions, settings: TrainingSettings, threads: int) -> Engine:
    """The engine for a network: ``fused`` (its kernels, on a CPU), ``autograd``, or ``auto``, the faster of these.

    Raises:
        RequestError: there are no kernels for what is asked.
    """
    kernel = kernel_of(restarts.network) if kind != "autograd" else None
    amiss = _amiss(kernel, restarts, settings)
    if kind == "fused" and amiss:
        raise bad_value("runtime.engine", kind, f"autograd or auto, since {amiss}")
    if kernel is None or amiss:
        return AutogradEngine(restarts, train, settings)
    return KernelEngine(kernel, restarts, train, settings, threads)


def _amiss(kernel: type[Kernel] | None, restarts: Restarts, settings: TrainingSettings) -> str | None:
    """Why kernels cannot be used; None when they can."""
    if kernel is None:
        return f"there are no kernels for {type(restarts.network).__name__}"
    if restarts.device.type != "cpu":
        return "kernels are for the cpu"
    plain = {"optimizer": "sgd", "loss": "sum", "clip": "per_tensor", "weight_decay": 0.0, "label_smoothing": 0.0}
    for key, value in plain.items():
        if getattr(settings, key) != value:
            return f"kernels know training.{key}={value} alone"
    return "kernels know step sizes by epoch alone" if is_stepwise(settings) else None
