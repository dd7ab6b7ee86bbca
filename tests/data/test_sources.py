from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from babi_memnet.data import official, sources
from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError


def test_the_source_decides_which_module_answers(tmp_path: Path, write_layout: Callable[..., Path]) -> None:
    settings = OfficialData(root=str(write_layout(tmp_path)))
    assert sources.fingerprint(settings, [1, 2]) == official.fingerprint(settings, [1, 2])
    assert sources.load(settings, [2])["train"][:] == official.load(settings, [2])["train"][:]


def test_an_unknown_source_is_named() -> None:
    @dataclass
    class Elsewhere:
        source: str = "elsewhere"

    with pytest.raises(RequestError, match=r"^data\.source=elsewhere: expected .*official"):
        sources.load(Elsewhere(), [1])


def test_importing_data_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from babi_memnet.data import export, hub, official, saved, sources\n"
        "heavy = {'datasets', 'huggingface_hub', 'pyarrow', 'numpy', 'torch', 'hydra', 'omegaconf', 'tqdm'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
