"""Controllers: after which hop a network answers. Without one it is after the last, whatever the question.

Both read the state after each hop and say how willing the network is to answer from it.

- ``act``, adaptive computation time (Graves 2016, arXiv 1603.08983): the network answers from a mean of its states,
  each with its willingness as weight, until these add up to nearly one; each hop costs something. As that
  mean can be differentiated, so can everything.
- ``reinforce``: the network stops or goes on, a decision that is drawn while training and learned by policy gradient
  (Williams 1992; as in ReasoNet, Shen et al. 2016, arXiv 1609.05284). The reward is a right answer, less what the hops
  cost.

Legend: K hops, d dimension of a state; leading axes, such as those of a batch, are written ``...``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.drawing import normal
from babi_memnet.models.settings import ControlledSettings

_UNWILLING = -1.0
"""Of the bias at birth: sigmoid(-1), 27 %, would answer after any hop."""

_NEARLY = 0.99
"""Where the weights of act add up to this, the hop is the last (Graves 2016, equation 5: 1 - epsilon)."""


class Controller(nn.Module):
    """A linear unit on the state after each hop, and what becomes of what it says."""

    def __init__(self, settings: ControlledSettings, dimension: int) -> None:
        super().__init__()
        self.settings = settings
        self.weight = nn.Parameter(torch.zeros(dimension))
        self.bias = nn.Parameter(torch.zeros(1))

    @classmethod
    def of(cls, settings: ControlledSettings, dimension: int) -> Controller | None:
        """The controller that is asked for; None for a fixed number of hops."""
        return None if settings.controller == "fixed" else cls(settings, dimension)

    @property
    def rewarded(self) -> bool:
        """Whether it learns by reward, and so has to know which hops would have answered right."""
        return self.settings.controller == "reinforce"

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """The weights from N(0, 0.1^2), the bias unwilling."""
        self.weight.copy_(0.1 * normal(generator, self.weight))
        self.bias.fill_(_UNWILLING)

    def willing(self, states: Tensor) -> Tensor:
        """How willing the network is to answer from each of the states [..., K, d], as logits [..., K]."""
        return states @ self.weight + self.bias

    def shares(self, willing: Tensor, noise: Tensor | None) -> Tensor:
        """What share of the answer is taken from the state after each hop, [..., K]; they sum to one.

        Args:
            willing: [..., K], see `willing`.
            noise: [..., K] uniform random numbers by which a decision is drawn while training; None decides for what
                is likelier. ``act`` has no use for them.
        """
        chances = torch.sigmoid(willing)
        if not self.rewarded:
            total = chances.cumsum(dim=-1)
            before = functional.pad(total[..., :-1], (1, 0))  # not a difference, which would round in another way
            reached = before < _NEARLY
            ends = _at_last(total >= _NEARLY) & reached
            return torch.where(ends, 1 - before, chances) * reached  # p_k, equation 6
        return first_end(chances >= 0.5 if noise is None else noise < chances).to(willing.dtype)

    def cost(self, willing: Tensor, shares: Tensor, right: Tensor | None) -> Tensor:
        """What is added to the cost of an answer so that the controller learns, [...].

        Args:
            willing: [..., K], see `willing`.
            shares: [..., K], what came of it.
            right: [..., K] whether the answer from the state after each hop alone is right, where it is `rewarded`.
        """
        settings = self.settings
        hops = torch.arange(1, shares.shape[-1] + 1, device=shares.device)
        if right is None:
            # rho = N + R, equations 8 to 10: N hops cannot be differentiated, the remainder, p_N, can.
            taken = ((shares > 0) * hops).amax(dim=-1, keepdim=True)
            return settings.hop_cost * (taken.squeeze(-1) + (shares * (hops == taken)).sum(dim=-1))
        logs = stop_logs(willing)
        chances = logs.exp()
        rewards = right - settings.hop_cost * hops
        expected = (chances * rewards).sum(dim=-1)  # the baseline: all rewards are known, and none is learned
        advantage = ((shares * rewards).sum(dim=-1) - expected).detach()
        entropy = -(chances * logs).sum(dim=-1)
        return -advantage * (shares * logs).sum(dim=-1) - settings.entropy * entropy


def stop_logs(willing: Tensor) -> Tensor:
    """The logarithm of the chance to stop after each hop and not before, [..., K]; who gets to the last stops there."""
    passing = functional.logsigmoid(-willing)
    earlier = passing.cumsum(dim=-1) - passing
    stopping = torch.cat([functional.logsigmoid(willing[..., :-1]), torch.zeros_like(willing[..., -1:])], dim=-1)
    return earlier + stopping


def first_end(ends: Tensor) -> Tensor:
    """Whether a step is the first that ends a walk, [..., K], of steps that would, [..., K]; the last always would."""
    ends = _at_last(ends)
    return ends & (ends.long().cumsum(dim=-1) == 1)


def _at_last(ends: Tensor) -> Tensor:
    """With True at the last hop."""
    return torch.cat([ends[..., :-1], torch.ones_like(ends[..., -1:])], dim=-1)
