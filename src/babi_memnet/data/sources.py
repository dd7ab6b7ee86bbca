"""One door to every data source: the value of ``data.source`` decides which module answers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from babi_memnet.data.settings import FilesData
from babi_memnet.errors import bad_value
from babi_memnet.tasks import JOINT, TASKS, Task, as_task

if TYPE_CHECKING:
    import datasets

# A source is a module with load, fingerprint and origin, of (settings, tasks); it is imported when it is asked for.
_SOURCES: dict[str, str] = {
    "files": "babi_memnet.data.files",
    "generated": "babi_memnet.data.generated",
    "hub": "babi_memnet.data.hub",
    "official": "babi_memnet.data.official",
    "saved": "babi_memnet.data.saved",
}


class DataSettings(Protocol):
    """What the settings of every source have in common."""

    source: str


def load(settings: DataSettings, tasks: Sequence[Task], expected: str | None = None) -> datasets.DatasetDict:
    """The splits ``train`` and ``test`` of the given tasks, task after task in the given order.

    A source that `gives_validation` has a split ``validation`` as well.

    Those of ``generated`` are mapped from the files of the cache, the others lie in memory. With ``expected``, an
    earlier `fingerprint`, nothing but the content that it stands for is given.

    Raises ``RequestError`` when a task is unknown or its data are missing, malformed or not what is ``expected``.
    """
    dataset: datasets.DatasetDict = _module(settings).load(settings, tasks, expected)
    return dataset


def fingerprint(settings: DataSettings, tasks: Sequence[Task]) -> str:
    """Hex SHA-256 of the content that ``load`` would give for the same arguments; cheap, and raises the same errors."""
    digest: str = _module(settings).fingerprint(settings, tasks)
    return digest


def origin(settings: DataSettings, tasks: Sequence[Task]) -> str:
    """Where the training questions of the tasks are, for errors: files, or what they are made by."""
    place: str = _module(settings).origin(settings, tasks)
    return place


def chosen_tasks(settings: DataSettings, asked: object) -> tuple[Task, list[Task]]:
    """What ``task=`` asks of a source: the task, or ``joint``, and the tasks that are learned.

    Raises ``RequestError`` when there is no such task.
    """
    if settings.source == "files":
        from babi_memnet.data.files import chosen

        return chosen(cast(FilesData, settings), asked)
    numbers = f"1 to {TASKS[-1]}"
    if settings.source == "official":
        numbers += ", a higher number that has files there"
    accepted = f"{numbers}, or {JOINT}"
    if str(asked) == JOINT:
        return JOINT, list(TASKS)
    task = as_task(asked, accepted)
    if task not in TASKS and (settings.source != "official" or isinstance(task, str)):
        raise bad_value("task", task, accepted)
    return task, [task]


def gives_validation(settings: DataSettings) -> bool:
    """Whether a source has validation questions of its own."""
    return settings.source == "files" and cast(FilesData, settings).valid is not None


def _module(settings: DataSettings) -> Any:
    if settings.source not in _SOURCES:
        raise bad_value("data.source", settings.source, " or ".join(_SOURCES))
    return import_module(_SOURCES[settings.source])
