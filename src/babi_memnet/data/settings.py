"""Configuration of the data sources: which stories a run reads, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field

from babi_memnet.errors import bad_value


def _official_mirrors() -> list[str]:
    # The Hub file comes first because its revision is pinned. Whatever arrives is checked file by file.
    return [
        "https://huggingface.co/datasets/facebook/babi_qa/resolve/35110b6921dd859e4440fa0f39481959f09abc2d"
        "/data/tasks_1-20_v1-2.tar.gz",
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
    root: str | None = None
    size: str = "1k"
    language: str = "en"
    download: bool = True
    mirrors: list[str] = field(default_factory=_official_mirrors)

    def __post_init__(self) -> None:
        if self.source != "official":
            raise bad_value("data.source", self.source, "official (choose another source by data=NAME)")
        if self.root is not None and not self.root.strip():
            raise bad_value("data.root", self.root, "a folder that holds tasks_1-20_v1-2, or tasks_1-20_v1-2.tar.gz")
        if self.size not in ("1k", "10k"):
            raise bad_value("data.size", self.size, "1k or 10k")
        if self.language not in ("en", "hn", "shuffled"):
            raise bad_value("data.language", self.language, "en, hn or shuffled")
        for mirror in self.mirrors:
            if not mirror.startswith(("http://", "https://")):
                raise bad_value("data.mirrors", mirror, "addresses that start with http:// or https://")

    @property
    def folder(self) -> str:
        """The folder of ``tasks_1-20_v1-2`` that holds this language and size, such as ``en-10k``."""
        return self.language if self.size == "1k" else f"{self.language}-10k"


@dataclass
class GeneratedData:
    """Stories of the simulator in ``worlds/``, which nothing but their wording tells from official ones.

    ``size`` is the number of training questions per task: 1k, 10k, or any number. ``seed`` chooses the stories; train
    and test are drawn independently of each other. ``test_questions`` is 1000 in the official data. ``disjoint`` draws
    test questions again that occur in training after the same story, as some do in the official data.
    """

    source: str = "generated"
    size: int | str = "1k"
    seed: int = 0
    test_questions: int = 1000
    disjoint: bool = False

    def __post_init__(self) -> None:
        if self.source != "generated":
            raise bad_value("data.source", self.source, "generated (choose another source by data=NAME)")
        number = str(self.size).removesuffix("k")
        if not (number.isascii() and number.isdigit()) or int(number) == 0:
            raise bad_value("data.size", self.size, "1k, 10k or a number of training questions such as 2500")
        questions = int(number) * (1000 if str(self.size).endswith("k") else 1)
        # One name for one size: 1000 and 1k are the same request.
        self.size = f"{questions // 1000}k" if questions in (1000, 10_000) else str(questions)
        if self.seed < 0:
            raise bad_value("data.seed", self.seed, "a whole number of at least 0")
        if self.test_questions < 1:
            raise bad_value("data.test_questions", self.test_questions, "a whole number of at least 1")

    @property
    def training_questions(self) -> int:
        """``size`` as a number."""
        size = str(self.size)
        return int(size.removesuffix("k")) * (1000 if size.endswith("k") else 1)

    @property
    def folder(self) -> str:
        """The folder below ``tasks_1-20_v1-2`` for files of this size: ``en``, ``en-10k``, else ``en-<number>``."""
        return "en" if self.size == "1k" else f"en-{self.size}"
