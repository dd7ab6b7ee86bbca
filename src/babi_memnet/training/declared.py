"""Symmetries that a person has written down, in a YAML file.

    all:                                       # or the number of a task
    - free: [[mary, john], [she, he]]          # names in any order, and the pronouns with them
    - group: [{left: right, right: left}]      # maps of words, all elements of a group

Words that the training text lacks are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError
from babi_memnet.training.symmetry import SEPARATOR, Free, Group, Symmetry

_EXPECTED = "expected tasks (or all) with lists of {free: [[word, ...], ...]} and {group: [{word: word, ...}, ...]}"


def read_declared(path: str | Path) -> dict[str, Symmetry]:
    """The symmetries of a file, by task or ``all``.

    Raises:
        RequestError: there is no such file, or it says something else; names the file and the place.
    """
    path = Path(path)
    if not path.is_file():
        raise RequestError(f"training.symmetry_file: expected a YAML file, found none at {path}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
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
            raise RequestError(f"{where}, entry {number}: {twice[0]!r} stands in an earlier entry too; expected it once")
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
        maps = tuple({str(a): str(b) for a, b in words.items()} for words in part["group"] if isinstance(words, Mapping))
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
    parts: list[Free | Group] = []
    for part in symmetry.parts:
        if isinstance(part, Free):
            known = [place for place in zip(*part.lists, strict=True) if all(_is_known(word, vocabulary) for word in place)]
            lists = [tuple(words) for words in zip(*known, strict=True)]
            merged = [each for words in lists for each in _patterns(words, vocabulary)]
            if merged and len(known) > 1:
                parts.append(Free(tuple(merged)))
        else:
            maps = []
            for words in part.maps:
                here = {word: other for word, other in words.items() if _is_known(word, vocabulary)}
                if here and all(_is_known(other, vocabulary) for other in here.values()):
                    maps.append(_merged_map(here, vocabulary))
            if maps:
                parts.append(Group(tuple(maps)))
    return Symmetry(tuple(parts))


def _is_known(word: str, vocabulary: Vocabulary) -> bool:
    return word in vocabulary or any(word in _parts(token) for token in vocabulary.words)


def _parts(token: str) -> list[str]:
    return token.replace(SEPARATOR, "_").split("_")


def _patterns(words: Iterable[str], vocabulary: Vocabulary) -> list[tuple[str, ...]]:
    """The words themselves where they are known, and each way in which they stand in merged words."""
    words = list(words)
    first = [token for token in vocabulary.words if words[0] in token.split("_") and SEPARATOR not in token]
    made = [tuple(_replaced(token, {words[0]: word}) for word in words) for token in first]
    if words[0] not in first:  # a merged word stands for itself
        made.append(tuple(words))
    return [each for each in made if all(token in vocabulary for token in each)]


def _merged_map(words: Mapping[str, str], vocabulary: Vocabulary) -> dict[str, str]:
    tokens = [token for token in vocabulary.words if SEPARATOR not in token and set(token.split("_")) & set(words)]
    made = {token: _replaced(token, words) for token in tokens}
    return {token: image for token, image in made.items() if image in vocabulary}


def _replaced(token: str, words: Mapping[str, str]) -> str:
    return "_".join(words.get(part, part) for part in token.split("_"))
