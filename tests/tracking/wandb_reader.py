"""Reads a ``run-<id>.wandb`` file back, so that tests can hold the mirror against ``metrics.jsonl``.

The file is a 7-byte header (``:W&B``, a magic number, a version) and then a LevelDB log: blocks of 32 KiB that hold
chunks of CRC (4 bytes), length (2), kind (1: whole record, 2: first part, 3: middle, 4: last) and data. The joined
data of a record is one protobuf ``Record``.
"""

from __future__ import annotations

import importlib
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HEADER_BYTES = 7
_BLOCK_BYTES = 32 * 1024
_CHUNK_HEADER = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass
class Artifact:
    """One logged artifact: where its bytes lie on this machine until they are synced, by the name inside it."""

    kind: str
    aliases: list[str]
    local_paths: dict[str, str]


@dataclass
class WandbLog:
    """What one W&B run recorded, in plain Python values."""

    run: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    step_metrics: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None


def read_log(path: Path) -> WandbLog:
    """Everything recorded in the ``.wandb`` file at ``path``.

    Raises:
        ValueError: the file is no W&B log or a checksum is wrong.
    """
    messages: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")  # takes a second; has no types

    log = WandbLog()
    for data in _records(path.read_bytes()):
        record = messages.Record.FromString(data)
        match record.WhichOneof("record_type"):
            case "run":
                run = record.run
                log.run = {
                    "id": run.run_id,
                    "name": run.display_name,
                    "project": run.project,
                    "group": run.run_group,
                    "job_type": run.job_type,
                    "tags": list(run.tags),
                    "notes": run.notes,
                    "host": run.host,
                }
                _update(log.config, run.config)
            case "config":
                _update(log.config, record.config)
            case "history":
                log.history.append({_key(item): _typed_value(item) for item in record.history.item})
            case "summary":
                _update(log.summary, record.summary)
            case "metric" if record.metric.name:
                log.step_metrics[record.metric.name] = record.metric.step_metric
            case "metric":
                log.step_metrics[record.metric.glob_name] = record.metric.step_metric
            case "artifact":
                log.artifacts[record.artifact.name] = Artifact(
                    kind=record.artifact.type,
                    aliases=list(record.artifact.aliases),
                    local_paths={entry.path: entry.local_path for entry in record.artifact.manifest.contents},
                )
            case "environment":
                environment = record.environment
                log.machine |= {
                    name: str(getattr(environment, name))
                    for name in ("host", "username", "program", "executable", "email")
                    if getattr(environment, name)
                }
            case "exit":
                log.exit_code = record.exit.exit_code
    return log


def _records(content: bytes) -> Iterator[bytes]:
    if not content.startswith(b":W&B"):
        raise ValueError("no W&B log: the header is missing")
    position, parts = _HEADER_BYTES, b""
    while position + _CHUNK_HEADER.size <= len(content):
        left_in_block = _BLOCK_BYTES - position % _BLOCK_BYTES
        if left_in_block < _CHUNK_HEADER.size:
            position += left_in_block
            continue
        checksum, length, kind = _CHUNK_HEADER.unpack_from(content, position)
        position += _CHUNK_HEADER.size
        data = content[position : position + length]
        if zlib.crc32(bytes([kind]) + data) != checksum:
            raise ValueError(f"wrong checksum in the chunk that ends at byte {position + length}")
        position += length
        parts = data if kind in (_WHOLE, _FIRST) else parts + data
        if kind in (_WHOLE, _LAST):
            yield parts


def _key(item: Any) -> str:
    return "/".join(item.nested_key) if item.nested_key else str(item.key)


def _typed_value(item: Any) -> Any:
    kind = item.WhichOneof("value")
    if kind == "none":
        return None
    if kind is None:
        return json.loads(item.value_json)
    value = getattr(item, kind)
    return json.loads(value) if kind in ("json", "value_json") else value


def _update(target: dict[str, Any], record: Any) -> None:
    for item in record.update:
        target[_key(item)] = json.loads(item.value_json)
