"""The tracker that the settings ask for; what it needs is imported only then."""

from __future__ import annotations

import logging

from babi_memnet.errors import one_line
from babi_memnet.tracking.protocol import TrackedReport, TrackedRun, Tracker, Untracked
from babi_memnet.tracking.settings import NoTracker, WandbTracker

logger = logging.getLogger(__name__)


def check_tracker(settings: NoTracker | WandbTracker) -> None:
    """Find out before any work whether the tracker could start. Does nothing unless W&B is asked to be online.

    Raises:
        RequestError: there is no W&B account to upload to.
    """
    if isinstance(settings, WandbTracker) and settings.mode == "online":
        from babi_memnet.tracking.wandb import check_credentials

        check_credentials()


def start_tracker(settings: NoTracker | WandbTracker, run: TrackedRun) -> Tracker:
    """The tracker that ``settings`` ask for. It starts when it is entered."""
    if isinstance(settings, NoTracker):
        return Untracked()
    from babi_memnet.tracking.wandb import WandbMirror

    return WandbMirror(settings, run)


def track_report(settings: NoTracker | WandbTracker, run: TrackedRun, report: TrackedReport) -> None:
    """Mirror a report as a run of its own, where ``settings`` ask for a mirror at all.

    The table is drawn by now, so no trouble with the tracker is worth ending the command: it is a warning.
    """
    try:
        with start_tracker(settings, run) as tracker:
            tracker.report(report)
    except Exception as error:
        logger.warning("the report is not tracked (%s)", one_line(error))
