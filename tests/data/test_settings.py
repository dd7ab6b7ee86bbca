from __future__ import annotations

import re
from typing import Any

import pytest
from omegaconf import OmegaConf

from babi_memnet.data.settings import GeneratedData, HubData, OfficialData, SavedData
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


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("source", "official", "hub (choose another source by data=NAME)"),
        ("repository", "babi_qa", "OWNER/NAME, such as facebook/babi_qa"),
        ("repository", "facebook/babi qa", "OWNER/NAME"),
        ("revision", "", "a commit, branch or tag of data.repository"),
        ("file", "data/babi.zip", "a .tar.gz in data.repository, such as data/tasks_1-20_v1-2.tar.gz"),
        ("size", "2k", "1k or 10k"),
        ("language", "de", "en, hn or shuffled"),
    ],
)
def test_a_bad_value_for_the_hub_is_named(key: str, value: str, accepted: str) -> None:
    with pytest.raises(RequestError, match=rf"^data\.{key}={re.escape(value)}: expected {re.escape(accepted)}"):
        HubData(**{key: value})


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("source", "hub", "saved (choose another source by data=NAME)"),
        ("path", " ", "a folder with saved stories"),
        ("size", "many", "1k, 10k or a number"),
        ("size", 0, "1k, 10k or a number"),
    ],
)
def test_a_bad_value_for_saved_stories_is_named(key: str, value: Any, accepted: str) -> None:
    with pytest.raises(RequestError, match=rf"^data\.{key}={value}: expected {re.escape(accepted)}"):
        SavedData(**{key: value})


def test_one_size_of_saved_stories_has_one_name() -> None:
    assert (SavedData().size, SavedData().training_questions) == (None, None)
    assert [SavedData(size=size).size for size in ("1k", 1000, "10000", 60, "2k")] == ["1k", "1k", "10k", "60", "2000"]
    assert [SavedData(size=size).training_questions for size in ("1k", 60)] == [1000, 60]


@pytest.mark.parametrize("settings", [OfficialData, HubData])
def test_language_and_size_name_the_folder(settings: type[OfficialData] | type[HubData]) -> None:
    folders = [settings(size=size, language=name).folder for name in ("en", "hn", "shuffled") for size in ("1k", "10k")]
    assert folders == ["en", "en-10k", "hn", "hn-10k", "shuffled", "shuffled-10k"]


def test_the_settings_are_a_structured_configuration() -> None:
    given = OmegaConf.merge(OmegaConf.structured(OfficialData), {"size": "10k", "mirrors": ["http://localhost/x"]})
    assert OmegaConf.to_object(given) == OfficialData(size="10k", mirrors=["http://localhost/x"])
    for settings in (OfficialData, HubData, GeneratedData, SavedData):
        assert OmegaConf.to_object(OmegaConf.structured(settings)) == settings()


def test_the_hub_and_the_first_mirror_are_the_same_file() -> None:
    hub = HubData()
    assert OfficialData().mirrors[0] == (
        f"https://huggingface.co/datasets/{hub.repository}/resolve/{hub.revision}/{hub.file}"
    )
