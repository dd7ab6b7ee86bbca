"""The wiring of a run: stories to arrays, network, loop, record, judgement. The one file that knows all parts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from babi_memnet.data.sources import load, origin
from babi_memnet.encoding.questions import Questions, build_encoder
from babi_memnet.encoding.remarks import remarks
from babi_memnet.errors import RequestError
from babi_memnet.models.network import Shape
from babi_memnet.models.networks import code_of_own, network_class
from babi_memnet.papers.judgement import judge
from babi_memnet.papers.matching import match
from babi_memnet.request import Request, as_plain
from babi_memnet.runs.checkpoint import Checkpoint
from babi_memnet.runs.directory import Recording, RunDirectory
from babi_memnet.runs.files import write_json
from babi_memnet.runs.interrupts import held_back
from babi_memnet.tracking.protocol import TrackedRun, Tracker
from babi_memnet.tracking.start import check_tracker, start_tracker
from babi_memnet.training.course import Course
from babi_memnet.training.devices import device_of, expect_room, in_fixed_order
from babi_memnet.training.engine import Engine, make_engine
from babi_memnet.training.exchanging import find_exchanges
from babi_memnet.training.loop import train
from babi_memnet.training.progress import Progress
from babi_memnet.training.restarts import Restarts
from babi_memnet.training.sampling import held_out, restart_generator
from babi_memnet.training.selection import select_restart

log = logging.getLogger(__name__)

SYMMETRY_FILE = "symmetry.json"
"""What words a run exchanges, by task, and the tests that say so (docs/symmetry.md)."""


class Experiment:
    """A run in memory: encoded stories, network, engine, and the random numbers of every restart."""

    def __init__(self, request: Request) -> None:
        """Load and encode the stories and draw the initial values.

        Raises:
            RequestError: the device is not there, the stories are not, or too few of them.
        """
        settings = request.settings
        self.request, self.settings = request, settings
        device = device_of(settings.runtime.device)
        torch.set_num_threads(settings.runtime.cores)

        stories = load(settings.data, settings.tasks, request.data_fingerprint)
        columns = {split: rows.to_dict() for split, rows in stories.items()}
        given = columns.get("validation")
        self.encoder = build_encoder(
            settings.tokenizer, columns["train"], columns["test"], settings.model.memory_size, given
        )
        for remark in remarks(columns, self.encoder):
            log.warning("%s: %s", request.name, remark)
        asked = len(columns["train"]["question"])
        if asked < 2 and given is None:
            place = origin(settings.data, settings.tasks)
            raise RequestError(
                f"{place}: {asked} training question; expected 2 at least, one to learn, one to validate"
            )
        kept, held = held_out(asked, settings.training, settings.runtime.seed)
        self.exchanges = find_exchanges(settings.training, columns["train"], kept.tolist(), self.encoder.vocabulary)
        told = self.encoder.encode(columns["train"])
        self.train, self.validation, self.test = (
            told.select(kept),
            told.select(held) if given is None else self.encoder.encode(given),
            self.encoder.encode(columns["test"]),
        )

        kind = network_class(settings.model.name)
        expect_room(kind(settings.model, Shape.of(self.encoder)), settings.training.restarts, device)
        self.numbers = settings.training.numbers
        self.generators = [restart_generator(settings.runtime.seed, number) for number in self.numbers]
        self.restarts = Restarts(kind, settings.model, Shape.of(self.encoder), self.generators, device)
        self.course = Course(settings.training)
        self.engine: Engine = make_engine(
            settings.runtime.engine,
            self.restarts,
            self.train,
            settings.training,
            settings.runtime.cores,
            self.exchanges.draws,
        )

    def close(self) -> None:
        """Let go of the engine's threads."""
        self.engine.close()

    def state(self) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Tensors and JSON that bring back this very state."""
        tensors = {**self.engine.tensors(), **self.course.tensors()}
        return {name: values.cpu().numpy().copy() for name, values in tensors.items()}, {
            "encoder": {
                "vocabulary": self.encoder.vocabulary.as_json(),
                "slots": self.encoder.slots,
                "positions": self.encoder.positions,
            },
            "restarts": self.numbers,
            "generators": [generator.bit_generator.state for generator in self.generators],
            "course": self.course.state(),
        }

    def restore(self, checkpoint: Checkpoint, shown: Mapping[str, Any]) -> None:
        """Go back to the state that `state` gave; ``shown`` is the line of its epoch in metrics.jsonl."""
        tensors = {
            f"{prefix}{name}": torch.from_numpy(np.array(values))
            for prefix, group in _by_prefix(checkpoint.tensors).items()
            for name, values in self.restarts.network.upgrade(group).items()
        }
        self.engine.restore(tensors)
        # An earlier version knew no early end, and the last epoch was the one that is reported.
        earlier = {**self.course.state(), "shown": {key: values for key, values in shown.items() if "/" in key}}
        self.course.restore(tensors, checkpoint.state.get("course", earlier))
        for generator, state in zip(self.generators, checkpoint.state["generators"], strict=True):
            generator.bit_generator.state = state


def _by_prefix(tensors: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tensors of a checkpoint apart: parameters (no prefix), ``kept/`` ones, each kind of ``optimizer/KIND/``."""
    groups: dict[str, dict[str, Any]] = {}
    for key, values in tensors.items():
        prefix, _, name = key.rpartition("/")
        groups.setdefault(f"{prefix}/" if prefix else "", {})[name] = values
    return groups


def run(
    request: Request,
    directory: Path,
    on_start: Callable[[], None],
    bar: bool = True,
    group: str | None = None,
    watch: Callable[[Mapping[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """The result of a run: from its record when there is one, else by training, from its checkpoint if it has one.

    Args:
        request: what to train.
        directory: the run directory, made if need be. Another process that records there is waited for.
        on_start: called once it is sure that this process writes the record, before anything else is written.
        bar: whether a terminal gets a progress bar.
        group: what a tracker shows the run as a part of; None stands for the table of its experiment, if it has one.
        watch: called with the line of every epoch once it is on record; `RunStopped` from it ends the run there.

    Raises:
        RequestError: the request cannot be met as it is.
        RunStopped: ``watch`` did so; the same request continues the run.
    """
    settings = request.settings
    check_tracker(settings.tracker)
    record = RunDirectory(directory)
    with record.lock():
        record.expect(request.signature)
        if (result := record.result) is not None:
            return result
        facts = {
            "threads": settings.runtime.cores,
            "device": settings.runtime.device,
            "experiment": request.experiment,
            "settings": as_plain(settings),
            "code": code_of_own(settings.model.name),
        }
        tracked = TrackedRun(
            run_id=f"{request.experiment or 'train'}-{request.signature}".replace("/", "-"),
            name=f"{request.experiment or 'train'}/{request.name}",
            directory=directory,
            config=as_plain(settings),
            group=group or (request.experiment and request.experiment.partition("/")[0]),
            job_type="train",
            tags=[
                *([request.experiment] if request.experiment else []),
                settings.model.name,
                settings.data.source,
                f"task {settings.task}",
            ],
            restarts=settings.training.numbers,
        )
        # What is refused for its data or its device leaves no record, and nothing at the tracker.
        with (
            closing(Experiment(request)) as experiment,
            in_fixed_order(experiment.restarts.device),
            record.recording(request.signature, facts) as recording,
        ):
            on_start()
            with start_tracker(settings.tracker, tracked) as tracker:
                if experiment.exchanges.report:
                    write_json(directory / SYMMETRY_FILE, experiment.exchanges.report)
                if recording.checkpoint is not None:
                    experiment.restore(recording.checkpoint, record.metrics()[-1])
                seconds = _train(experiment, recording, tracker, bar, watch)
                result = _result(experiment, seconds)
                recording.finish(result)
                tracker.finish(result)
        return result


def _train(
    experiment: Experiment,
    recording: Recording,
    tracker: Tracker,
    bar: bool,
    watch: Callable[[Mapping[str, Any]], None] | None,
) -> float:
    """Train what is left of the schedule; the seconds it took, those before an interruption included."""
    settings = experiment.settings.training
    started = time.perf_counter()
    earlier = float(recording.checkpoint.state["seconds"]) if recording.checkpoint else 0.0

    def state() -> tuple[int, dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        tensors, rest = experiment.state()
        return recording.epoch, tensors, {**rest, "seconds": earlier + time.perf_counter() - started}

    saved = time.monotonic()
    latest = state()
    epochs = settings.linear_start_epochs + settings.epochs
    try:
        with Progress(experiment.request.name, epochs, recording.epoch, bar) as progress:
            for epoch in train(
                experiment.engine,
                experiment.restarts,
                experiment.generators,
                experiment.validation,
                settings,
                experiment.course,
                done=recording.epoch,
            ):
                row = epoch.as_row()
                with held_back():  # or Ctrl-C between the two would leave an epoch without its state
                    recording.record_epoch(row)
                    latest = state()
                tracker.log_epoch(row)
                progress.update(epoch, last=not experiment.course.running.any())
                if watch is not None:
                    watch(row)
                if time.monotonic() - saved >= settings.checkpoint_seconds:
                    recording.save_checkpoint(*latest[1:])
                    saved = time.monotonic()
        latest = state()
    finally:
        # Also after Ctrl-C. In the middle of an epoch the parameters belong to none; what was kept after the last does.
        if latest[0] == recording.epoch > 0:
            recording.save_checkpoint(*latest[1:])
    return earlier + time.perf_counter() - started


def _result(experiment: Experiment, seconds: float) -> dict[str, Any]:
    """The content of result.json, from what the reported epochs showed and the answers to the test questions."""
    settings, test, validation = experiment.settings, experiment.test, experiment.validation
    wrong, wrong_held_out = _wrong(experiment, test), _wrong(experiment, validation)
    errors = 100 * wrong.mean(axis=1)
    shown = experiment.course.shown
    restarts = []
    for place, number in enumerate(experiment.numbers):
        train, held_out = (
            {key: shown[f"{split}/{key}"][place] for key in ("error_percent", "loss") if f"{split}/{key}" in shown}
            for split in ("train", "validation")
        )
        restarts.append(
            {
                "restart": number,
                "seed": settings.runtime.seed,
                "train": train,
                "validation": {**held_out, "per_task": _per_task(wrong_held_out[place], validation.tasks)},
                "test": {"error_percent": float(errors[place]), "per_task": _per_task(wrong[place], test.tasks)},
            }
        )
    finite = np.isfinite(shown["train/loss"])
    diverged = [number for number, is_finite in zip(experiment.numbers, finite, strict=True) if not is_finite]
    if diverged:
        log.warning("%s: restarts %s diverged: their loss is no number", experiment.request.name, diverged)
    selected = select_restart(settings.training.selection, shown)
    result = {
        "task": settings.task,
        "experiment": experiment.request.experiment,
        "signature": experiment.request.signature,
        "selected": selected,
        "test_error_percent": float(errors[selected]),
        "mean": float(errors.mean()),
        "standard_deviation": float(errors.std(ddof=1)) if len(errors) > 1 else None,
        "restarts": restarts,
        "diverged": diverged,
        "parameters": sum(values[0].numel() for values in experiment.restarts.parameters.values()),
        "data": {
            "source": settings.data.source,
            "fingerprint": experiment.request.data_fingerprint,
            "questions": {
                "train": len(experiment.train),
                "validation": len(experiment.validation),
                "test": len(test),
                **_uneven(test.tasks),
            },
            "vocabulary": len(experiment.encoder.vocabulary) - 1,
            "memory_slots": experiment.encoder.slots,
            "forgotten_statements": experiment.train.forgotten + test.forgotten,
            "unknown_words": test.unknown,
        },
        "seconds": seconds,
    }
    return {**result, "published": judge(result, match(as_plain(settings))).as_json()}


def _wrong(experiment: Experiment, questions: Questions) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which questions each restart answers wrong, [R, N]."""
    found = experiment.engine.evaluate(questions, linear=experiment.settings.training.epochs == 0)
    return np.asarray(found.answers != questions.answers)


def _uneven(tasks: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The number of test questions of each task, where tasks differ in it."""
    names, counts = np.unique(tasks, return_counts=True)
    per_task = {str(task): count for task, count in zip(names.tolist(), counts.tolist(), strict=True)}
    return {"test_per_task": per_task} if len(set(per_task.values())) > 1 else {}


def _per_task(wrong: np.ndarray[Any, Any], tasks: np.ndarray[Any, Any]) -> dict[str, float]:
    """Percent of wrong answers, of the tasks that there are questions of."""
    return {str(task): 100 * float(wrong[tasks == task].mean()) for task in np.unique(tasks).tolist()}
