"""All restarts of a network as one: a module, and tensors that have the restarts as first axis.

Legend: R restarts, B batch, V answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from babi_memnet.errors import RequestError
from babi_memnet.models.network import AnyBatch, Batch, Network, Objective, Shape
from babi_memnet.models.settings import NetworkSettings


class Objectives(NamedTuple):
    """How a loss is taken: without the softmax in the attention, as the mean over a batch, with label smoothing."""

    linear: bool = False
    mean: bool = False
    label_smoothing: float = 0.0


class _Callable(nn.Module):
    """A network as a function to call: functional_call reaches nothing but ``forward``."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: AnyBatch, answers: Tensor | None, label_smoothing: float) -> Objective | Tensor:
        if answers is None:
            logits: Tensor = self.network(batch)
            return logits
        return self.network.loss(batch, answers, label_smoothing)


class Restarts:
    """``R`` restarts of a network.

    Attributes:
        network: one of them, for its code and constants; its parameters are not those of any.
        parameters: what is learned, by name, [R, ...].
    """

    def __init__(
        self,
        kind: type[Network],
        settings: NetworkSettings,
        shape: Shape,
        generators: Sequence[np.random.Generator],
        device: torch.device,
    ) -> None:
        """Draw the values of each restart from its own generator."""
        networks = []
        for generator in generators:
            network = kind(settings, shape)
            network.initialise(generator)
            networks.append(network.to(device))
        self.network = networks[0]
        self._callable = _Callable(self.network)
        parameters, self._buffers = stack_module_state(networks)
        self.parameters: dict[str, Tensor] = {name: values.detach() for name, values in parameters.items()}
        self._learn = {name for name, values in self.network.named_parameters() if values.requires_grad}
        self._recorded = set(self.network.state_dict())
        # What `hold` puts to zero is found out once: it is wherever ones become zeros.
        ones = {name: torch.ones_like(values) for name, values in self.network.named_parameters()}
        self.network.hold(ones)
        self._held = {name: ones[name] for name in ones if not ones[name].all()}
        self.hold(self.parameters)

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(iter(self.parameters.values())).device

    @property
    def learned(self) -> dict[str, Tensor]:
        """The parameters that training changes."""
        return {name: values for name, values in self.parameters.items() if name in self._learn}

    def tensors(self) -> dict[str, Tensor]:
        """All that a checkpoint keeps: parameters, and buffers but for those that a network makes by itself."""
        return {name: values for name, values in {**self.parameters, **self._buffers}.items() if name in self._recorded}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` gave."""
        for name, values in self.tensors().items():
            if self.network.settings.fitted:  # to sizes of its own
                values.data = torch.empty_like(tensors[name], device=values.device)
            # In place: kernels hold on to this memory.
            values.copy_(tensors[name])

    def fit(self, asked: Sequence[tuple[Batch, Tensor]], generators: Sequence[np.random.Generator]) -> None:
        """Fit every restart to all that is asked, each with its own random numbers."""
        networks = []
        for generator in generators:
            network = type(self.network)(self.network.settings, self.network.shape)
            network.fit(asked, generator)
            networks.append(network)
        parameters, _ = stack_module_state(networks)
        self.restore(parameters)

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """Put to zero what never learns, in place; ``tensors`` [R, ...] are parameters or their gradients."""
        for name, mask in self._held.items():
            if name in tensors:  # what is not learned has no gradient
                tensors[name].mul_(mask)

    @torch.no_grad()
    def logits(self, batch: AnyBatch, linear: bool, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
        """What every restart says to the same batch, [R, B, V]; with other parameters [R, ...] where there are any."""

        def said(*tensors: Mapping[str, Tensor]) -> Tensor:
            return functional_call(self._callable, _named(*tensors), (batch, None, 0.0))  # type: ignore[no-any-return]

        with self._mode(linear, training=False):
            if not self.network.one_by_one:
                return vmap(said)(parameters or self.parameters, self._buffers)
            both = parameters or self.parameters, self._buffers
            return torch.stack([said(*(_at(restart, tensors) for tensors in both)) for restart in range(len(self))])

    def gradients(
        self, places: Tensor, batch: AnyBatch, answers: Tensor, how: Objectives, seeds: Sequence[int] = ()
    ) -> tuple[dict[str, Tensor], Objective]:
        """Gradients of what is learned [A, ...], losses [A, B] and logits [A, B, V], of the A restarts at ``places``.

        Every tensor of ``batch``, and ``answers``, have these restarts as first axis. ``seeds`` are for random numbers
        of torch's own, one for each restart.
        """

        def objective(
            learned: Mapping[str, Tensor], fixed: Mapping[str, Tensor], batch: AnyBatch, answers: Tensor
        ) -> tuple[Tensor, Objective]:
            found = functional_call(self._callable, _named(learned, fixed), (batch, answers, how.label_smoothing))
            if not how.mean:
                return found.losses.sum(), found
            if not self.network.whole_stories:
                return found.losses.mean(), found
            return found.losses.sum() / (answers > 0).sum(), found

        every = {**self.parameters, **self._buffers}
        if len(places) < len(self):
            every = {name: values[places] for name, values in every.items()}
        learned = {name: values for name, values in every.items() if name in self._learn}
        fixed = {name: values for name, values in every.items() if name not in self._learn}
        with self._mode(how.linear, training=True):
            if not self.network.one_by_one:
                axes = 0, 0, type(batch)(*(None if values is None else 0 for values in batch)), 0  # type: ignore[arg-type]
                step = vmap(grad_and_value(objective, has_aux=True), in_dims=axes)
                with self._randomness_refused():
                    gradients, (_, found) = step(learned, fixed, batch, answers)
                return gradients, found
            parts = []
            for place in range(len(places)):
                leaves = {name: values.requires_grad_() for name, values in _at(place, learned).items()}
                own = type(batch)(*(values if values is None else values[place] for values in batch))  # type: ignore[arg-type]
                with _seeded(seeds[place]):
                    total, found = objective(leaves, _at(place, fixed), own, answers[place])
                apart = torch.autograd.grad(total, list(leaves.values()), materialize_grads=True, allow_unused=True)
                parts.append((apart, found))
        gradients = {name: torch.stack([apart[place] for apart, _ in parts]) for place, name in enumerate(learned)}
        losses = torch.stack([found.losses.detach() for _, found in parts])
        return gradients, Objective(losses, torch.stack([found.logits.detach() for _, found in parts]))

    @contextmanager
    def _randomness_refused(self) -> Iterator[None]:
        """vmap refuses torch's own random numbers, which would not be those of a restart alone."""
        try:
            yield
        except RuntimeError as error:
            if "randomness" not in str(error):
                raise
            name = type(self.network).__name__
            raise RequestError(
                f"{name}: draws random numbers of torch's own (dropout?); expected those in batch.noise, or one_by_one"
            ) from error

    @contextmanager
    def _mode(self, linear: bool, training: bool) -> Iterator[None]:
        self.network.linear = linear
        self.network.train(training)
        try:
            yield
        finally:
            self.network.linear = False


def _at(place: int, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: values[place] for name, values in tensors.items()}


def _named(*parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"network.{name}": values for part in parts for name, values in part.items()}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch's own from a seed; what others draw goes on as if nothing had been."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
