"""What a run is known by: its settled settings, its signature and its directory. Needs neither torch nor Hydra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.data.sources import fingerprint, gives_validation
from babi_memnet.errors import bad_value
from babi_memnet.models.networks import code_of_own
from babi_memnet.paths import symmetry_path
from babi_memnet.runs.signature import short_digest, signature
from babi_memnet.settings import Settings
from babi_memnet.settings_fields import BOOKKEEPING, EXECUTION, marked
from babi_memnet.tasks import JOINT, file_label
from babi_memnet.training.settings import GIVEN, TrainingSettings

if TYPE_CHECKING:
    from babi_memnet.runs.collection import Known

REVISIONS = {"memn2n": 2, "memnn": 2}
"""By network, 1 for all others: raised when the same settings begin to give other results, so that old records no
longer answer for new runs."""

_ALWAYS = ("revision", "task", "data.source", "model.name", "code")


@dataclass(frozen=True)
class Request:
    """A run that was asked for.

    Attributes:
        settings: with everything settled that was left to depend on other settings.
        experiment: the experiment file it was asked by, such as ``memn2n_1k/pe_ls_rn``, if any.
        data_fingerprint: SHA-256 of the stories, in hex.
        signature: equal for requests that give equal results.
    """

    settings: Settings
    experiment: str | None
    data_fingerprint: str
    signature: str

    @property
    def name(self) -> str:
        """A short name for people: the task and the signature."""
        return f"{file_label(self.settings.task)}-{self.signature}"

    @property
    def directory(self) -> Path:
        """Where the run is recorded."""
        return Path(self.settings.runtime.outputs) / (self.experiment or "train") / self.name


def settle(settings: Settings, experiment: str | None = None) -> Request:
    """The request for a run with these settings.

    Raises:
        RequestError: the stories it needs are not to be had.
    """
    settings = settled(settings)
    digest = fingerprint(settings.data, settings.tasks)
    code = code_of_own(settings.model.name)
    declared = settings.training.symmetry == "declared"
    exchanged = (
        short_digest(symmetry_path(str(settings.training.symmetry_file)).read_text("utf-8")) if declared else None
    )
    name = signature(
        {
            **as_plain(settings),
            "revision": REVISIONS.get(settings.model.name, 1),
            **({"code": code} if code else {}),
            **({"symmetry": exchanged} if exchanged else {}),
        },
        {key: _defaults(value) for key, value in vars(settings).items()},
        digest,
        always=_ALWAYS,
        ignored=marked(settings, BOOKKEEPING, EXECUTION),
    )
    return Request(settings, experiment, digest, name)


def settled(settings: Settings) -> Settings:
    """The settings with everything chosen that is left to depend on other settings.

    Raises:
        RequestError: some of them mean nothing together.
    """
    model = settings.model.settled(joint=settings.task == JOINT)
    training = settings.training.in_one_go() if model.fitted else settings.training.settled()
    settings = replace(settings, model=model, training=training)
    if not settings.model.linear_start:  # there is no softmax to leave out
        if settings.training.epochs < 1:
            raise bad_value("training.epochs", 0, f"at least 1, since {settings.model.name} has no linear start")
        settings = replace(settings, training=replace(settings.training, linear_start_epochs=0))
    settings = replace(settings, training=_validated(settings))
    if settings.task == JOINT and settings.training.validation == "tail":
        accepted = "random with task=joint, since the last questions of all tasks are those of the last tasks"
        raise bad_value("training.validation", "tail", accepted)
    return settings


def _validated(settings: Settings) -> TrainingSettings:
    """The schedule with the validation questions that the data give, if they do, instead of held out ones.

    Raises:
        RequestError: they do not, and are asked for.
    """
    training = settings.training
    if gives_validation(settings.data):
        return replace(training, validation=GIVEN, validation_fraction=TrainingSettings().validation_fraction)
    if training.validation == GIVEN:
        raise bad_value("training.validation", GIVEN, "tail or random, or data=files with data.valid, which is given")
    return training


def known_settings(choices: Mapping[str, Mapping[str, type]]) -> Known:
    """What reports have to know of the settings in records.

    Args:
        choices: group to name to dataclass, all that can be chosen.
    """
    from babi_memnet.runs.collection import Known  # a run has no need of it

    keys = set(marked(Settings, BOOKKEEPING))
    for group, parts in choices.items():
        keys |= {f"{group}.{name}" for part in parts.values() for name in marked(part, BOOKKEEPING)}
    defaults = {group: {name: asdict(part()) for name, part in parts.items()} for group, parts in choices.items()}

    def complete(settings: dict[str, Any]) -> dict[str, Any]:
        return {
            group: {**_of_its_kind(part, defaults[group]), **part} if group in defaults else part
            for group, part in settings.items()
        }

    return Known(frozenset(keys), complete)


def _of_its_kind(part: Mapping[str, Any], defaults: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The defaults of a part of the settings: those of the dataclass that it names, or of the only one there is."""
    named = next((str(part[key]) for key in ("source", "kind", "name") if key in part), None)
    if named is None:
        return next(iter(defaults.values())) if len(defaults) == 1 else {}
    return defaults.get(named, {})


def as_plain(settings: Settings) -> dict[str, Any]:
    """The settings as nested plain dicts."""
    return asdict(settings)


def _defaults(part: object) -> Any:
    """What this part of the settings would be with nothing chosen."""
    return asdict(type(part)()) if is_dataclass(part) and not isinstance(part, type) else None
