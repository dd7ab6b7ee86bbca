"""Words and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError, suggestion

PADDING = 0
"""The number of the word that fills sentences up; its vector is zero."""


class Vocabulary:
    """A tokenizer and the words it has met, numbered from 1 in order of first appearance; number 0 is padding."""

    def __init__(self, settings: TokenizerSettings, words: Iterable[str] = ()) -> None:
        self.settings = settings
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
        """The words of a statement or question."""
        text = text.lower() if self.settings.lowercase else text
        return [found.group() for found in self._pattern.finditer(text) if found.group()]

    def answer_token(self, answer: str) -> str:
        """The class of an answer: several words joined by commas are one class (tasks 8 and 19)."""
        return answer.lower() if self.settings.lowercase else answer

    def numbers_of(self, text: str) -> list[int]:
        """The numbers of the words of a text typed by a person.

        Raises:
            RequestError: it has words that are not known; names them, with what may have been meant.
        """
        tokens = self.tokens(text)
        unknown = dict.fromkeys(token for token in tokens if token not in self)
        if unknown:
            named = ", ".join(f"{word!r}{suggestion(word, self._numbers)}" for word in unknown)
            raise RequestError(f"unknown to this network, which knows {len(self) - 1} words: {named}")
        return [self._numbers[token] for token in tokens]

    def as_json(self) -> dict[str, Any]:
        """What `from_json` needs to build this vocabulary again."""
        return {"tokenizer": vars(self.settings), "words": self.words[1:]}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `as_json` described."""
        return cls(TokenizerSettings(**saved["tokenizer"]), saved["words"])
