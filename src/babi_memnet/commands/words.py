"""The words of a command line before Hydra takes them: home folders, and a run repeated from its record."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from babi_memnet.config import schemas
from babi_memnet.errors import RequestError, one_line
from babi_memnet.reading import read_regular
from babi_memnet.runs.files import LARGEST_DOCUMENT

NAMED_BY = {"data": "source", "model": "name", "tracker": "kind"}
"""The key of each group that tells which of its choices the settings are; those of the others are all of one kind."""

_PRESETS = ("experiment", "debug", "sweep", "search")
"""Groups whose files change settings of other groups; what is recorded would overrule them."""


_PLAIN = re.compile(r"[A-Za-z_][\w./]*|\d+k?")
"""Texts that Hydra takes as they are."""


def prepared(words: Sequence[str], config_name: str) -> list[str]:
    """The words as Hydra is to have them.

    ``KEY=~/x`` is in the home folder, as a shell has it elsewhere. ``--config-dir=RUN/.hydra --config-name=config`` is
    the request that is recorded there, with the other words on top.

    Args:
        words: as they were typed.
        config_name: the primary file of the command.

    Raises:
        RequestError: what is recorded there is no request.
    """
    words = [_at_home(word) for word in words]
    asked, _ = get_args_parser().parse_known_intermixed_args(words)
    if asked.experimental_rerun is not None:
        raise RequestError("--experimental-rerun: expected --config-dir=RUN/.hydra --config-name=config instead")
    if not asked.config_dir or not asked.config_name or asked.config_name == config_name:
        return words
    file = Path(asked.config_dir, asked.config_name).with_suffix(".yaml")
    if config_name != "train" or not file.is_file():
        return words
    recorded = _recorded(file)
    if recorded is None:
        return words
    for word in asked.overrides:
        if word.lstrip("+").partition("=")[0] in _PRESETS:
            raise RequestError(f"{word}: expected single settings or groups on top of {file}, such as model.hops=2")
    flags = [word for word in words if word not in asked.overrides]
    # Of two names of a primary file the last one counts; and Hydra takes its overrides together.
    return [*flags, f"--config-name={config_name}", *_as_words(recorded, asked.overrides), *asked.overrides]


def _at_home(word: str) -> str:
    key, is_override, value = word.partition("=")
    if not is_override or not re.match(r"~(/|$)", value):
        return word
    return f"{key}={','.join(os.path.expanduser(one) for one in value.split(','))}"


def _recorded(file: Path) -> dict[str, Any] | None:
    """The settings in a file; None where it is a primary file of its own, which says what it is composed of."""
    try:
        content = OmegaConf.to_container(OmegaConf.create(read_regular(file, LARGEST_DOCUMENT).decode()), resolve=False)
    except (yaml.YAMLError, UnicodeDecodeError, OmegaConfBaseException) as error:
        raise RequestError(f"{file}: expected YAML ({one_line(error)})") from None
    if isinstance(content, dict) and "defaults" in content:
        return None
    if not isinstance(content, dict) or not all(isinstance(content.get(group), dict) for group in schemas()):
        raise RequestError(
            f"{file}: expected the request of a run, as babi-train writes it into RUN/.hydra/config.yaml"
        )
    return {str(key): value for key, value in content.items() if key != "hydra"}


def _as_words(settings: Mapping[str, Any], others: Sequence[str]) -> Iterator[str]:
    """The overrides that make these settings, without those that others overrule: keys, or whole groups."""
    overruled = {word.lstrip("+~").partition("=")[0] for word in others}
    for key, value in settings.items():
        if key in overruled:
            continue
        if not isinstance(value, dict):
            yield f"{key}={as_value(value)}"
            continue
        named_by = NAMED_BY.get(key)
        if named_by in value:
            yield f"{key}={value[named_by]}"
        for name, inner in value.items():
            if f"{key}.{name}" not in overruled and name != named_by:
                yield f"{key}.{name}={as_value(inner)}"


def as_word(key: str, value: Any) -> str:
    """An override, without quotes where it needs none."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    return f"{key}={value if plain else as_value(value)}"


def as_value(value: Any) -> str:
    """A value in the grammar of overrides."""
    if isinstance(value, list):
        return f"[{','.join(map(as_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{as_value(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, str):
        return str(QuotedString(value, Quote.single).with_quotes())
    return "null" if value is None else str(value).lower()
