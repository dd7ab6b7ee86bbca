"""Finds networks by their files: a network is a file of ``models/`` that has a class ``Settings``.

Its settings are read without loading torch, so that the command line can show and check them at once.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import babi_memnet.models
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.models.settings import NetworkSettings
from babi_memnet.paths import own_folders
from babi_memnet.reading import file_sha256

if TYPE_CHECKING:
    from babi_memnet.models.network import Network

_HAS_SETTINGS = re.compile(r"^class Settings\b", flags=re.MULTILINE)
_PREFIX = "settings_of_"


def network_files() -> dict[str, Path]:
    """The file of every network by its name: those of the project, then those of the folders in ``BABI_PATH``.

    Raises:
        RequestError: two files have the same name, or a folder is not there.
    """
    own = [str(folder / "models") for folder in own_folders()]
    # So that their files are modules of this package like all others.
    babi_memnet.models.__path__ += [folder for folder in own if folder not in babi_memnet.models.__path__]
    return _files(tuple(babi_memnet.models.__path__))


@cache
def _files(folders: Sequence[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in map(Path, folders):
        for path in sorted(folder.glob("*.py")):
            if _HAS_SETTINGS.search(_source(path)):
                if path.stem in files:
                    raise RequestError(f"{path}: expected another name, {files[path.stem]} is a network of this one")
                files[path.stem] = path
    return files


def code_of_own(name: str) -> str | None:
    """The SHA-256 of the file of a network in a folder of ``BABI_PATH``; None for those of the project.

    Who writes a network changes it often, and an old record must not answer for new code. Those of the project change
    with their versions.

    Raises:
        RequestError: there is no such network.
    """
    path = _file_of(name)
    if path.parent == Path(__file__).parent:
        return None
    return file_sha256(path)


def forget_own() -> bool:
    """Read networks of one's own anew when they are next asked for; whether any had been looked for.

    A process that lives on, as that of a notebook, would otherwise keep the code that it saw first, beside records that
    are named after the code of today.
    """
    folders = {str(folder / "models") for folder in own_folders()} | set(babi_memnet.models.__path__[1:])
    if not folders:
        return False
    del babi_memnet.models.__path__[1:]
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{babi_memnet.models.__name__}.") and _lies_in(module, folders):
            del sys.modules[name]
    invalidate_caches()
    _files.cache_clear()
    settings_class.cache_clear()
    return True


def _lies_in(module: ModuleType, folders: Set[str]) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and str(Path(file).parent) in folders


@cache
def settings_class(name: str) -> type[NetworkSettings]:
    """The class ``Settings`` of a network.

    Only what that class needs of the file is executed. The class stands in this module, by a name made from that of
    the network, so that other processes can be sent settings.

    Raises:
        RequestError: there is no such network, or its settings cannot be read so.
    """
    path = _file_of(name)
    # dataclasses look annotations up in the module that a class names
    module = sys.modules[f"{__name__}.{name}"] = ModuleType(f"{__name__}.{name}")
    try:
        tree = ast.parse(_source(path), str(path))
        tree.body = list(_needed(tree, "Settings"))
        exec(compile(tree, str(path), "exec"), vars(module))
        settings = module.Settings
        hints = get_type_hints(settings)
    except Exception as error:  # it is somebody else's code
        raise RequestError(f"{path}: its settings cannot be read: {' '.join(str(error).split())}") from error
    if not (isinstance(settings, type) and issubclass(settings, NetworkSettings)):
        raise RequestError(f"{path}: expected Settings to be a subclass of NetworkSettings")
    if "__dataclass_fields__" not in vars(settings):
        raise RequestError(f"{path}: expected @dataclass above class Settings")
    if settings.name != name:
        raise RequestError(f"{path}: expected Settings.name to be that of the file, {name!r}; it is {settings.name!r}")
    settings.__annotations__ = {key: hints[key] for key in settings.__annotations__}
    settings.__module__, settings.__qualname__ = __name__, f"{_PREFIX}{name}"
    return settings


def network_class(name: str) -> type[Network]:
    """The network itself; loads torch.

    Raises:
        RequestError: there is no such network, or its file does not define exactly one.
    """
    from babi_memnet.models.network import Network

    settings_class(name)
    module = import_module(f"{babi_memnet.models.__name__}.{name}")
    own = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    networks = [kind for kind in own if issubclass(kind, Network)]
    if len(networks) != 1:
        names = ", ".join(kind.__name__ for kind in networks) or "none"
        raise RequestError(f"{network_files()[name]}: expected one subclass of Network, found {names}")
    return networks[0]


def network_on_record(model: Mapping[str, Any]) -> NetworkSettings:
    """The settings of a network from plain values, as a record has them.

    Raises:
        RequestError: the network is not there, or it has no such settings.
    """
    settings = settings_class(model["name"])
    try:
        return settings(**model)
    except TypeError as error:
        raise RequestError(f"model={model['name']}: its settings on record are not those of today ({error})") from None


def _file_of(name: str) -> Path:
    files = network_files()
    if name not in files:
        raise bad_value("model", name, f"one of {', '.join(files)}")
    return files[name]


def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: expected the Python of a network ({error})") from None


def _needed(tree: ast.Module, name: str) -> Iterator[ast.stmt]:
    """The statements of a module that make ``name``: what binds it, what binds the names in that, and so on."""
    binding = {bound: statement for statement in tree.body for bound in _bound(statement)}
    needed: set[ast.stmt] = set()
    waiting = [name]
    while waiting:
        statement = binding.get(waiting.pop())
        if statement is not None and statement not in needed:
            needed.add(statement)
            waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    for statement in tree.body:
        if statement in needed or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            yield statement


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def __getattr__(name: str) -> Any:
    """``settings_of_memn2n`` and so on, by which settings are unpickled."""
    if name.startswith(_PREFIX):
        return cast(Any, settings_class(name.removeprefix(_PREFIX)))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
