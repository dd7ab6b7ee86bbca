"""The official bAbI files from the Hugging Face hub, by way of the hub's own client and its cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.data.archive import unpacked
from babi_memnet.data.babi_format import check_tasks
from babi_memnet.data.checksums import check_official
from babi_memnet.data.layout import ARCHIVE_FOLDER, TaskFolder, find_task_folder
from babi_memnet.data.settings import HubData
from babi_memnet.errors import RequestError, bad_value, one_line

if TYPE_CHECKING:
    import datasets

_INSTEAD = f"data=official data.root=DIR reads {ARCHIVE_FOLDER} from a folder, data=generated needs no files"


def load(settings: HubData, tasks: list[int], expected: str | None = None) -> datasets.DatasetDict:
    """The splits of ``tasks``, task after task in the given order; the same as of the source ``official``.

    Raises ``RequestError``: unknown task, the archive is not to be had or not the official one, or what was read is
    not what is ``expected``.
    """
    check_tasks(tasks)
    return _folder(settings).load(tasks, expected)


def fingerprint(settings: HubData, tasks: list[int]) -> str:
    """Hex SHA-256 over task, split and content of the files that ``load`` would read; equal to that of ``official``."""
    check_tasks(tasks)
    return _folder(settings).fingerprint(tasks)


def origin(settings: HubData, tasks: list[int]) -> str:
    """Where the training questions are, for errors."""
    return _folder(settings).origin_of(tasks)


def _folder(settings: HubData) -> TaskFolder:
    archive = _archive(settings)

    def check(folder: Path) -> None:
        try:
            check_official(folder / ARCHIVE_FOLDER)
        except RequestError as error:
            raise RequestError(f"{archive}: refused, {error}") from None

    content = unpacked(archive, "hub", check)
    return find_task_folder(content, settings.folder, f"data.file={settings.file}", f"{ARCHIVE_FOLDER}.tar.gz")


def _archive(settings: HubData) -> Path:
    """The archive in the cache of the hub's client, fetched if it is not there."""
    from huggingface_hub import (
        constants,
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    wanted: dict[str, Any] = {
        "repo_id": settings.repository,
        "filename": settings.file,
        "revision": settings.revision,
        "repo_type": "dataset",
    }
    try:
        cached = try_to_load_from_cache(**wanted)
        if isinstance(cached, str):
            return Path(cached)
        if not constants.HF_HUB_OFFLINE:
            # Asks once. Without this, hf_hub_download repeats for half a minute what cannot work without a network.
            get_hf_file_metadata(hf_hub_url(**wanted))
            return Path(hf_hub_download(**wanted))
    except Exception as error:  # what the client's HTTP library raises has changed from version to version
        raise _refusal(settings, error, constants.ENDPOINT) from None
    raise RequestError(
        f"data=hub: {settings.file} of {settings.repository} is not in the cache {constants.HF_HUB_CACHE}, and "
        f"HF_HUB_OFFLINE forbids the network; unset it to download, or choose another source ({_INSTEAD})"
    )


def _refusal(settings: HubData, error: Exception, endpoint: str) -> RequestError:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, RepositoryNotFoundError):
        return bad_value("data.repository", settings.repository, f"a public dataset repository of {endpoint}")
    if isinstance(error, RevisionNotFoundError):
        return bad_value("data.revision", settings.revision, f"a commit, branch or tag of {settings.repository}")
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return bad_value("data.file", settings.file, f"a file of {settings.repository} at data.revision")
    return RequestError(
        f"data=hub: {settings.file} of {settings.repository} could not be fetched from {endpoint} "
        f"({reason_of(error)}); check the network, or choose another source ({_INSTEAD})"
    )


def reason_of(error: Exception) -> str:
    """In a few words why the hub's client did not get what it wanted."""
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else one_line(error)
