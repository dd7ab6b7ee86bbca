"""Configuration of the data sources: which stories a run reads, and from where.

Fields marked `BOOKKEEPING` do not count as a difference between runs: what the stories are is in their fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.settings_fields import BOOKKEEPING
from babi_memnet.worlds import UNSHIFTED

_HUB_REPOSITORY = "facebook/babi_qa"
_HUB_REVISION = "35110b6921dd859e4440fa0f39481959f09abc2d"
_HUB_FILE = "data/tasks_1-20_v1-2.tar.gz"


def _official_mirrors() -> list[str]:
    # The Hub file comes first because its revision is pinned. Whatever arrives is checked file by file.
    return [
        f"https://huggingface.co/datasets/{_HUB_REPOSITORY}/resolve/{_HUB_REVISION}/{_HUB_FILE}",
        "http://www.thespermwhale.com/jaseweston/babi/tasks_1-20_v1-2.tar.gz",
        "https://s3.amazonaws.com/text-datasets/babi_tasks_1-20_v1-2.tar.gz",
    ]


@dataclass
class OfficialData:
    """The bAbI tasks v1.2 as published (Weston et al. 2015).

    ``root`` is the folder ``tasks_1-20_v1-2``, a folder that holds it, or its ``.tar.gz``; None means the environment
    variable ``BABI_DATA`` (same forms), else the cache, else a download from the first of ``mirrors`` that works,
    unless ``download`` is false. ``size`` is 1k or 10k training questions per task, ``language`` en, hn or shuffled.
    """

    source: str = "official"
    root: str | None = field(default=None, metadata=BOOKKEEPING)
    size: str = "1k"
    language: str = "en"
    download: bool = field(default=True, metadata=BOOKKEEPING)
    mirrors: list[str] = field(default_factory=_official_mirrors, metadata=BOOKKEEPING)

    def __post_init__(self) -> None:
        _check_source(self.source, "official")
        if self.root is not None and not self.root.strip():
            raise bad_value("data.root", self.root, "a folder that holds tasks_1-20_v1-2, or tasks_1-20_v1-2.tar.gz")
        _check_published(self.size, self.language)
        for mirror in self.mirrors:
            if not mirror.startswith(("http://", "https://")):
                raise bad_value("data.mirrors", mirror, "addresses that start with http:// or https://")

    @property
    def folder(self) -> str:
        """The folder of ``tasks_1-20_v1-2`` that holds this language and size, such as ``en-10k``."""
        return _published_folder(self.size, self.language)


@dataclass
class HubData:
    """The same files as `OfficialData`, fetched by the client of the Hugging Face hub into the cache of that client.

    ``file`` is the archive ``tasks_1-20_v1-2.tar.gz`` in the dataset ``repository`` at ``revision``: a commit, which
    stays what it is, or a branch or tag, which may not. ``size`` is 1k or 10k, ``language`` en, hn or shuffled.
    """

    source: str = "hub"
    repository: str = field(default=_HUB_REPOSITORY, metadata=BOOKKEEPING)
    revision: str = field(default=_HUB_REVISION, metadata=BOOKKEEPING)
    file: str = field(default=_HUB_FILE, metadata=BOOKKEEPING)
    size: str = "1k"
    language: str = "en"

    def __post_init__(self) -> None:
        _check_source(self.source, "hub")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise bad_value("data.repository", self.repository, f"OWNER/NAME, such as {_HUB_REPOSITORY}")
        if not re.fullmatch(r"\S+", self.revision):
            raise bad_value("data.revision", self.revision, "a commit, branch or tag of data.repository")
        if not self.file.endswith((".tar.gz", ".tgz")):
            raise bad_value("data.file", self.file, f"a .tar.gz in data.repository, such as {_HUB_FILE}")
        _check_published(self.size, self.language)

    @property
    def folder(self) -> str:
        """The folder of ``tasks_1-20_v1-2`` that holds this language and size, such as ``en-10k``."""
        return _published_folder(self.size, self.language)


@dataclass
class GeneratedData:
    """Stories of the simulator in ``worlds/``, which nothing but their wording tells from official ones.

    ``size`` is the number of training questions per task: 1k, 10k, or any number. ``seed`` chooses the stories; train
    and test are drawn independently of each other. ``test_questions`` is 1000 in the official data. ``disjoint`` draws
    test questions again that occur in training after the same story, as some do in the official data. ``shift`` names
    one of ``worlds.shifts.SHIFTS``, other worlds that the test questions then come from.
    """

    source: str = "generated"
    size: int | str = "1k"
    seed: int = 0
    test_questions: int = 1000
    disjoint: bool = False
    shift: str = UNSHIFTED

    def __post_init__(self) -> None:
        _check_source(self.source, "generated")
        self.size = _one_name(self.size)
        if self.seed < 0:
            raise bad_value("data.seed", self.seed, "a whole number of at least 0")
        if self.test_questions < 1:
            raise bad_value("data.test_questions", self.test_questions, "a whole number of at least 1")
        check_shift(self.shift)

    @property
    def training_questions(self) -> int:
        """``size`` as a number."""
        return _number(self.size)

    @property
    def folder(self) -> str:
        """The folder below ``tasks_1-20_v1-2`` for files of this size: ``en``, ``en-10k``, else ``en-<number>``."""
        return "en" if self.size == "1k" else f"en-{self.size}"


@dataclass
class SavedData:
    """Stories that were saved before, by ``babi-generate`` or by anything else that writes the same columns.

    ``path`` is a folder with ``train.parquet`` and ``test.parquet``, or one that ``DatasetDict.save_to_disk`` wrote.
    ``size`` is how many training questions per task are expected there (1k, 10k or any number); None takes any.
    """

    source: str = "saved"
    path: str | None = field(default=None, metadata=BOOKKEEPING)
    size: int | str | None = None

    def __post_init__(self) -> None:
        _check_source(self.source, "saved")
        if self.path is not None and not self.path.strip():
            raise bad_value("data.path", self.path, "a folder with saved stories")
        if self.size is not None:
            self.size = _one_name(self.size)

    @property
    def training_questions(self) -> int | None:
        """``size`` as a number."""
        return None if self.size is None else _number(self.size)


@dataclass
class FilesData:
    """Stories of one's own, of any number of tasks, each of which is named by its file (docs/own-data.md).

    ``train``, ``test`` and ``valid`` each are a file, a folder, a glob, or a list of these; without ``valid`` some of
    the training questions are held out, as ``training.validation`` says. ``size`` is how many training questions of
    each task are expected (1k, 10k or any number); None takes any.
    """

    source: str = "files"
    train: Any = field(default=None, metadata=BOOKKEEPING)
    test: Any = field(default=None, metadata=BOOKKEEPING)
    valid: Any = field(default=None, metadata=BOOKKEEPING)
    size: int | str | None = None

    def __post_init__(self) -> None:
        _check_source(self.source, "files")
        for key in ("train", "test", "valid"):
            setattr(self, key, _places(f"data.{key}", getattr(self, key)))
        if self.size is not None:
            self.size = _one_name(self.size)

    @property
    def training_questions(self) -> int | None:
        """``size`` as a number."""
        return None if self.size is None else _number(self.size)

    @property
    def places(self) -> dict[str, list[str]]:
        """By split where its files are, of the splits that have some."""
        given = {"train": self.train, "test": self.test, "validation": self.valid}
        return {split: places for split, places in given.items() if places is not None}


SOURCES: dict[str, type] = {
    "generated": GeneratedData,
    "hub": HubData,
    "official": OfficialData,
    "saved": SavedData,
    "files": FilesData,
}
"""The settings of each source, by its name."""


def settings_on_record(saved: Mapping[str, Any]) -> OfficialData | HubData | GeneratedData | SavedData | FilesData:
    """The settings that ``dataclasses.asdict`` made ``saved`` of."""
    settings: OfficialData | HubData | GeneratedData | SavedData | FilesData = SOURCES[saved["source"]](**saved)
    return settings


def check_shift(shift: str, tasks: Iterable[int] = ()) -> None:
    """Raises ``RequestError`` when there is no such shift, or when it does not exist for one of the tasks."""
    if shift == UNSHIFTED:
        return
    from babi_memnet.worlds.shifts import SHIFTS  # with it the simulator, which most commands have no need of

    if shift not in SHIFTS:
        known = [UNSHIFTED, *SHIFTS]
        raise bad_value("data.shift", shift, f"one of {', '.join(known)}{suggestion(shift, known)}")
    for task in tasks:
        if task not in SHIFTS[shift]:
            possible = ", ".join(map(str, SHIFTS[shift]))
            raise RequestError(f"data.shift={shift}: does not exist for task {task}; it exists for tasks {possible}")


PLACES = "a file, a folder, a glob, or a list of these"


def _places(key: str, given: object) -> list[str] | None:
    if given is None:
        return None
    places = given if isinstance(given, list) else [given]
    if not places or not all(type(place) in (str, int) and str(place).strip() for place in places):
        raise bad_value(key, given, PLACES)
    return [str(place) for place in places]


def _check_source(given: str, own: str) -> None:
    if given != own:
        raise bad_value("data.source", given, f"{own} (choose another source by data=NAME)")


def _check_published(size: str, language: str) -> None:
    if size not in ("1k", "10k"):
        raise bad_value("data.size", size, "1k or 10k")
    if language not in ("en", "hn", "shuffled"):
        raise bad_value("data.language", language, "en, hn or shuffled")


def _published_folder(size: str, language: str) -> str:
    return language if size == "1k" else f"{language}-10k"


_MOST_QUESTIONS = 100_000_000
"""Of a training set; simulating so many takes days."""


def _number(size: int | str) -> int:
    """2500 for ``2500``, 2000 for ``2k``; raises ``RequestError`` for anything else and for 0."""
    text = str(size)
    number = text.removesuffix("k")
    if not (number.isascii() and number.isdigit()) or not number.strip("0"):
        raise bad_value("data.size", size, "1k, 10k or a number of training questions such as 2500")
    if len(number.lstrip("0")) > len(str(_MOST_QUESTIONS)) or int(number) > _MOST_QUESTIONS:
        raise bad_value("data.size", f"{text[:20]}{'...' * (len(text) > 20)}", f"at most {_MOST_QUESTIONS} questions")
    return int(number) * (1000 if text.endswith("k") else 1)


def _one_name(size: int | str) -> str:
    """One name for one size: 1000 and 1k are the same request."""
    questions = _number(size)
    return f"{questions // 1000}k" if questions in (1000, 10_000) else str(questions)
