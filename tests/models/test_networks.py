"""A network is found by its file, its settings without torch; what is wrong with a file is said in one line."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.models import networks
from babi_memnet.models.network import Network
from babi_memnet.models.networks import network_class, network_files, network_on_record, settings_class
from babi_memnet.paths import conf_directory

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", network_files())
def test_every_network_is_whole(name: str):
    kind, settings = network_class(name), settings_class(name)
    assert issubclass(kind, Network)
    own = sys.modules[kind.__module__].Settings  # type: ignore[attr-defined]
    assert [(field.name, field.default) for field in fields(settings)] == [
        (field.name, field.default) for field in fields(own)
    ]
    assert (conf_directory() / "model" / f"{name}.yaml").is_file()
    assert (TESTS / f"test_{name}.py").is_file()
    made = settings()
    assert made.passes >= 1
    assert made.settled(joint=True).described()


@pytest.mark.parametrize("name", network_files())
def test_settings_can_be_sent_to_another_process(name: str):
    made = settings_class(name)(memory_size=7)
    assert pickle.loads(pickle.dumps(made)) == made
    assert network_on_record(asdict(made)) == made


def test_settings_are_read_without_torch():
    names = list(network_files())
    code = (
        "import sys; from babi_memnet.models.networks import network_files, settings_class\n"
        f"assert [settings_class(name)().name for name in {names}] == {names}\n"
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


HEAD = """
from dataclasses import dataclass
from babi_memnet.models.settings import NetworkSettings
"""
GOOD = f"""{HEAD}
from torch import nn
LEAST = 2

@dataclass
class Settings(NetworkSettings):
    name: str = "mine"
    size: int = LEAST * 2
"""


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that networks are looked for in."""
    monkeypatch.setattr(networks.babi_memnet.models, "__path__", [str(tmp_path)])
    settings_class.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings_class.cache_clear()


def test_settings_may_use_what_stands_in_the_file(own_folder: Path):
    (own_folder / "mine.py").write_text(GOOD)
    assert settings_class("mine")().size == 4
    with pytest.raises(RequestError, match=r"^model=other: expected one of mine$"):
        settings_class("other")
    with pytest.raises(RequestError, match=r"mine\.py: expected one subclass of Network, found none$"):
        network_class("mine")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (GOOD.replace('"mine"', '"yours"'), "expected Settings.name to be that of the file, 'mine'; it is 'yours'"),
        (f"{HEAD}\n@dataclass\nclass Settings:\n    pass\n", "expected Settings to be a subclass of NetworkSettings"),
        (GOOD.replace("LEAST = 2", ""), "its settings cannot be read: name 'LEAST' is not defined"),
        (f"{GOOD}\n)", "its settings cannot be read: unmatched ')'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(own_folder: Path, content: str, line: str):
    (own_folder / "mine.py").write_text(content)
    with pytest.raises(RequestError) as refused:
        settings_class("mine")
    assert str(refused.value).startswith(f"{own_folder / 'mine.py'}: {line}")
    assert "\n" not in str(refused.value)


def test_two_networks_of_one_name_are_refused(own_folder: Path, monkeypatch: pytest.MonkeyPatch):
    other = own_folder / "other"
    other.mkdir()
    for folder in (own_folder, other):
        (folder / "mine.py").write_text(GOOD)
    monkeypatch.setattr(networks.babi_memnet.models, "__path__", [str(own_folder), str(other)])
    with pytest.raises(RequestError, match="expected another name"):
        network_files()
