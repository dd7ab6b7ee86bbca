"""What a person should know about stories before a network learns from them: what of them it will never see."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from babi_memnet.encoding.questions import Columns, Encoder
from babi_memnet.errors import quoted, visible

_NAMED = 3
"""As many examples are named."""

_LONGEST_NAME = 60
"""Characters of an example that are shown."""


def remarks(splits: Mapping[str, Columns], encoder: Encoder) -> Iterator[str]:
    """Lines about ``train`` and ``test``, each with how much it concerns and the key that changes it."""
    yield from _forgotten(splits, encoder)
    yield from _read_alike(splits, encoder)
    yield from _never_trained(splits, encoder)


def _forgotten(splits: Mapping[str, Columns], encoder: Encoder) -> Iterator[str]:
    """Questions whose facts lie before what is remembered; where facts are not given, whose stories are longer."""
    counts, verb, longest = {}, "rest", 1
    for split, columns in splits.items():
        facts = columns.get("supporting") or [()] * len(columns["story"])
        starts = [len(story) - encoder.slots for story in columns["story"]]
        longest = max(longest, encoder.slots + max(starts, default=0))
        if any(facts):
            counts[split] = sum(any(fact < start for fact in own) for own, start in zip(facts, starts, strict=True))
        else:
            counts[split], verb = sum(start > 0 for start in starts), "may rest"
    if any(counts.values()):
        said = " and ".join(
            f"{count} of {len(splits[split]['story'])} {split} questions" for split, count in counts.items()
        )
        key = f"model.memory_size={encoder.slots}"
        yield f"{said} {verb} on statements that {key} forgets; the longest story has {longest}"


def _read_alike(splits: Mapping[str, Columns], encoder: Encoder) -> Iterator[str]:
    """Statements or questions that differ in more than case, blanks and marks at their end, but not in their words."""
    texts: set[str] = set()
    for columns in splits.values():
        texts.update(columns["question"], *columns["story"])
    by_words: dict[tuple[str, ...], str] = {}
    alike = []
    for text in sorted(texts):
        words = tuple(encoder.vocabulary.tokens(text))
        other = by_words.setdefault(words, text)
        if _bare(other) != _bare(text):
            alike.append((other, text))
    if alike:
        first, second = alike[0]
        yield (
            f"{len(alike)} sentences read like others, such as {quoted(second)} like {quoted(first)}: "
            f"tokenizer.pattern={encoder.vocabulary.settings.pattern} finds the same words in both"
        )


def _bare(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).lower().split()).rstrip(" .?!")


def _never_trained(splits: Mapping[str, Columns], encoder: Encoder) -> Iterator[str]:
    """Test answers that no training question has, and test words without a vector."""
    token = encoder.vocabulary.answer_token
    known = {token(answer) for answer in splits["train"]["answer"]}
    asked = [token(answer) for answer in splits["test"]["answer"]]
    new = list(dict.fromkeys(answer for answer in asked if answer not in known))
    if new:
        count = sum(answer not in known for answer in asked)
        yield f"{count} of {len(asked)} test questions have an answer that no training question has: {_some(new)}"


def _some(names: Sequence[str]) -> str:
    return visible(", ".join(name[:_LONGEST_NAME] for name in names[:_NAMED])) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )
