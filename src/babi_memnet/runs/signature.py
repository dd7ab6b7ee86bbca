"""The short name of a request: equal for equal requests, different for anything that could change a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping

from babi_memnet.runs.dotted import flat, is_below

_HEX_DIGITS = 10


def signature(
    settings: Mapping[str, object],
    defaults: Mapping[str, object],
    data_fingerprint: str,
    *,
    always: Collection[str] = (),
    ignored: Collection[str] = (),
) -> str:
    """The first 10 hex digits of the SHA-256 of what makes this request different from the defaults.

    Only what differs counts (the idea is dora's), so a field that is added later with a default that changes nothing
    leaves the signatures of older runs as they were. A key that is missing in ``settings`` counts as its default.

    What follows from it: changing the default of an existing field, or the arithmetic behind it, does not change
    signatures by itself. Pass a revision number in ``settings``, name it in ``always``, and raise it at such a change.

    Args:
        settings: the resolved request, nested dicts of None, bool, int, float, str and lists of these.
        defaults: the same request with nothing chosen, of the same parts (the defaults of the model that is used).
        data_fingerprint: hex digits that identify the content of the data.
        always: dotted names that count even where they equal the default: the names of the chosen parts
            (``model.kind``), because two parts can have the same differences from their own defaults.
        ignored: dotted names that cannot change a result (``runtime.outputs``), with everything below them.

    Raises:
        TypeError: a value that JSON cannot hold.
    """
    standard = {key: _canonical(value) for key, value in flat(defaults).items()}
    chosen = {
        key: text
        for key, text in ((key, _canonical(value)) for key, value in flat(settings).items())
        if not is_below(key, ignored) and (is_below(key, always) or standard.get(key) != text)
    }
    request = json.dumps({"data": data_fingerprint, "settings": chosen}, sort_keys=True)
    return short_digest(request)


def short_digest(text: str) -> str:
    """Ten hex digits that tell a text from others: the start of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]


def _canonical(value: object) -> str:
    """Compact JSON with sorted keys in which 1 and 1.0 are the same number, and True is neither."""
    return json.dumps(_numbers_as_one(value), sort_keys=True, separators=(",", ":"))


def _numbers_as_one(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _numbers_as_one(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_as_one(inner) for inner in value]
    return value
