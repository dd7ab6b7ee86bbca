"""Symmetries that a person has written down, in a YAML file.

    all:                                       # or the number of a task
    - free: [[mary, john], [she, he]]          # names in any order, and the pronouns with them
    - group: [{left: right, right: left}]      # maps of words, all elements of a group

Words that the training text lacks are left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from babi_memnet.encoding.merging import JOINT
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError, quoted
from babi_memnet.reading import read_regular
from babi_memnet.training.symmetry import SEPARATOR, Free, Group, Symmetry, Words

_EXPECTED = "expected tasks (or all) with lists of {free: [[word, ...], ...]} and {group: [{word: word, ...}, ...]}"


LARGEST_FILE = 1
"""MiB that a file of symmetries may have."""


def read_declared(path: str | Path) -> dict[str, Symmetry]:
    """The symmetries of a file, by task or ``all``.

    Raises:
        RequestError: there is no such file, or it says something else; names the file and the place.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(read_regular(path, LARGEST_FILE).decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping):
        raise RequestError(f"{path}: {_EXPECTED}")
    return {str(task): _symmetry(parts, f"{path}: {task}") for task, parts in content.items()}


def _symmetry(parts: Any, where: str) -> Symmetry:
    if not isinstance(parts, list):
        raise RequestError(f"{where}: {_EXPECTED}")
    made = [_part(part, f"{where}, entry {number}") for number, part in enumerate(parts, start=1)]
    seen: set[str] = set()
    for number, part in enumerate(made, start=1):
        words = {word for lists in part.lists for word in lists} if isinstance(part, Free) else set().union(*part.maps)
        if twice := sorted(words & seen):
            raise RequestError(
                f"{where}, entry {number}: {quoted(twice[0])} stands in an earlier entry too; expected it once"
            )
        seen |= words
    return Symmetry(tuple(made))


def _part(part: Any, where: str) -> Free | Group:
    if isinstance(part, Mapping) and set(part) == {"free"} and _is_lists(part["free"]):
        lists = tuple(tuple(str(word) for word in words) for words in part["free"])
        words = [word for each in lists for word in each]
        if len({len(each) for each in lists}) != 1 or len(set(words)) != len(words):
            raise RequestError(f"{where}: expected lists of one length, and every word once")
        return Free(lists)
    if isinstance(part, Mapping) and set(part) == {"group"} and isinstance(part["group"], list):
        maps = tuple(
            {str(a): str(b) for a, b in words.items()} for words in part["group"] if isinstance(words, Mapping)
        )
        if len(maps) != len(part["group"]) or any(set(words) != set(words.values()) for words in maps):
            raise RequestError(f"{where}: expected maps of words that take each word once")
        return Group(maps)
    raise RequestError(f"{where}: {_EXPECTED}")


def _is_lists(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(words, list) and words for words in value)


def fitted(symmetry: Symmetry, vocabulary: Vocabulary) -> Symmetry:
    """The symmetry over the words of a vocabulary: without those that it lacks, and with merged words.

    A merged word such as ``to_the_left_of`` goes where its part goes, if all the words that this makes are known.
    """
    # The parts of an answer of several words need not be words of the text.
    tokens = {part: None for word in vocabulary.words for part in word.split(SEPARATOR)}
    parts: list[Free | Group] = []
    for part in symmetry.parts:
        if isinstance(part, Free):
            lists = list(_known_lists(part, tokens))
            if lists and len(lists[0]) > 1:
                parts.append(Free(tuple(lists)))
        elif maps := [words for words in (_known_map(words, tokens) for words in part.maps) if words]:
            parts.append(Group(tuple(maps)))
    return Symmetry(tuple(parts))


def _known_lists(part: Free, tokens: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The lists, and those of each way in which their words stand in merged words, of the places that are known."""
    known = [
        place
        for place in zip(*part.lists, strict=True)
        if all(any(_has(token, word) for token in tokens) for word in place)
    ]
    for words in zip(*known, strict=True):
        for token in tokens:
            if _has(token, words[0]):
                images = tuple(_replaced(token, {words[0]: word}) for word in words)
                if all(image in tokens for image in images):
                    yield images


def _known_map(words: Words, tokens: Collection[str]) -> dict[str, str]:
    """The map of all tokens that have one of the words; none at all where one goes to what is not known."""
    moving = [token for token in tokens if any(_has(token, word) for word in words)]
    made = {token: _replaced(token, words) for token in moving}
    return made if all(image in tokens for image in made.values()) else {}


def _has(token: str, word: str) -> bool:
    return _fenced(word) in _fenced(token)


def _replaced(token: str, words: Words) -> str:
    """The token with each of the words as what it becomes; the longest first, and nothing twice."""
    if token in words:
        return words[token]
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<={JOINT})({either})(?={JOINT})", lambda found: words[found[0]], _fenced(token))[1:-1]


def _fenced(token: str) -> str:
    """With joints around, so that all its parts have one before and one behind."""
    return f"{JOINT}{token}{JOINT}"
