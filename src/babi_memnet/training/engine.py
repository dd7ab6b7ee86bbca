"""Two ways to compute an epoch of all restarts: fused kernels on a CPU, autograd anywhere. Same draws, same numbers.

Legend: R restarts, S steps of an epoch, B batch, M memory slots, N questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.kernels import memn2n as fused
from babi_memnet.models.memn2n import Batch, MemN2N
from babi_memnet.training.sampling import Plan, draw_epoch
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import TrainingSettings

_EVALUATION_BATCH = 100


class Trained(NamedTuple):
    """What an epoch showed: loss [R], mean cross entropy of a question in nats; wrong [R], share of wrong answers."""

    loss: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.float64]


class Engine(Protocol):
    """Trains and questions all restarts of one model."""

    def train_epoch(self, generators: Sequence[np.random.Generator], epoch: Epoch) -> Trained:
        """One epoch; every restart draws from its own generator. The parameters are updated in place."""

    def answers(self, questions: Questions, linear: bool = False) -> npt.NDArray[np.int64]:
        """The number of the word that each restart answers to each question, [R, N]."""

    def close(self) -> None:
        """Let go of threads; the engine cannot be used afterwards."""


class FusedEngine:
    """Each restart is one job for a thread: it draws its batches and runs the fused kernels, which hold no lock."""

    def __init__(self, model: MemN2N, train: Questions, settings: TrainingSettings, threads: int) -> None:
        self._model, self._train, self._settings = model, train, settings
        self._time_words = model.time_words()
        self._networks = fused_networks(model)
        fused.compile_once()
        self._pool = ThreadPoolExecutor(min(threads, len(self._networks)), thread_name_prefix="restart")

    def train_epoch(self, generators: Sequence[np.random.Generator], epoch: Epoch) -> Trained:
        stories = fused_stories(self._train)
        rate, norm = np.float32(epoch.learning_rate), np.float32(self._settings.gradient_norm)

        def one(network: fused.Network, generator: np.random.Generator) -> tuple[float, int, int]:
            plan = draw_epoch(generator, self._train, self._time_words, self._settings)
            loss, wrong = fused.train_epoch(network, stories, plan.order, plan.times, epoch.linear, rate, norm)
            return loss, wrong, plan.order.size

        loss, wrong, seen = np.array(list(self._pool.map(one, self._networks, generators)), dtype=np.float64).T
        return Trained(loss / seen, wrong / seen)

    def answers(self, questions: Questions, linear: bool = False) -> npt.NDArray[np.int64]:
        stories = fused_stories(questions)

        def one(network: fused.Network) -> npt.NDArray[np.int32]:
            return np.asarray(fused.answer(network, stories, self._time_words, linear, _EVALUATION_BATCH))

        return np.stack(list(self._pool.map(one, self._networks))).astype(np.int64)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class AutogradEngine:
    """All restarts are one computation of the model as written, on the device that holds it.

    Nothing inside an epoch waits for the device: draws are made and sent ahead, sums are fetched at the end.
    """

    def __init__(self, model: MemN2N, train: Questions, settings: TrainingSettings) -> None:
        self._model, self._train, self._settings = model, train, settings
        self._device = model.tables.device
        self._time_words = model.time_words()
        self._on_device = self._send(train)

    def train_epoch(self, generators: Sequence[np.random.Generator], epoch: Epoch) -> Trained:
        plans = [draw_epoch(generator, self._train, self._time_words, self._settings) for generator in generators]
        order, times = self._stacked(plans)
        loss = torch.zeros(len(plans), device=self._device, dtype=torch.float64)
        wrong = torch.zeros(len(plans), device=self._device, dtype=torch.float64)
        for step in range(order.shape[1]):
            batch, answers = self._batch(self._on_device, order[:, step], times[:, step])
            logits = self._model(batch, epoch.linear).logits
            # The sum over the batch, not its mean: step size and clipping are meant for that.
            losses = functional.cross_entropy(logits.flatten(0, 1), answers.flatten(), reduction="none")
            losses = losses.view(answers.shape).sum(dim=1)
            self._model.zero_grad()
            losses.sum().backward()  # type: ignore[no-untyped-call]
            descend(self._model, epoch.learning_rate, self._settings.gradient_norm)
            loss += losses.detach()
            wrong += (logits.argmax(dim=-1) != answers).sum(dim=1)
        seen = order[0].numel()
        return Trained(loss.cpu().numpy() / seen, wrong.cpu().numpy() / seen)

    @torch.no_grad()
    def answers(self, questions: Questions, linear: bool = False) -> npt.NDArray[np.int64]:
        restarts = self._model.tables.shape[0]
        sent = self._send(questions)
        times = torch.from_numpy(self._time_words.astype(np.int64)).to(self._device)
        chosen = []
        for index in torch.split(torch.arange(len(questions), device=self._device), _EVALUATION_BATCH):
            order = index.expand(restarts, -1)
            batch, _ = self._batch(sent, order, times.expand(*order.shape, -1))
            chosen.append(self._model(batch, linear).logits.argmax(dim=-1))
        return torch.cat(chosen, dim=1).cpu().numpy()

    def close(self) -> None:
        """Nothing to let go of."""

    def _send(self, questions: Questions) -> dict[str, Tensor]:
        names = ("words", "counts", "questions", "answers")
        return {name: torch.from_numpy(getattr(questions, name).astype(np.int64)).to(self._device) for name in names}

    def _stacked(self, plans: Sequence[Plan]) -> tuple[Tensor, Tensor]:
        order = np.stack([plan.order for plan in plans]).astype(np.int64)
        times = np.stack([plan.times for plan in plans]).astype(np.int32)
        return torch.from_numpy(order).to(self._device), torch.from_numpy(times).to(self._device).long()

    def _batch(self, source: dict[str, Tensor], order: Tensor, times: Tensor) -> tuple[Batch, Tensor]:
        """The questions at ``order`` [R, B] with their time words [R, B, M], and their answers [R, B]."""
        batch = Batch(source["words"][order], times, source["counts"][order], source["questions"][order])
        return batch, source["answers"][order]


@torch.no_grad()
def descend(model: MemN2N, learning_rate: float, gradient_norm: float) -> None:
    """One step of gradient descent; the gradient of each table of each restart is clipped to ``gradient_norm``."""
    assert model.tables.grad is not None
    model.tables.grad[:, :, 0] = 0  # the padding word stays at zero
    for values in model.parameters():
        assert values.grad is not None
        norm = torch.linalg.matrix_norm(values.grad, keepdim=True)
        values.sub_(learning_rate * (gradient_norm / norm).clamp(max=1) * values.grad)


def fused_networks(model: MemN2N) -> list[fused.Network]:
    """Every restart of a model on the CPU, for the fused kernels; the arrays are the model's own memory."""
    tables = model.tables.detach().numpy()
    nothing = np.zeros((0, 0), dtype=np.float32)
    tying = model.tying
    return [
        fused.Network(
            tables=tables[restart],
            hop_map=nothing if model.hop_map is None else model.hop_map.detach().numpy()[restart],
            question_table=tying.question,
            input_tables=np.array(tying.input, dtype=np.uint32),
            output_tables=np.array(tying.output, dtype=np.uint32),
            answer_table=tying.answer,
            h=model.dimension_factor.numpy(),
            g=model.position_factor.numpy(),
            relu=model.settings.nonlinearity == "relu",
            masked=model.settings.empty_slots == "masked",
        )
        for restart in range(tables.shape[0])
    ]


def fused_stories(questions: Questions) -> fused.Stories:
    """Encoded questions for the fused kernels."""
    return fused.Stories(questions.words, questions.counts, questions.questions, questions.answers)


def make_engine(kind: str, model: MemN2N, train: Questions, settings: TrainingSettings, threads: int) -> Engine:
    """The engine for a model: ``fused`` (CPU), ``autograd``, or ``auto``, the faster of those that can run it."""
    builders: dict[str, Callable[[], Engine]] = {
        "fused": lambda: FusedEngine(model, train, settings, threads),
        "autograd": lambda: AutogradEngine(model, train, settings),
    }
    if kind == "auto":
        kind = "fused" if model.tables.device.type == "cpu" else "autograd"
    return builders[kind]()
