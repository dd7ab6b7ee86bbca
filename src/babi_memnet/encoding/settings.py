"""Settings of tokenizer and vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass

from babi_memnet.errors import bad_value


@dataclass
class TokenizerSettings:
    """What a word is, and which words the network has vectors for.

    Attributes:
        pattern: regular expression of one word; the default takes runs of letters and digits and drops punctuation.
        lowercase: whether ``Mary`` and ``mary`` are one word, as in the released code.
        vocabulary: which texts give the words: ``train_and_test`` (as in the released code) or ``train`` alone. A test
            word that training never showed then has no vector and is left out.
        merge: whether words that always stand together in the training text are one word, ``went_back_to_the``.
    """

    pattern: str = r"\w+"
    lowercase: bool = True
    vocabulary: str = "train_and_test"
    merge: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise bad_value("tokenizer.pattern", self.pattern, f"a regular expression of one word ({error})") from None
        if self.vocabulary not in ("train_and_test", "train"):
            raise bad_value("tokenizer.vocabulary", self.vocabulary, "train_and_test or train")
