"""The tracker dataclasses and the YAML files that choose among them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from babi_memnet.errors import RequestError
from babi_memnet.paths import conf_directory
from babi_memnet.tracking.settings import NoTracker, WandbTracker


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "mlflow"}, "tracker.kind=mlflow: expected wandb"),
        ({"mode": "disabled"}, "tracker.mode=disabled: expected offline or online; tracker=none switches tracking off"),
        ({"project": "a/b"}, "tracker.project=a/b: expected 1 to 128 characters"),
        ({"project": ""}, "tracker.project=: expected"),
        ({"name": ""}, "tracker.name=: expected"),
        ({"group": "x" * 129}, "tracker.group=xxx"),
        ({"entity": ""}, "tracker.entity=: expected"),
        ({"tags": ["fine", ""]}, "tracker.tags=: expected tags of 1 to 64"),
        ({"timeout": 0.0}, r"tracker.timeout=0.0: expected seconds above 0"),
        ({"timeout": float("nan")}, "tracker.timeout=nan: expected seconds above 0"),
    ],
)
def test_a_value_that_wandb_would_refuse_is_refused_with_its_key(values: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=f"^{message}"):
        WandbTracker(**values)  # type: ignore[arg-type]


def test_the_default_tracker_needs_no_account() -> None:
    assert WandbTracker().mode == "offline"
    with pytest.raises(RequestError, match=r"tracker\.kind=wandb: expected none"):
        NoTracker(kind="wandb")


def _composed(choice: str) -> object:
    store = ConfigStore.instance()
    store.store(group="schema/tracker", name="wandb", node=WandbTracker)
    store.store(group="schema/tracker", name="none", node=NoTracker)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        return OmegaConf.to_object(compose(overrides=[f"+tracker={choice}"]).tracker)


def test_each_yaml_file_gives_the_tracker_it_names() -> None:
    assert _composed("wandb_offline") == WandbTracker()
    assert _composed("wandb") == WandbTracker(mode="online")
    assert _composed("none") == NoTracker()


def test_yaml_files_set_only_what_differs_and_say_what_they_do() -> None:
    files = sorted((conf_directory() / "tracker").glob("*.yaml"))
    assert [file.stem for file in files] == ["none", "wandb", "wandb_offline"]
    defaults = {field.name: getattr(WandbTracker(), field.name) for field in fields(WandbTracker)}
    for file in files:
        assert file.read_text().startswith("# ")
        for key, value in OmegaConf.load(file).items():
            assert key == "defaults" or defaults[str(key)] != value
