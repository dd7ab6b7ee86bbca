from __future__ import annotations

import re
from typing import Any

import pytest
from omegaconf import OmegaConf

from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("source", "official2", "official"),
        ("root", " ", "a folder that holds tasks_1-20_v1-2"),
        ("size", "1000", "1k or 10k"),
        ("language", "de", "en, hn or shuffled"),
        ("mirrors", ["ftp://example.org/x"], "http:// or https://"),
    ],
)
def test_a_bad_value_is_named(key: str, value: Any, accepted: str) -> None:
    with pytest.raises(RequestError, match=rf"^data\.{key}=.*{re.escape(accepted)}"):
        OfficialData(**{key: value})


def test_language_and_size_name_the_folder() -> None:
    folders = [
        OfficialData(size=size, language=name).folder for name in ("en", "hn", "shuffled") for size in ("1k", "10k")
    ]
    assert folders == ["en", "en-10k", "hn", "hn-10k", "shuffled", "shuffled-10k"]


def test_the_settings_are_a_structured_configuration() -> None:
    given = OmegaConf.merge(OmegaConf.structured(OfficialData), {"size": "10k", "mirrors": ["http://localhost/x"]})
    assert OmegaConf.to_object(given) == OfficialData(size="10k", mirrors=["http://localhost/x"])
