"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from babi_memnet.errors import bad_value
from babi_memnet.settings_fields import BOOKKEEPING

VALIDATIONS = ("tail", "random")


@dataclass
class TrainingSettings:
    """How a network is trained; the defaults are the paper's PE LS RN for one task (section 4.2 and 4.3).

    Attributes:
        restarts: how many independent restarts are trained.
        first_restart: number of the first restart; ``first_restart=3 restarts=1`` is restart 3 of any larger run.
        epochs: epochs with the softmax in the attention.
        learning_rate: step size of those epochs, on the summed loss of a batch.
        halve_every: the step size is halved in every epoch that this divides.
        linear_start_epochs: epochs before those, without the softmax (LS); 0 for none.
        linear_start_learning_rate: step size of the linear epochs.
        time_noise: up to this share of blank time indices is inserted between the statements (RN); 0 for none.
        batch_size: questions of a batch.
        gradient_norm: the gradient of each table is clipped to this norm.
        validation: which questions are held out, the ``tail`` of the training file or ``random`` ones.
        validation_fraction: share of the training questions held out; they only monitor.
        checkpoint_seconds: at least this long between two checkpoints.
    """

    restarts: int = 10
    first_restart: int = 0
    epochs: int = 100
    learning_rate: float = 0.005
    halve_every: int = 25
    linear_start_epochs: int = 20
    linear_start_learning_rate: float = 0.005
    time_noise: float = 0.1
    batch_size: int = 32
    gradient_norm: float = 40.0
    validation: str = "tail"
    validation_fraction: float = 0.1
    checkpoint_seconds: float = field(default=10.0, metadata=BOOKKEEPING)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the restarts."""
        return list(range(self.first_restart, self.first_restart + self.restarts))

    def __post_init__(self) -> None:
        for key in ("restarts", "halve_every", "batch_size"):
            if getattr(self, key) < 1:
                raise bad_value(f"training.{key}", getattr(self, key), "a whole number of at least 1")
        for key in ("first_restart", "epochs", "linear_start_epochs"):
            if getattr(self, key) < 0:
                raise bad_value(f"training.{key}", getattr(self, key), "a whole number of at least 0")
        if self.epochs + self.linear_start_epochs < 1:
            raise bad_value("training.epochs", self.epochs, "at least 1 (or some training.linear_start_epochs)")
        for key in ("learning_rate", "linear_start_learning_rate", "gradient_norm"):
            if not getattr(self, key) > 0:
                raise bad_value(f"training.{key}", getattr(self, key), "a number above 0")
        if not 0 <= self.time_noise <= 1:
            raise bad_value("training.time_noise", self.time_noise, "a share from 0 to 1")
        if self.validation not in VALIDATIONS:
            raise bad_value("training.validation", self.validation, " or ".join(VALIDATIONS))
        if not 0 < self.validation_fraction < 1:
            raise bad_value("training.validation_fraction", self.validation_fraction, "a share between 0 and 1")
        if self.checkpoint_seconds < 0:
            raise bad_value("training.checkpoint_seconds", self.checkpoint_seconds, "seconds, 0 for every epoch")
