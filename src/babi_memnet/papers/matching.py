"""Which published column a run reproduces, decided by comparing its configuration with the experiment files.

``conf/experiment/<column>.yaml`` is the one place that says what defines a column: every key it sets must have the same
value in the run. What it leaves to the user but holds for the whole table, such as the language of the stories, stands
under ``common`` of the table; what it does not say of network and training is as by default. Other keys (restarts,
seeds, where the stories come from) do not make another column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.models.networks import settings_class
from babi_memnet.papers.published import PublishedColumn, PublishedTable, read_yaml, trainable_tables
from babi_memnet.paths import conf_files
from babi_memnet.runs.collection import as_text
from babi_memnet.runs.dotted import flat
from babi_memnet.settings_fields import BOOKKEEPING, marked
from babi_memnet.tasks import JOINT, TASKS
from babi_memnet.training.settings import TrainingSettings

_REPETITIONS = ("restarts", "first_restart", *marked(TrainingSettings, BOOKKEEPING))
_REPEATED = {f"training.{key}" for key in _REPETITIONS}
_PLAIN_TRAINING = {
    f"training.{field.name}": field.default for field in fields(TrainingSettings) if field.name not in _REPETITIONS
}
_SIZES = {"1k": 1000, "10k": 10000}
_ONE_TASK = "1..20"
_SCHEMA = re.compile(r"/schema/model/(\w+)@_here_")
_CHOSEN = {f"override /{group}": group for group in ("model", "tokenizer", "training")}


@dataclass(frozen=True, slots=True)
class Match:
    """What a run can be held against.

    Attributes:
        column: the published column with the run's configuration, or None.
        nearest: the column that differs in the fewest keys; ``column`` itself when there is one.
        differences: how the run differs from ``nearest``, as ``key=value of the run (value of the column)``.
    """

    column: PublishedColumn | None
    nearest: PublishedColumn | None
    differences: tuple[str, ...]

    def why_not(self) -> str:
        """One line that says why there is no column; empty when there is one."""
        if self.column is not None:
            return ""
        if self.nearest is None:
            return "no published column can be trained with this package"
        return f"nearest: {self.nearest.name}, differs in {', '.join(self.differences)}"


def match(settings: Mapping[str, Any], among: Iterable[PublishedTable] | None = None) -> Match:
    """The published column that a run with the configuration ``settings`` reproduces, and the nearest one.

    ``settings`` is the run's configuration as nested plain mappings (``task``, ``data``, ``model``, ``training``) with
    the values the run really uses: a null that stands for a default has to be filled in before. ``among`` are the
    tables to look in, in order of preference (default: all with a column that can be trained).
    """
    run = flat(settings)
    run["task"] = _kind_of_task(run)
    nearest: PublishedColumn | None = None
    fewest: tuple[str, ...] = ()
    least = (True, 0)  # a column of another network is farther than any of the same, however little that one says
    for table in trainable_tables() if among is None else among:
        for column in table.columns:
            if column.experiment is None:
                continue
            stated = experiment_facts(column.experiment)
            facts = {key: value for key, value in stated.items() if key not in _REPEATED}
            plain = {**_PLAIN_TRAINING, **_plain_model(facts), **table.common}
            # only some sources of stories have all the keys that are common to a table
            general = {key: value for key, value in plain.items() if key in run}
            differences = _differences(run, {**general, **facts})
            distance = (facts["model.name"] != run.get("model.name"), len(differences))
            if nearest is None or distance < least:
                nearest, fewest, least = column, differences, distance
    return Match(None if fewest else nearest, nearest, fewest)


def _kind_of_task(run: Mapping[str, Any]) -> Any:
    """How experiment files speak of the task of a run; as no file does where it is none of the published tasks."""
    task, own = run.get("task"), run.get("data.source") == "files"
    if task == JOINT:
        return f"{JOINT} of tasks of one's own" if own else JOINT
    return _ONE_TASK if task in TASKS and not own else task


def experiment_facts(name: str, directory: Path | None = None) -> dict[str, Any]:
    """What defines the experiment ``name`` (such as ``memn2n_1k/pe_ls_rn``): dotted configuration key to value.

    ``directory`` holds the experiment files (default ``conf/experiment``). What the file leaves open is as the files
    say that its defaults list chooses. Raises RequestError when there is no such experiment, or it is not a mapping.
    """
    files = conf_files("experiment", directory)
    if name not in files:
        raise bad_value("experiment", name, f"a file under conf/experiment{suggestion(name, files)}")
    content = read_yaml(files[name])
    if not isinstance(content, Mapping):
        raise RequestError(f"{name}.yaml: expected a mapping of configuration keys")
    facts = flat({key: value for key, value in content.items() if key != "defaults"})
    for choice in content.get("defaults", []):
        if isinstance(choice, Mapping):
            for said, group in _CHOSEN.items():
                if said in choice:
                    facts = {**_group_facts(group, str(choice[said])), **facts}
    facts.setdefault("task", _ONE_TASK)
    return facts


def _group_facts(group: str, choice: str) -> dict[str, Any]:
    """What a file of conf/ says: the values that it sets, and of a model which network it chooses."""
    content = read_yaml(conf_files(group)[choice])
    values = {key: value for key, value in content.items() if key != "defaults"}
    for word in content["defaults"]:
        if found := _SCHEMA.match(str(word)):
            values["name"] = found[1]
    return flat({group: values}) if values else {}


def _plain_model(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The default of each setting of the network that an experiment chooses."""
    return {f"model.{field.name}": field.default for field in fields(settings_class(str(facts["model.name"])))}


def _differences(run: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{key}={as_text(run[key])} ({as_text(value)})" if key in run else f"{key} missing ({as_text(value)})"
        for key, value in facts.items()
        if key not in run or _comparable(key, run[key]) != _comparable(key, value)
    )


def _comparable(key: str, value: Any) -> Any:
    if key == "data.size":
        return _SIZES.get(str(value), int(value) if str(value).isdigit() else value)
    return value
