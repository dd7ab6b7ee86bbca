"""Settings of the end-to-end memory network. Imports nothing heavy: the command line reads this before torch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from babi_memnet.errors import bad_value

ENCODINGS = ("position", "bag_of_words")
TYINGS = ("adjacent", "layerwise", "untied")
NONLINEARITIES = ("none", "relu")
EMPTY_SLOTS = ("attended", "masked")


def _one_of(key: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise bad_value(key, value, " or ".join(choices))


@dataclass
class MemN2NSettings:
    """An end-to-end memory network (Sukhbaatar et al. 2015, arXiv 1503.08895); the defaults are the paper's.

    Attributes:
        name: which model this is; fixed.
        dimension: d, the size of every embedding (section 4.2: 20 per task, 50 joint). ``null`` means just that.
        hops: K, how often the memory is read (section 2.2).
        encoding: sentence representation (section 4.1): ``position`` weighs a word by its place, ``bag_of_words`` sums.
        tying: which tables are one (section 2.2): ``adjacent``, ``layerwise`` or ``untied`` (every table its own).
        nonlinearity: after each hop ``none`` or ``relu`` (appendix A, the column marked with a star).
        memory_size: how many of the latest statements are remembered.
        time_encoding: whether a memory also holds a vector for how long ago it was told (section 4.1).
        empty_slots: ``attended`` lets the network attend to nothing, ``masked`` takes empty slots out of the softmax.
        initial_deviation: standard deviation of the initial values.
    """

    name: str = "memn2n"
    dimension: int | None = None
    hops: int = 3
    encoding: str = "position"
    tying: str = "adjacent"
    nonlinearity: str = "none"
    memory_size: int = 50
    time_encoding: bool = True
    empty_slots: str = "attended"
    initial_deviation: float = 0.1

    @property
    def passes(self) -> int:
        """How often an answer goes through the words of a story: once a hop, and once more for what is read last."""
        return 1 + self.hops

    def __post_init__(self) -> None:
        if self.name != "memn2n":
            raise bad_value("model.name", self.name, "memn2n (choose another model with model=...)")
        for key in ("dimension", "hops", "memory_size"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise bad_value(f"model.{key}", value, "a whole number of at least 1")
        _one_of("model.encoding", self.encoding, ENCODINGS)
        _one_of("model.tying", self.tying, TYINGS)
        _one_of("model.nonlinearity", self.nonlinearity, NONLINEARITIES)
        _one_of("model.empty_slots", self.empty_slots, EMPTY_SLOTS)
        if not self.initial_deviation > 0:
            raise bad_value("model.initial_deviation", self.initial_deviation, "a number above 0")


@dataclass(frozen=True)
class Tables:
    """Which embedding table each part of the network reads: tying is nothing but two parts naming one table.

    Attributes:
        question: B, embeds the question.
        input: A of each hop, turns statements into memories to be matched.
        output: C of each hop, turns statements into what is read out.
        answer: W, scores the words as answers.
        count: how many tables there are.
    """

    question: int
    input: list[int]
    output: list[int]
    answer: int
    count: int


def tables_of(tying: str, hops: int) -> Tables:
    """The tables of a network with ``hops`` hops (section 2.2).

    Adjacent: the output table of a hop is the input table of the next, the first also embeds the question and the
    last scores the answers: K + 1 tables. Layer-wise: all hops share one A and one C; B and W are their own.
    """
    if tying == "adjacent":
        chain = list(pairwise(range(hops + 1)))
        return Tables(0, [a for a, _ in chain], [c for _, c in chain], hops, hops + 1)
    if tying == "layerwise":
        return Tables(0, [1] * hops, [2] * hops, 3, 4)
    inputs = [1 + 2 * hop for hop in range(hops)]
    return Tables(0, inputs, [a + 1 for a in inputs], 2 * hops + 1, 2 * hops + 2)
