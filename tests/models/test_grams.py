"""The n-grams of sentences as numbers, against lists of words."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from babi_memnet.models.grams import grams


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(1, 4))
@settings(deadline=None)
def test_numbers_are_the_runs_of_words(words: list[int], longest: int):
    expected = []
    for length in range(1, min(longest, len(words)) + 1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            expected.append(0 if 0 in run else sum(word * 7**place for place, word in enumerate(reversed(run))))
    assert grams(torch.tensor([words]), 7, longest).tolist() == [expected]
