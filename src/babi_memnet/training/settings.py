"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from babi_memnet.errors import bad_value
from babi_memnet.settings_fields import BOOKKEEPING

OPTIMIZERS = ("sgd", "adam", "adamw", "adagrad")
SELECTIONS = ("train_error", "validation_error", "validation_loss")
GIVEN = "given"
"""Of ``validation``: the stories have validation questions of their own, and all training questions are learned."""

_CHOICES = {
    "optimizer": OPTIMIZERS,
    "loss": ("sum", "mean"),
    "schedule": ("constant", "halving", "cosine"),
    "clip": ("per_tensor", "over_all"),
    "weight_decay_on": ("all", "matrices"),
    "selection": SELECTIONS,
    "reported_epoch": ("last", "best"),
    "validation": ("tail", "random", GIVEN),
    "symmetry": ("none", "inferred", "declared"),
}


@dataclass
class TrainingSettings:
    """How a network is trained; the defaults are the paper's PE LS RN for one task (section 4.2 and 4.3).

    Attributes:
        restarts: how many independent restarts are trained.
        first_restart: number of the first restart; ``first_restart=3 restarts=1`` is restart 3 of any larger run.
        epochs: epochs after the linear start.
        optimizer: ``sgd``, ``adam``, ``adamw`` or ``adagrad``, those of torch.optim.
        beta1: decay of the first moment, adam and adamw.
        beta2: decay of the second.
        initial_accumulator: what the sums of squared gradients of adagrad begin with. TensorFlow has 0.1, which keeps
            its first steps small; with 0 the first moves every parameter by the whole step size.
        loss: what the gradient is of: the ``sum`` over a batch or its ``mean``.
        learning_rate: step size of those epochs.
        schedule: ``constant``, ``halving`` (every ``halve_every`` epochs) or ``cosine`` (to 0 at the last step).
        halve_every: the step size is halved in every epoch that this divides.
        warmup: share of the steps after the linear start in which the step size grows linearly from 0.
        linear_start_epochs: epochs before those, without the softmax in the attention (LS); 0 for none. Networks that
            have no softmax to leave out have none, whatever stands here.
        linear_start_learning_rate: step size of the linear epochs.
        time_noise: up to this share of blank time indices is inserted between the statements (RN); 0 for none.
        batch_size: questions of a batch.
        gradient_norm: gradients are clipped to this norm; ``null`` for not.
        clip: whether the norm is taken ``per_tensor`` or ``over_all`` tensors together; always of each restart alone.
        weight_decay: how strongly parameters are drawn to 0; added to the gradient, or with adamw to the step.
        weight_decay_on: ``all`` parameters, or those that are ``matrices``.
        label_smoothing: share of the target that is spread over all answers.
        averaging: the network that is measured has the running mean of the parameters, of which each step keeps this
            share; 0 for the parameters as they are.
        questions_per_epoch: an epoch is so many questions, more than there are for small data; ``null`` for each once.
        first_statements: in the first epoch stories are told up to about so many statements, then more and more;
            ``null`` tells them whole from the beginning. For networks that go through whole stories.
        growing: share of the epochs until they are told whole.
        symmetry: words that are exchanged in each question drawn, story, question and answer alike: ``none``, those
            ``inferred`` from the training stories, or those ``declared`` in ``symmetry_file``.
        symmetry_file: a YAML file with the words that may be exchanged, or one of conf/symmetry (docs/symmetry.md); it
            is what it says that makes another run, not where it is.
        solved_loss: a restart ends early when it answers all validation questions and its training loss is below this;
            ``null`` for never.
        patience: a restart ends early when its validation has not improved for so many epochs; ``null`` for never.
        reported_epoch: whose parameters a restart ends with: the ``last`` epoch's, or the ``best``'s by validation.
        selection: by what one restart is selected: ``train_error``, ``validation_error`` or ``validation_loss``, the
            lowest. Where validation decides on epochs, it does so by the loss for the last and else by the error.
        validation: which questions are held out, the ``tail`` of the training file or ``random`` ones; ``given`` where
            the data have files of their own for it (``data.valid``), which then decides.
        validation_fraction: share of the training questions held out.
        checkpoint_seconds: at least this long between two checkpoints.
    """

    restarts: int = 10
    first_restart: int = 0
    epochs: int = 100
    optimizer: str = "sgd"
    beta1: float = 0.9
    beta2: float = 0.999
    initial_accumulator: float = 0.0
    loss: str = "sum"
    learning_rate: float = 0.005
    schedule: str = "halving"
    halve_every: int = 25
    warmup: float = 0.0
    linear_start_epochs: int = 20
    linear_start_learning_rate: float = 0.005
    time_noise: float = 0.1
    batch_size: int = 32
    gradient_norm: float | None = 40.0
    clip: str = "per_tensor"
    weight_decay: float = 0.0
    weight_decay_on: str = "all"
    label_smoothing: float = 0.0
    averaging: float = 0.0
    questions_per_epoch: int | None = None
    first_statements: int | None = None
    growing: float = 0.5
    symmetry: str = "none"
    symmetry_file: str | None = field(default=None, metadata=BOOKKEEPING)
    solved_loss: float | None = None
    patience: int | None = None
    reported_epoch: str = "last"
    selection: str = "train_error"
    validation: str = "tail"
    validation_fraction: float = 0.1
    checkpoint_seconds: float = field(default=10.0, metadata=BOOKKEEPING)

    def settled(self) -> TrainingSettings:
        """With the defaults of what has no effect beside the rest, so that equal trainings are equal requests."""
        idle = {
            ("beta1", "beta2"): self.optimizer not in ("adam", "adamw"),
            ("initial_accumulator",): self.optimizer != "adagrad",
            ("weight_decay_on",): self.weight_decay == 0,
            ("clip",): self.gradient_norm is None,
            ("growing",): self.first_statements is None,
            ("symmetry_file",): self.symmetry != "declared",
        }
        plain = TrainingSettings()
        without = {key: getattr(plain, key) for keys, is_so in idle.items() if is_so for key in keys}
        changed = any(getattr(self, key) != value for key, value in without.items())
        return replace(self, **without) if changed else self

    def in_one_go(self) -> TrainingSettings:
        """Those of a network that is fitted to all training questions at once: without all that is about steps.

        Raises:
            RequestError: words are to be exchanged, which is done anew for every batch, or there is to be no epoch, or
                less than all of the questions in it.
        """
        if self.epochs < 1:
            raise bad_value("training.epochs", self.epochs, "at least 1 with a network that is fitted in one go")
        for key in ("first_statements", "questions_per_epoch"):
            if getattr(self, key) is not None:
                raise bad_value(f"training.{key}", getattr(self, key), "null with a network that is fitted in one go")
        if self.symmetry != "none":
            raise bad_value("training.symmetry", self.symmetry, "none with a network that is fitted in one go")
        kept = ("restarts", "first_restart", "selection", "validation", "validation_fraction", "checkpoint_seconds")
        values = {key: getattr(self, key) for key in kept}
        return TrainingSettings(epochs=1, linear_start_epochs=0, time_noise=0.0, **values)

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
        for key in ("learning_rate", "linear_start_learning_rate"):
            if not getattr(self, key) > 0:
                raise bad_value(f"training.{key}", getattr(self, key), "a number above 0")
        if self.gradient_norm is not None and not self.gradient_norm > 0:
            raise bad_value("training.gradient_norm", self.gradient_norm, "a number above 0, or null for no clipping")
        if self.patience is not None and self.patience < 1:
            raise bad_value(
                "training.patience", self.patience, "a whole number of at least 1, or null for no early end"
            )
        for key in ("weight_decay", "initial_accumulator"):
            if not getattr(self, key) >= 0:
                raise bad_value(f"training.{key}", getattr(self, key), "a number of at least 0")
        if not 0 <= self.time_noise <= 1:
            raise bad_value("training.time_noise", self.time_noise, "a share from 0 to 1")
        for key in ("questions_per_epoch", "first_statements"):
            if (value := getattr(self, key)) is not None and value < 1:
                raise bad_value(f"training.{key}", value, "a whole number of at least 1, or null")
        if self.solved_loss is not None and not self.solved_loss > 0:
            raise bad_value("training.solved_loss", self.solved_loss, "a number above 0, or null for no early end")
        if self.symmetry == "declared" and self.symmetry_file is None:
            raise bad_value("training.symmetry_file", None, "a YAML file of words that may be exchanged")
        if not 0 < self.growing <= 1:
            raise bad_value("training.growing", self.growing, "a share above 0, up to 1")
        for key in ("beta1", "beta2", "warmup", "label_smoothing", "averaging"):
            if not 0 <= getattr(self, key) < 1:
                raise bad_value(f"training.{key}", getattr(self, key), "a number from 0 to below 1")
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise bad_value(f"training.{key}", getattr(self, key), " or ".join(choices))
        if not 0 < self.validation_fraction < 1:
            raise bad_value("training.validation_fraction", self.validation_fraction, "a share between 0 and 1")
        if self.checkpoint_seconds < 0:
            raise bad_value("training.checkpoint_seconds", self.checkpoint_seconds, "seconds, 0 for every epoch")
