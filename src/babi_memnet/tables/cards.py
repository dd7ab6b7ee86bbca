"""What the cards of networks and of stories have in common: how they name where stories are from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HUB_ID = "facebook/babi_qa"
"""The stories that Weston et al. (2015) published, as the hub calls them."""

_OFFICIAL = ("official", "hub")


def are_official(data: Mapping[str, Any]) -> bool:
    """Whether these settings of data are those of the published stories."""
    return data["source"] in _OFFICIAL


def stories_in_words(data: Mapping[str, Any]) -> str:
    """Which stories, such as ``generated stories, size 1k, seed 0``."""
    known = {key: data.get(key) for key in ("size", "language", "seed", "shift", "disjoint")}
    told = [f"{key} {value}" for key, value in known.items() if value is not False and value not in (None, "none")]
    return ", ".join([f"{data['source']} stories", *told])
