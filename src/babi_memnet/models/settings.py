"""What the settings of all networks have in common. Imports nothing heavy: the command line reads it before torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

from babi_memnet.errors import bad_value
from babi_memnet.settings_fields import LARGEST

LARGEST_PART = 10_000
"""Of what a network has several of: hops, dimensions, heads. Far above what anybody has trained."""


@dataclass
class NetworkSettings:
    """Settings of a network; each network has a subclass called ``Settings`` in its own file.

    Attributes:
        name: which network this is: the name of its file; fixed.
        memory_size: how many of the latest statements of a story are remembered; ``null`` means all.
        linear_start: whether the network has a softmax that training can leave out at first (section 4.3 of arXiv
            1503.08895). Where it has none, no epochs are trained so.
        fitted: whether the network is fitted to all training questions in one go (`Network.fit`), without gradients.
    """

    name: str = ""
    memory_size: int | None = None

    linear_start: ClassVar[bool] = False
    fitted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            RequestError: one is out of its range.
        """
        own = type(self).name
        if self.name != own:
            raise bad_value("model.name", self.name, f"{own} (choose another model with model=...)")
        self.expect_at_least(1, "memory_size", most=LARGEST)

    @property
    def passes(self) -> int:
        """How often it goes through a story, which says roughly what a run costs beside others."""
        return 1

    def settled(self, joint: bool) -> Self:
        """These settings with everything chosen that depends on whether one network learns all tasks."""
        return self

    def described(self) -> str:
        """A few words for people that say which network this is, such as ``3 hops, dimension 20``."""
        plain = type(self)()
        changed = [f"{field.name} {getattr(self, field.name)}" for field in fields(self) if field.name != "name"
                   and getattr(self, field.name) != getattr(plain, field.name)]  # fmt: skip
        return ", ".join([self.name, *changed])

    def expect_at_least(self, least: int, *keys: str, most: int = LARGEST_PART) -> None:
        """Refuse whole numbers below ``least`` or above ``most``; None is let pass.

        Raises:
            RequestError: names the key.
        """
        for key in keys:
            value = getattr(self, key)
            if value is not None and value < least:
                raise bad_value(f"model.{key}", value, f"a whole number of at least {least}")
            if value is not None and value > most:
                raise bad_value(f"model.{key}", value, f"a whole number of at most {most}")

    def expect_one_of(self, key: str, choices: Collection[str]) -> None:
        """Refuse what is none of ``choices``.

        Raises:
            RequestError: names the key.
        """
        if getattr(self, key) not in choices:
            raise bad_value(f"model.{key}", getattr(self, key), " or ".join(choices))

    def expect_above_zero(self, *keys: str) -> None:
        """Refuse numbers that are not above 0.

        Raises:
            RequestError: names the key.
        """
        for key in keys:
            if not getattr(self, key) > 0:
                raise bad_value(f"model.{key}", getattr(self, key), "a number above 0")

    def expect_at_least_zero(self, *keys: str) -> None:
        """Refuse numbers below 0.

        Raises:
            RequestError: names the key.
        """
        for key in keys:
            if not getattr(self, key) >= 0:
                raise bad_value(f"model.{key}", getattr(self, key), "a number of at least 0")

    def expect_share(self, *keys: str) -> None:
        """Refuse numbers that are not from 0 to 1.

        Raises:
            RequestError: names the key.
        """
        for key in keys:
            if not 0 <= getattr(self, key) <= 1:
                raise bad_value(f"model.{key}", getattr(self, key), "a share from 0 to 1")


CONTROLLERS = ("fixed", "act", "reinforce")


@dataclass
class ControlledSettings(NetworkSettings):
    """Settings of a network with hops, in which a controller may decide after which of them it answers.

    Attributes:
        controller: ``fixed`` answers after the last hop; ``act`` (adaptive computation time) and ``reinforce`` learn
            for each question when to answer, see `models.controllers`.
        hop_cost: what each hop costs, in nats of the loss with act, in right answers with reinforce.
        entropy: with reinforce, how much undecidedness is worth while training, in nats of the loss for each nat of it.
    """

    controller: str = "fixed"
    hop_cost: float = 0.01
    entropy: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_one_of("controller", CONTROLLERS)
        self.expect_at_least_zero("hop_cost", "entropy")

    def settled(self, joint: bool) -> Self:
        """With the defaults of what means nothing to the controller."""
        settled = super().settled(joint)
        idle = {"hop_cost": self.controller == "fixed", "entropy": self.controller in ("fixed", "act")}
        plain = {key: getattr(type(self), key) for key, is_so in idle.items() if is_so}
        changed = any(getattr(settled, key) != value for key, value in plain.items())
        return replace(settled, **plain) if changed else settled
