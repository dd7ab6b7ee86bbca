"""The mirror of a run in Weights & Biases: the one module that imports wandb, when it is entered and not before."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from babi_memnet.errors import RequestError, RunStopped, one_line
from babi_memnet.runs.checkpoint import DOCUMENT_FILE, TENSORS_FILE
from babi_memnet.runs.directory import RESULT_FILE
from babi_memnet.runs.metrics import METRICS_FILE
from babi_memnet.tracking.flatten import epoch_metrics, restart_rows, result_summary
from babi_memnet.tracking.protocol import TrackedReport, TrackedRun
from babi_memnet.tracking.settings import WandbTracker

logger = logging.getLogger(__name__)


def check_credentials(wandb: Any = None) -> None:
    """Make sure that wandb can upload without asking anybody. Needs no network.

    Raises:
        RequestError: no API key is configured, or one that cannot be one.
    """
    with _Environment({"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}):
        wandb = wandb or _import_wandb()
        try:
            found = wandb.login(prompt=False, verify=False)
        except wandb.errors.Error as error:
            raise RequestError(f"tracker.mode=online: {one_line(error)}") from None
    if not found:
        raise RequestError(
            "tracker.mode=online: expected a W&B API key in WANDB_API_KEY or from `wandb login`, found none; "
            "tracker=wandb_offline needs no account"
        )


class WandbMirror:
    """One W&B run, with the id that the run is known by.

    The record on disk is the truth, so trouble with W&B never ends a run: after the first error that wandb raises
    there is one warning and nothing more is mirrored. When the server cannot be reached at the start, the mirror is
    kept offline instead.

    Args:
        wandb: stands in for the module in tests.
    """

    def __init__(self, settings: WandbTracker, run: TrackedRun, wandb: Any = None) -> None:
        self._settings = settings
        self._tracked = run
        self._wandb = wandb
        self._run: Any = None
        self._broken = self._charted = False
        directory = run.directory.absolute()
        # What a user has set stays. The data folder holds what `wandb sync` will upload, so it must outlive the run.
        self._environment = _Environment(
            {
                "WANDB_DATA_DIR": str(directory / "wandb" / "data"),
                "WANDB_CACHE_DIR": str(directory / "wandb" / "cache"),
                "WANDB_SILENT": "true",
                "WANDB_ERROR_REPORTING": "false",
            }
        )

    def __enter__(self) -> Self:
        """Start the W&B run.

        Raises:
            RequestError: online, and no valid API key is configured.
        """
        self._environment.__enter__()
        try:
            self._wandb = self._wandb or _import_wandb()
            if self._settings.mode == "online":
                check_credentials(self._wandb)
            self._run = self._start(self._settings.mode)
            if self._run is None and self._settings.mode == "online":
                # wandb's service process still holds the id of the run that it could not start; a new one does not.
                with suppress(Exception, SystemExit):
                    self._wandb.teardown()
                self._run = self._start("offline")
        except BaseException:
            self._environment.__exit__()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not wandb's own context manager: on an exception that prints a traceback of its own to standard error.
        try:
            if self._run is not None:
                # A run that was stopped on purpose has not failed.
                fine = kind is None or issubclass(kind, RunStopped)
                self._run.finish(exit_code=0 if fine else 1)
        except Exception as failure:
            logger.warning("W&B failed while ending the run (%s)", one_line(failure))
        finally:
            self._run = None
            self._environment.__exit__()

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Mirror one line of ``metrics.jsonl`` as step ``row["epoch"]``."""
        metrics = epoch_metrics(row, self._tracked.restarts)
        if not self._charted:  # a report has no epochs
            self._guard("defining its metrics", self._define_metrics)
            self._charted = True
        self._guard(f"logging epoch {row['epoch']}", lambda run: run.log(metrics, step=row["epoch"]))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Mirror the result: summary, a table of the restarts, and the files of the record as artifacts."""
        summary = result_summary(result)
        columns, rows = restart_rows(result)

        def mirror(run: Any) -> None:
            run.summary.update(summary)
            run.summary["restarts"] = self._wandb.Table(columns=columns, data=rows)
            if self._settings.artifacts:
                self._log_files(run, "checkpoint", "model", (TENSORS_FILE, DOCUMENT_FILE))
                self._log_files(run, "result", "result", (RESULT_FILE, METRICS_FILE))

        self._guard("recording the result", mirror)

    def report(self, report: TrackedReport) -> None:
        """Mirror a report: summary, tables and pictures, and its files as one artifact."""

        def mirror(run: Any) -> None:
            wandb = self._wandb
            shown: dict[str, Any] = {name: wandb.Image(str(path)) for name, path in report.images.items()}
            for name, (columns, rows) in report.tables.items():
                shown[name] = wandb.Table(columns=list(columns), data=[list(row) for row in rows])
            # Logged, not only put into the summary: that is what W&B makes panels of.
            run.log(shown)
            run.summary.update(dict(report.summary))
            if self._settings.artifacts:
                artifact = wandb.Artifact(f"report-{self._tracked.run_id}", type="report")
                for path in report.files:
                    # Copied, unlike the files of a run: the next report is drawn over this one.
                    artifact.add_file(str(path), name=path.relative_to(report.folder).as_posix(), skip_cache=True)
                run.log_artifact(artifact)

        self._guard("recording the report", mirror)

    def _start(self, mode: str) -> Any:
        """The started W&B run, or None when W&B could not start it."""
        wandb, settings, tracked = self._wandb, self._settings, self._tracked
        machine = {} if settings.machine_info else _nothing_about_the_machine()
        options = wandb.Settings(
            silent=True,
            console="off",  # train.log has the console, and wrapping it would break progress bars
            reinit="create_new",  # the default would hand back a run that an earlier one in this process left open
            save_code=settings.save_code,
            init_timeout=settings.timeout,
            finish_timeout=settings.timeout,
            **machine,
        )
        tracked.directory.mkdir(parents=True, exist_ok=True)
        try:
            run = wandb.init(
                mode=mode,
                id=tracked.run_id,
                # Offline there is nothing to resume: a continued run gets one more folder with the same id.
                resume="allow" if mode == "online" else None,
                project=settings.project,
                entity=settings.entity,
                group=settings.group or tracked.group,
                name=settings.name or tracked.name,
                job_type=tracked.job_type,
                tags=list(dict.fromkeys([*tracked.tags, *settings.tags])),
                notes=settings.notes,
                config=dict(tracked.config),
                dir=str(tracked.directory),
                settings=options,
            )
        except (wandb.errors.AuthenticationError, wandb.errors.UsageError) as error:
            raise RequestError(f"tracker.mode={mode}: W&B refused the run: {one_line(error)}") from None
        except Exception as error:
            logger.warning("W&B could not start %s (%s)", mode, one_line(error))
            return None
        where = Path(run.dir).parent
        if mode == "online":
            logger.info("W&B: %s", run.url)
        else:
            logger.info("W&B offline: upload it with: wandb sync %s", where)
        return run

    @staticmethod
    def _define_metrics(run: Any) -> None:
        run.define_metric("epoch")
        run.define_metric("*", step_metric="epoch")

    def _log_files(self, run: Any, name: str, kind: str, files: tuple[str, ...]) -> None:
        paths = [path for path in (self._tracked.directory.absolute() / file for file in files) if path.exists()]
        if not paths:
            return
        artifact = self._wandb.Artifact(f"{name}-{self._tracked.run_id}", type=kind)
        for path in paths:
            # The record of a finished run is not written again, so wandb need not keep copies of it.
            artifact.add_file(str(path), policy="immutable", skip_cache=True)
        run.log_artifact(artifact)

    def _guard(self, doing: str, action: Callable[[Any], None]) -> None:
        """Do ``action`` with the W&B run, if there is one and nothing failed before."""
        if self._run is None or self._broken:
            return
        try:
            action(self._run)
        except Exception as error:
            logger.warning("W&B failed while %s (%s); the run goes on without it", doing, one_line(error))
            self._broken = True


class _Environment:
    """Environment variables that are set while wandb runs, where the user has not set them; put back afterwards."""

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self._defaults = defaults
        self._added: list[str] = []

    def __enter__(self) -> Self:
        self._added = [name for name in self._defaults if name not in os.environ]
        os.environ.update({name: self._defaults[name] for name in self._added})
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._added:
            os.environ.pop(name, None)


def _import_wandb() -> Any:
    import wandb

    return wandb


def _nothing_about_the_machine() -> dict[str, Any]:
    return {
        "host": "hidden",
        "disable_git": True,
        "x_disable_machine_info": True,
        "x_disable_meta": True,
        "x_disable_stats": True,
        "x_save_requirements": False,
    }
