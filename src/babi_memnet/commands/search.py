"""babi-train with hydra/sweeper=search: the trials of one study, each of which is a run."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.conf import HydraConf
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig

from babi_memnet.commands.search_sheet import trial_sheet
from babi_memnet.commands.sweeping import failure_line, into_folder_of, jobs_together, tell_failures
from babi_memnet.config import request_of
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.request import Request, as_plain
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.runs.files import read_json, write_json
from babi_memnet.runs.lock import hold
from babi_memnet.runs.signature import short_digest
from babi_memnet.search.settings import SearchSettings
from babi_memnet.search.space import Choice, Dimension, Interval, Point, Space, Steps
from babi_memnet.tables.sheet import show

if TYPE_CHECKING:
    from babi_memnet.search.study import ProposedTrial, Study, Watched

log = logging.getLogger(__name__)

REQUEST_FILE = "search.json"
TRIALS_FILE = "trials.json"


def search(
    settings: SearchSettings,
    words: Sequence[str],
    master: DictConfig,
    loader: ConfigLoader,
    launch: Callable[[list[list[str]], int], Sequence[JobReturn]],
) -> list[JobReturn]:
    """Run the trials that a search still lacks, and show the best of all.

    Args:
        settings: how to search.
        words: the overrides of the command line, those to search over among them.
        master: the configuration of the whole multirun.
        loader: composes the configuration of a job.
        launch: runs jobs, given the overrides of each and the number of the first.

    Raises:
        RequestError: the space, the request or the study is none that can be searched.
        RunsFailed: some jobs failed; the others are on record.
    """
    _check_command(settings, master)
    fixed, space = space_of([f"{key}={value}" for key, value in (settings.params or {}).items()], words, loader)
    fixed += into_folder_of(master)

    def request(*more: str) -> Request:
        config = loader.load_sweep_config(master, [*fixed, *more])
        return request_of(config, config.hydra.runtime.choices.get("experiment"))

    base = request()
    _check_values(space, base, request)
    if settings.sampler == "grid":
        space.grid()
    name = settings.study or _name(settings, base, space, master.hydra.runtime.choices.get("search"))
    outputs = Path(base.settings.runtime.outputs)
    folder = settings.folder(outputs, name)
    study_class = import_study()[0]

    jobs: list[JobReturn] = []
    with hold(folder):
        _expect(folder, base, space, settings.objective)
        configured = _configured(space, base) if settings.configured_first else None
        study = study_class(folder, space, settings, configured)
        log.info("%s: %d of %d trials are left", folder, study.left, study.trials)
        waiting, left = study.interrupted(), study.left
        at_once = settings.max_batch_size or jobs_together(master.hydra.launcher)
        while left > 0:
            some = min(left, at_once)
            batch, waiting = waiting[:some], waiting[some:]
            batch += [study.ask() for _ in range(some - len(batch))]
            ran = launch([_words(fixed, asked, name) for asked in batch], batch[0].number)
            for asked, job in zip(batch, ran, strict=True):
                _record(study, asked, job, settings.objective, outputs)
            write_json(folder / TRIALS_FILE, {"trials": study.records()})
            jobs += ran
            left -= len(batch)
        show([trial_sheet(folder, outputs, study.records(), space, configured)])
    tell_failures(jobs, len(jobs))
    return jobs


def watched(hydra: HydraConf, outputs: str, selection: str) -> Watched | None:
    """The trial that a job is the run of; None when it is no part of a search.

    Raises:
        RequestError: a search was asked for without asking for many runs, which Hydra takes for a single one.
    """
    sweeper = hydra.sweeper
    if "trial" not in sweeper:
        return None
    if hydra.mode != RunMode.MULTIRUN:
        raise bad_value("hydra/sweeper", "search", "-m as well, since a search is many runs; +search=NAME says both")
    if sweeper.trial is None:
        return None
    settings = SearchSettings(**{field.name: sweeper[field.name] for field in fields(SearchSettings)})
    return import_study()[1](settings.folder(outputs, str(settings.study)), settings, selection)


def import_study() -> tuple[type[Study], type[Watched]]:
    """What needs Optuna.

    Raises:
        RequestError: it is not installed.
    """
    try:
        from babi_memnet.search.study import Study, Watched
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "optuna":
            raise
        raise RequestError("hydra/sweeper=search: needs Optuna; pip install 'babi_memnet[search]'") from None
    return Study, Watched


def space_of(params: Sequence[str], words: Sequence[str], loader: ConfigLoader | None) -> tuple[list[str], Space]:
    """The overrides that stay as they are, and the space that the others make. ``words`` come on top of ``params``.

    Raises:
        RequestError: there is nothing to search over, or a value is none that can be searched.
    """
    overrides = OverridesParser.create(config_loader=loader).parse_overrides([*params, *words])
    latest = {override.get_key_element(): override for override in overrides}
    dimensions = tuple(_dimension(one) for one in latest.values() if one.is_sweep_override())
    if not dimensions:
        example = "training.learning_rate=tag(log,interval(0.001,0.1))"
        raise RequestError(f"hydra/sweeper=search: expected a key to search over, such as {example}")
    fixed = [one for one in latest.values() if not one.is_sweep_override()]
    return [_as_word(one) for one in fixed], Space(dimensions)


def _as_word(override: Override) -> str:
    if override.is_delete():
        return str(override.input_line)
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _dimension(override: Override) -> Dimension:
    key, value = override.get_key_element(), override.value()
    text = override.get_value_string()
    if isinstance(value, ChoiceSweep | RangeSweep | IntervalSweep):
        allowed = {"log"} if isinstance(value, IntervalSweep) else set()
        if value.tags - allowed:
            raise bad_value(key, text, "no tag but log, and that of an interval")
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        if low is None or high is None:
            raise bad_value(key, text, "interval(LOW,HIGH)")
        return Interval(key, low, high, "log" in value.tags, isinstance(low, int) and isinstance(high, int))
    if isinstance(value, RangeSweep):
        steps = sorted({number if isinstance(number, int) else round(number, 12) for number in value.range()})
        if not steps:
            raise bad_value(key, text, "a range with at least one value")
        return Steps(key, tuple(steps))
    words = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not words:
        raise bad_value(key, text, "something that is there to choose")
    return Choice(key, words)


def _check_command(settings: SearchSettings, master: DictConfig) -> None:
    if master.hydra.job.config_name != "train":
        raise bad_value("hydra/sweeper", "search", "basic, since only a run of babi-train has an error to minimise")
    if settings.trial is not None:
        raise bad_value("hydra.sweeper.trial", settings.trial, "null, since the search numbers its trials itself")
    if sweep := master.hydra.runtime.choices.get("sweep"):
        raise bad_value("sweep", sweep, "no sweep in a search; give either +sweep or +search")


def _check_values(space: Space, base: Request, request: Callable[..., Request]) -> None:
    """Every value must be one that a run accepts, and leave alone what makes two errors comparable."""
    for key, value in space.ends():
        try:
            other = request(f"{key}={value}")
        except ConfigCompositionException as error:
            if "converted to Integer" in str(error.__cause__) and isinstance(value, float):
                raise bad_value(key, value, "whole numbers, such as those of int(interval(10,50))") from None
            raise
        if _measure(other) != _measure(base):
            raise RequestError(
                f"{key}={value}: expected no search over what an error is measured on and by: task, data, seed, "
                "number of restarts, validation questions"
            )


def _measure(request: Request) -> tuple[object, ...]:
    settings = request.settings
    schedule = settings.training
    split = (schedule.validation, schedule.validation_fraction)
    return settings.task, request.data_fingerprint, schedule.numbers, *split, settings.runtime.seed


def _configured(space: Space, base: Request) -> Point | None:
    """The values that the keys have when nothing is searched; None when the space lacks one of them."""
    settings = as_plain(base.settings)
    point: Point = {}
    for dimension in space.dimensions:
        value: Any = base.experiment if dimension.key == "experiment" else settings
        for part in dimension.key.split(".") if dimension.key != "experiment" else ():
            value = value.get(part) if isinstance(value, dict) else None
        held = dimension.holding(value)
        if held is None:
            log.info("the setting as configured (%s=%s) is not in the space", dimension.key, value)
            return None
        point[dimension.key] = held
    return point


def _name(settings: SearchSettings, base: Request, space: Space, preset: str | None) -> str:
    """The name of a study that nobody has named: the same for the same search, whatever its number of trials."""
    how = {field.name: getattr(settings, field.name) for field in fields(settings)}
    how = {key: value for key, value in how.items() if key not in ("max_batch_size", "params", "trials", "study")}
    text = json.dumps({**_identity(base, space, settings.objective), "how": how}, sort_keys=True)
    return f"{preset or 'search'}-{base.name.rpartition('-')[0]}-{short_digest(text)}"


def _identity(base: Request, space: Space, objective: str) -> dict[str, Any]:
    """What the trials of one study have in common."""
    return {"space": space.as_json(), "objective": objective, "request": base.signature}


def _expect(folder: Path, base: Request, space: Space, objective: str) -> None:
    """Make sure that the study in ``folder`` is free or of this search."""
    identity = _identity(base, space, objective)
    earlier = read_json(folder / REQUEST_FILE)
    if earlier is None:
        write_json(folder / REQUEST_FILE, {**identity, "settings": as_plain(base.settings)})
        return
    for part, value in identity.items():
        if earlier.get(part) != value:
            raise RequestError(
                f"hydra.sweeper.study={folder.name}: holds a search of another {part} "
                f"({json.dumps(earlier.get(part))}, not {json.dumps(value)}); expected another name, or the search "
                "that it was made by"
            )


def _words(fixed: Sequence[str], asked: ProposedTrial, name: str) -> list[str]:
    """The overrides of a trial's job; those of Hydra itself are no part of its request."""
    point = [f"{key}={value}" for key, value in asked.point.items()]
    return [*fixed, *point, f"hydra.sweeper.study={name}", f"hydra.sweeper.trial={asked.number}"]


def _record(study: Study, asked: ProposedTrial, job: JobReturn, objective: str, outputs: Path) -> None:
    """Tell the study how a job ended. Runs are named by their places below the outputs."""
    from babi_memnet.search.study import error_of_result

    where = job.hydra_cfg and job.hydra_cfg.hydra.runtime.output_dir
    facts = {"run": os.path.relpath(where, outputs)} if where else {}
    if job.status == JobStatus.FAILED:
        study.failed(asked, {**facts, "error": failure_line(job._return_value)})
        log.warning("trial %d failed: %s", asked.number, failure_line(job._return_value))
        return
    result = RunDirectory(str(where)).result
    if result is None:
        study.pruned(asked, facts)
        log.info("trial %d is pruned", asked.number)
        return
    error = error_of_result(result, objective)
    study.complete(asked, error, facts)
    log.info("trial %d: %s validation error %.2f %%", asked.number, objective, error)
