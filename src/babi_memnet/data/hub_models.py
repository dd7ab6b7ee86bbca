"""Folders of trained networks on the Hugging Face hub: fetched into the cache of its client, and uploaded by it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babi_memnet.data.hub import reason_of
from babi_memnet.errors import RequestError, bad_value

_NAME = re.compile(r"(?!.*(\.\.|--))[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?<![.-])", re.ASCII)


def check_repository(key: str, repository: object) -> None:
    """Refuse what is no ``OWNER/NAME``.

    Raises:
        RequestError: names ``key``.
    """
    if not isinstance(repository, str) or not _NAME.fullmatch(repository):
        raise bad_value(key, repository, "OWNER/NAME, a repository of the Hugging Face hub")


def model_folder(repository: str, revision: str | None = None) -> Path:
    """The files of a model repository in the cache of the hub's client, fetched where they are not there.

    Where the hub is not to be reached, or ``HF_HUB_OFFLINE`` forbids it, those that were fetched last.

    Raises:
        RequestError: it is no repository, or it is neither in the cache nor to be had.
    """
    if not _NAME.fullmatch(repository):
        raise RequestError(
            f"{repository}: no such folder; expected one that babi-export wrote, or OWNER/NAME, a repository of the "
            "Hugging Face hub"
        )
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted: dict[str, Any] = {"repo_id": repository, "revision": revision}
    refused: Exception | None = None
    try:
        if not constants.HF_HUB_OFFLINE:
            # Asks once. The client by itself repeats for half a minute what cannot work without a network.
            get_hf_file_metadata(hf_hub_url(filename="config.json", **wanted))
            return Path(snapshot_download(**wanted))
    except Exception as error:  # what the client's HTTP library raises has changed from version to version
        if _is_of_the_request(error):
            raise _refusal(repository, revision, error, constants.ENDPOINT) from None
        refused = error
    try:
        return Path(snapshot_download(**wanted, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    if refused is not None:
        raise _refusal(repository, revision, refused, constants.ENDPOINT)
    raise RequestError(
        f"{repository}: no such folder, nor is it in the cache {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE forbids "
        "the network; unset it to download, or name a folder that babi-export wrote"
    )


def push_model(folder: Path, names: Sequence[str], repository: str, private: bool) -> str:
    """Upload files of a folder to a model repository, which is made where there is none; its address.

    The token is the client's: ``HF_TOKEN``, or what ``hf auth login`` has kept.

    Raises:
        RequestError: the hub is not to be reached, or refuses it.
    """
    check_repository("push", repository)
    from huggingface_hub import HfApi, constants

    api = HfApi(library_name="babi_memnet")
    try:
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(names),
            commit_message="Upload what babi-export wrote",
        )
    except Exception as error:  # as above
        raise RequestError(
            f"push={repository}: {folder} could not be uploaded to {constants.ENDPOINT} ({reason_of(error)}); expected "
            "the network, and a token that may write there, by HF_TOKEN or hf auth login"
        ) from None
    return str(address)


def _is_of_the_request(error: Exception) -> bool:
    """Whether the hub has answered that there is no such thing, so that an older copy of it would mislead."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    no_such_thing = (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError)
    return isinstance(error, no_such_thing) and not isinstance(error, LocalEntryNotFoundError)


def _refusal(repository: str, revision: str | None, error: Exception, endpoint: str) -> RequestError:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, RepositoryNotFoundError):
        return RequestError(
            f"{repository}: no such folder; expected one, or a model repository of {endpoint} that the token of "
            "HF_TOKEN or hf auth login may read"
        )
    if isinstance(error, RevisionNotFoundError):
        return bad_value("revision", revision or "main", f"a commit, branch or tag of {repository}")
    if _is_of_the_request(error):
        return RequestError(f"{repository}: expected a model that babi-export wrote, found no config.json in it")
    return RequestError(
        f"{repository}: could not be fetched from {endpoint} ({reason_of(error)}); check the network, or name a folder "
        "that babi-export wrote"
    )
