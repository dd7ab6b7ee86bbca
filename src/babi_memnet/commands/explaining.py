"""From whatever went wrong, in Hydra or in our own code, to one line for the user."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from babi_memnet.config import choices_of, known_keys
from babi_memnet.errors import RequestError, suggestion

_NO_PLACE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG
}  # fmt: skip

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
"""OmegaConf's names of what a value could not be converted to, in words."""

_NO_MEMORY = re.compile(r"can't allocate memory|out of memory", re.IGNORECASE)
"""What torch says in a RuntimeError."""


def explain(error: BaseException) -> str | None:
    """One line that says what is wrong with the request; None when the error is not about the request."""
    chain = list(_causes(error))
    for link in chain:
        if isinstance(link, RequestError):
            return str(link)
    for link in chain:
        if isinstance(link, ConfigKeyError | ConfigAttributeError):
            key = link.full_key or str(link.key)
            known = [name for name in [*known_keys(), "tasks", "columns"] if name != key]
            return f"{key}: no such key{suggestion(key, known)}; --cfg job lists those there are"
        if isinstance(link, MissingMandatoryValue):
            return f"{link.full_key}: needs a value; add {link.full_key}=..."
        if isinstance(link, ValidationError):
            override = re.fullmatch(r"Error merging override (.*)", _first_line(error))
            kind = re.search(r"could not be converted to (\w+)$", _first_line(link))
            if override and kind and kind[1] in _KINDS:
                return f"{override[1]}: expected {_KINDS[kind[1]]}"
            if override and "is not a ListConfig" in _first_line(link):
                key, _, value = override[1].partition("=")
                return f"{override[1]}: expected a list, such as {key}=[{value}]"
            never_null = re.search(r"field '(.+)' is not Optional$", _first_line(link))
            if never_null:
                return f"{never_null[1]}=null: expected a value; without the word it has its default"
            return f"{_first_line(error)}: {_first_line(link)}"
        if isinstance(link, MissingConfigException) and link.missing_cfg_file:
            return _no_choice(link.missing_cfg_file)
        if isinstance(link, OSError) and link.errno in _NO_PLACE:
            place = link.filename or "what is written to"  # a stream has no name here
            return f"{place}: {link.strerror}; expected a place to write to, runtime.outputs=DIR names another"
        if isinstance(link, ValueError) and "integer string conversion" in str(link):
            return "a number of several thousand digits in the request; expected one that can be meant"
        if isinstance(link, MemoryError) or (isinstance(link, RuntimeError) and _NO_MEMORY.search(str(link))):
            return (
                f"not enough memory ({_first_line(link)}); expected a smaller request, such as fewer "
                "training.restarts, a smaller training.batch_size or a smaller model"
            )
    if several := re.match(r"Ambiguous value for argument '(.*)'", _first_line(error)):
        return f"{several[1]}: expected one value; with -m as well there is a run of each"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: expected KEY=VALUE; a value with such characters stands in quotes, KEY='VALUE'"
    if isinstance(error, ValueError) and str(error).startswith("Only one of --"):
        return f"{_first_line(error)}; --cfg without -m shows what the runs have in common"
    if isinstance(error, ValueError) and "Config group override" in str(error):
        return "null: no such choice of a group; leave the group out for its default"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return " ".join(str(error).split())
    return None


def _no_choice(file: str) -> str:
    """The line for a file that is not in conf/: ``memn2n_1k/pr`` of ``experiment``, or a primary one."""
    choice = file.removeprefix("hydra/").partition("/")[2]
    if not choice:
        return f"{file}: no such primary file; expected the command's own, or that of a run, in RUN/.hydra"
    group = file.removesuffix(f"/{choice}")
    choices = choices_of(group) or ConfigStore.instance().list(group)
    names = sorted(name.removesuffix(".yaml") for name in choices)
    named = suggestion(choice, names) or f"; expected one of {', '.join(names)}"
    if group == "hydra/sweeper":
        named += "; +search=NAME searches, with Optuna"
    return f"{group}={choice}: no such choice{named}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # Hydra and OmegaConf do not always name the cause; what merely happened meanwhile elsewhere is none.
        theirs = isinstance(error, HydraException | OmegaConfBaseException)
        error = error.__cause__ or (error.__context__ if theirs else None)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
