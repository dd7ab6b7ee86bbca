"""The words of babi-train that repeat a run on record, wherever they are typed."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import Any

from hydra import compose
from omegaconf import OmegaConf

from babi_memnet.commands.words import NAMED_BY, as_word
from babi_memnet.config import choices_of, schemas
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import RequestError
from babi_memnet.paths import conf_files
from babi_memnet.request import as_plain, settled
from babi_memnet.runs.dotted import flat, is_below
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.settings_fields import EXECUTION, marked
from babi_memnet.tasks import JOINT, TASKS

_SYMMETRY_FILE = "training.symmetry_file"


def repeating(settings: Mapping[str, Any], experiment: str | None, bookkeeping: Collection[str]) -> list[str]:
    """The command, word by word as a shell takes them: the experiment if there is one, and what differs from it.

    Args:
        settings: of the run, as nested plain mappings.
        experiment: the experiment file that it was asked by; one that is not there any more is passed over.
        bookkeeping: dotted keys that say where things are, which is for whoever types the words to say.
    """
    execution = {f"runtime.{key}" for key in marked(RuntimeSettings, EXECUTION)}
    wanted = {
        key: value for key, value in flat(dict(settings)).items() if not is_below(key, {*bookkeeping, *execution})
    }
    symmetry_file = settings["training"].get("symmetry_file")
    if symmetry_file in conf_files("symmetry"):  # no place of somebody's, but a name that everybody has
        wanted[_SYMMETRY_FILE] = symmetry_file
    words: tuple[str, ...] = (as_word("task", settings["task"]),)
    if experiment and experiment in choices_of("experiment"):
        words = (f"experiment={experiment}", *words)
    for group in ("data", "model", "tokenizer", "training"):
        words = _nearest(words, group, wanted)
    return ["babi-train", *map(shlex.quote, [*words, *_changed(wanted, _composed(words))])]


def _nearest(words: tuple[str, ...], group: str, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The words, with the choice for a group that leaves least to be said; without one where it would not be less."""
    if group in NAMED_BY:
        name = f"{group}.{NAMED_BY[group]}"
        return words if _composed(words)[name] == wanted[name] else (*words, f"{group}={wanted[name]}")
    of_group = {key: value for key, value in wanted.items() if key.startswith(f"{group}.")}

    def left(tried: tuple[str, ...]) -> int:
        return len(list(_changed(of_group, _composed(tried))))

    if left(words) <= 1:  # a choice would be a word too
        return words
    return min([words, *((*words, f"{group}={choice}") for choice in choices_of(group))], key=left)


def _changed(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """The words for what is not as given; keys that are not there belong to choices that were not made."""
    for key, value in wanted.items():
        if key in given and value != given[key]:
            yield as_word(key, value)


@cache  # Hydra takes a tenth of a second for each
def _composed(words: tuple[str, ...]) -> dict[str, Any]:
    """The settings that these words make by their dotted keys, with everything settled that depends on the rest.

    The words say nothing of where stories are, so that others stand in for them, and one of their tasks.
    """
    config = compose("train", list(words))
    parts: dict[str, Any] = {name: OmegaConf.to_object(config[name]) for name in schemas()}
    settings = Settings(task=JOINT if config.task == JOINT else TASKS[0], **{**parts, "data": GeneratedData()})
    with suppress(RequestError):  # they mean nothing together yet
        settings = settled(settings)
    return flat({**as_plain(settings), "task": config.task, "data": asdict(parts["data"])})
