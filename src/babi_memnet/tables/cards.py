"""What the cards of networks and of stories have in common: how they name where stories are from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from babi_memnet.tasks import TASKS, Task

HUB_ID = "facebook/babi_qa"
"""The stories that Weston et al. (2015) published, as the hub calls them."""

_OFFICIAL = ("official", "hub")


def are_official(data: Mapping[str, Any], tasks: Iterable[Task]) -> bool:
    """Whether stories of these tasks, with these settings, are the published ones; numbers above 20 are somebody's."""
    return data["source"] in _OFFICIAL and all(task in TASKS for task in tasks)


def stories_in_words(data: Mapping[str, Any]) -> str:
    """Which stories, such as ``generated stories, size 1k, seed 0``."""
    known = {key: data.get(key) for key in ("size", "language", "seed", "shift", "disjoint")}
    told = [f"{key} {value}" for key, value in known.items() if value is not False and value not in (None, "none")]
    return ", ".join([f"{data['source']} stories", *told])
