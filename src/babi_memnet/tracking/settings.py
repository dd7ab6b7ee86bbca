"""Which tracker mirrors a run, and how. The record on disk is complete without any."""

from __future__ import annotations

from dataclasses import dataclass, field

from babi_memnet.errors import bad_value

_MODES = ("offline", "online")
_LONGEST_NAME = 128
_LONGEST_TAG = 64
_NOT_IN_A_PROJECT = "/\\#?%:"


@dataclass
class NoTracker:
    """No mirror: the run directory is the only record."""

    kind: str = "none"

    def __post_init__(self) -> None:
        if self.kind != "none":
            raise bad_value("tracker.kind", self.kind, "none")


@dataclass
class WandbTracker:
    """Weights & Biases. ``offline`` needs no account and no network and asks nothing; ``online`` uploads as it goes.

    Raises:
        RequestError: a value that W&B would refuse, named by its key.
    """

    kind: str = "wandb"
    mode: str = "offline"
    project: str = "babi_memnet"
    entity: str | None = None  # user or team; None: W&B's default for the account
    group: str | None = None  # None: the table that the experiment is a column of
    name: str | None = None  # None: a readable name made from the request
    tags: list[str] = field(default_factory=list)  # added to those that the run has by itself
    notes: str | None = None
    artifacts: bool = True  # the checkpoint and the result as W&B artifacts
    save_code: bool = False  # the script that was started
    machine_info: bool = True  # host name, command, git remote, installed packages, load of the machine
    timeout: float = 60.0  # seconds; online: longest wait for the server at the start, and for uploads at the end

    def __post_init__(self) -> None:
        if self.kind != "wandb":
            raise bad_value("tracker.kind", self.kind, "wandb")
        if self.mode not in _MODES:
            accepted = f"{' or '.join(_MODES)}; tracker=none switches tracking off"
            raise bad_value("tracker.mode", self.mode, accepted)
        if not 1 <= len(self.project) <= _LONGEST_NAME or set(self.project) & set(_NOT_IN_A_PROJECT):
            accepted = f"1 to {_LONGEST_NAME} characters without any of {' '.join(_NOT_IN_A_PROJECT)}"
            raise bad_value("tracker.project", self.project, accepted)
        for key in ("entity", "group", "name"):
            value = getattr(self, key)
            if value is not None and not 1 <= len(value) <= _LONGEST_NAME:
                raise bad_value(f"tracker.{key}", value, f"1 to {_LONGEST_NAME} characters, or null")
        for tag in self.tags:
            if not 1 <= len(tag) <= _LONGEST_TAG:
                raise bad_value("tracker.tags", tag, f"tags of 1 to {_LONGEST_TAG} characters")
        if not self.timeout > 0:
            raise bad_value("tracker.timeout", self.timeout, "seconds above 0")
