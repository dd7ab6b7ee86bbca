"""The card of a network that is handed on: what it is, how good, how it came to be, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babi_memnet.data.settings import settings_on_record
from babi_memnet.looking.restoring import Trained
from babi_memnet.models.networks import code_of_own, network_on_record
from babi_memnet.papers.comparison import Comparison, compare, tasks_of
from babi_memnet.runs.environment import PACKAGES
from babi_memnet.tables.cards import HUB_ID, are_official, stories_in_words
from babi_memnet.tables.numbers import interval, mean_and_deviation, rounded, signed
from babi_memnet.tables.pages import filled
from babi_memnet.tasks import JOINT, TASKS, TITLES, Task, title
from babi_memnet.training.settings import GIVEN
from babi_memnet.worlds.simulation import simulate

_TRIED = 20


@dataclass(frozen=True, slots=True)
class _Measured:
    """The test errors of one restart.

    Attributes:
        overall: of its task, or the mean over all tasks of a joint run.
        each: of every task, where there are several.
    """

    overall: Comparison
    each: tuple[Comparison, ...]


def model_card(trained: Trained, place: int, command: Sequence[str]) -> str:
    """The README.md of the restart at a place of a run.

    Args:
        trained: the run.
        place: the restart among those of the run.
        command: the words that repeat the run.
    """
    settings, result = trained.settings, trained.result
    training, tasks = settings["training"], tasks_of(result)
    measured = _measured(result, place)
    model = network_on_record(settings["model"])
    subject = _subject(tasks)
    published, versions = result.get("published") or {}, trained.status.get("versions") or {}
    return filled(
        "model_card.md",
        header=_header(trained, measured, f"{model.name}, {subject}"),
        title=f"{model.name}, {subject}",
        network=model.described(),
        tasks=[title(task) for task in tasks],
        error=_in_words(measured.overall),
        errors=[(task.task, rounded(task.error_percent), interval(task.interval)) for task in measured.each],
        restart=trained.restarts[place],
        is_selected=trained.restarts[place] == trained.selected,
        selected=trained.selected,
        selection=training["selection"].replace("_", " "),
        restarts=len(trained.restarts),
        all_restarts=mean_and_deviation(result["mean"], result["standard_deviation"]),
        data=stories_in_words(settings["data"]),
        questions=result["data"]["questions"],
        fingerprint=result["data"]["fingerprint"],
        protocol=_protocol(settings),
        published=_published(published),
        notes=published.get("notes") or [],
        parameters=f"{result['parameters']:,}" if "parameters" in result else None,
        words=f"{len(trained.encoder.vocabulary) - 1:,}",
        slots=trained.encoder.slots,
        versions=[f"{name} {versions[name]}" for name in PACKAGES if versions.get(name)],
        python=trained.status.get("python"),
        signature=trained.status["signature"],
        command=" ".join(command),
        own_file=f"{model.name}.py" if code_of_own(model.name) else None,
        example=_example(trained, tasks[0]),
    )


def _measured(result: Mapping[str, Any], place: int) -> _Measured:
    of_this_one, tasks = {**result, "selected": place}, tasks_of(result)
    if result["task"] != JOINT:
        return _Measured(compare(of_this_one, None, tasks[0]), ())
    each = tuple(compare(of_this_one, None, task) for task in tasks)
    return _Measured(compare(of_this_one, None, JOINT), each)


def _header(trained: Trained, measured: _Measured, name: str) -> str:
    """The YAML that the hub reads, without the lines around it."""
    from huggingface_hub import EvalResult, ModelCardData

    data = trained.settings["data"]
    official = are_official(data, tasks_of(trained.result))
    errors = [
        EvalResult(
            task_type="question-answering",
            task_name=_task_name(error.task),
            dataset_type=HUB_ID if official else f"babi_memnet-{data['source']}",
            dataset_name=f"bAbI, {_task_name(error.task)}, {stories_in_words(data)}",
            dataset_config=_part(data, error.task),  # results that differ in nothing else would become one
            dataset_split="test",
            metric_type="error_percent",
            metric_name="test error in percent",
            metric_value=round(error.error_percent, 4),
        )
        for error in (measured.overall, *measured.each)
    ]
    header = ModelCardData(
        library_name="babi_memnet",
        pipeline_tag="question-answering",
        tags=["babi", "memory-networks", trained.settings["model"]["name"]],
        datasets=[HUB_ID] if official else None,
        metrics=["error_percent"],
        model_name=name,
        eval_results=errors,
    )
    return str(header.to_yaml())


def _part(data: Mapping[str, Any], task: Task) -> str:
    """Which part of the data, as the hub calls those of the published stories: ``en-10k-qa3``."""
    published: Any = settings_on_record(data)
    folder = f"{published.folder}-" if are_official(data, []) else ""
    return f"{folder}{'all' if task == JOINT else f'qa{task}' if isinstance(task, int) else task}"


def _subject(tasks: Sequence[Task]) -> str:
    kind = "bAbI " if all(task in TASKS for task in tasks) else ""
    return f"{kind}task {tasks[0]}" if len(tasks) == 1 else f"all {len(tasks)} {kind}tasks"


def _task_name(task: Task) -> str:
    """A task such as ``task 3, three supporting facts``."""
    if task == JOINT:
        return "mean over all tasks"
    known = TITLES.get(task) if isinstance(task, int) else None
    return f"task {task}, {known.replace('-', ' ')}" if known else f"task {task}"


def _in_words(error: Comparison) -> str:
    return (
        f"{rounded(error.error_percent)} % of {error.questions:,} questions, 95 % interval "
        f"{interval(error.interval)} (of the questions alone)"
    )


def _protocol(settings: Mapping[str, Any]) -> str:
    training = settings["training"]
    share = f"{100 * training['validation_fraction']:g} % of the training questions held out"
    validated = {
        "tail": f"{share} (the last ones)",
        "random": f"{share} (random ones)",
        GIVEN: "validated on questions of their own",
    }
    words = settings["tokenizer"]["vocabulary"].replace("_", " ")
    epochs = training["linear_start_epochs"] + training["epochs"]
    early = any(training.get(key) is not None for key in ("patience", "solved_loss"))
    trained = f"{'up to ' * early}{epochs} epochs, the {training['reported_epoch']} one counts"
    told = [
        "one network for all tasks" if settings["task"] == JOINT else "one network for the task",
        validated[training["validation"]],
        "fitted in one go" if network_on_record(settings["model"]).fitted else trained,
        f"words of {words}",
        "the test questions choose nothing",
    ]
    return "; ".join(told)


def _published(published: Mapping[str, Any]) -> str | None:
    """What the run was held against; None where there is nothing."""
    if published.get("column") is None or published.get("error_percent") is None:
        return None
    return (
        f"{rounded(published['error_percent'])} % ({published['column']}); that of the selected restart differs by "
        f"{signed(published['difference'])}: {published['verdict']}"
    )


def _example(trained: Trained, task: Task) -> tuple[Sequence[str], str] | None:
    """A short story of a task with its question; None where it is no task of ours, or they have words of their own."""
    if isinstance(task, str) or task not in TASKS:
        return None
    vocabulary = trained.encoder.vocabulary
    asked = simulate(task=task, questions=_TRIED, seed=0, split="test")
    shortest = min(asked, key=lambda record: len(record.story))
    texts = (*shortest.story, shortest.question)
    known = all(token in vocabulary for text in texts for token in vocabulary.tokens(text))
    return (shortest.story, shortest.question) if known else None
