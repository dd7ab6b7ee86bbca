"""Words and their numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from babi_memnet.encoding.merging import Merging
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError, quoted, suggestion

PADDING = 0
"""The number of the word that fills sentences up; its vector is zero."""

_JOINERS = "\u200c\u200d"

_NAMED = 3
"""As many merged words are named where a part of them is met alone."""


class Vocabulary:
    """A tokenizer and the words it has met, numbered from 1 in order of first appearance; number 0 is padding.

    A merged word is one word, written with `merging.JOINT` wherever words are shown. Its parts are words too where they
    have been met without each other; elsewhere they have no number, as no training text has shown them.
    """

    def __init__(self, settings: TokenizerSettings, words: Iterable[str] = (), merging: Merging | None = None) -> None:
        self.settings = settings
        self.merging = merging or Merging()
        self._pattern = re.compile(settings.pattern)
        self._numbers: dict[str, int] = {"": PADDING}
        for word in words:
            self.add(word)

    def __len__(self) -> int:
        """How many numbers there are, padding included."""
        return len(self._numbers)

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    @property
    def words(self) -> list[str]:
        """All words by number; the first is padding, the empty string."""
        return list(self._numbers)

    def add(self, word: str) -> int:
        """The number of a word, which becomes known if it was not."""
        return self._numbers.setdefault(word, len(self._numbers))

    def number(self, word: str) -> int:
        """The number of a word; padding for one that is not known."""
        return self._numbers.get(word, PADDING)

    def tokens(self, text: str) -> list[str]:
        """The words of a statement or question.

        Marks that belong to a letter, as vowels of many scripts are written, count as letters for the pattern, and one
        letter is one however it is put together (Unicode's form NFC).
        """
        text = text.lower() if self.settings.lowercase else text
        if text.isascii():
            return self.merging([found.group() for found in self._pattern.finditer(text) if found.group()])
        text = unicodedata.normalize("NFC", text)
        places = (found.span() for found in self._pattern.finditer(_with_letters_for_marks(text)))
        return self.merging([text[start:end] for start, end in places if start < end])

    def answer_token(self, answer: str) -> str:
        """The class of an answer: several words joined by commas are one class (tasks 8 and 19)."""
        return unicodedata.normalize("NFC", answer.lower() if self.settings.lowercase else answer)

    def numbers_of(self, text: str) -> list[int]:
        """The numbers of the words of a text typed by a person.

        Raises:
            RequestError: it has words that are not known; names them, with what may have been meant.
        """
        tokens = self.tokens(text)
        unknown = dict.fromkeys(token for token in tokens if token not in self)
        if unknown:
            within = {word: self._within(word) for word in unknown}
            # A word never met may be what keeps those beside it from being merged.
            never_met = [word for word in unknown if not within[word]]
            typed = {word: " ".join(self.merging.parts(word)) for word in never_met or unknown}
            named = ", ".join(f"{quoted(text)}{self._hint(word, within[word])}" for word, text in typed.items())
            raise RequestError(f"unknown to this network, which knows {len(self) - 1} words: {named}")
        return [self._numbers[token] for token in tokens]

    def _within(self, word: str) -> list[str]:
        """The merged words of the vocabulary that a word is part of."""
        parts = self.merging.parts(word)
        wholes = ((whole, self.merging.parts(whole)) for whole in self._numbers)
        return [
            whole
            for whole, its in wholes
            if len(its) > len(parts)
            and any(its[start : start + len(parts)] == parts for start in range(len(its) - len(parts) + 1))
        ]

    def _hint(self, word: str, wholes: Sequence[str]) -> str:
        """What may have been meant by a word that has no number, but may be part of merged words."""
        if wholes:
            return f" (only within {', '.join(wholes[:_NAMED])}{', ...' if len(wholes) > _NAMED else ''})"
        parts = (part for known in self._numbers for part in self.merging.parts(known))
        return suggestion(word, dict.fromkeys([*self._numbers, *parts]))

    def as_json(self) -> dict[str, Any]:
        """What `from_json` needs to build this vocabulary again."""
        return {"tokenizer": vars(self.settings), "words": self.words[1:], "merges": self.merging.pairs}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `as_json` described; those of earlier versions have no merges."""
        merging = Merging((first, second) for first, second in saved.get("merges", ()))
        return cls(TokenizerSettings(**saved["tokenizer"]), saved["words"], merging)


def _with_letters_for_marks(text: str) -> str:
    """The text with a letter in the place of every mark, and of the two joiners, for patterns such as ``\\w+``."""
    return "".join("x" if unicodedata.category(one)[0] == "M" or one in _JOINERS else one for one in text)
