"""The N-gram classifier of Weston et al. (2015, arXiv 1502.05698, section 4), fitted by scikit-learn.

A story is the bag of the n-grams of those statements that share a word with the question; the answer is a linear
function of it. The question itself is not part of the bag.

Legend: B batch, M memory slots, J words of the longest sentence, G n-grams of a sentence, F n-grams known, V words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from babi_memnet.models.grams import grams
from babi_memnet.models.network import Batch, Network, Shape, Step, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings

_NEVER_MET = -20.0
"""The logit of an answer that no training question has; of those that some have, the best is above 0."""


@dataclass
class Settings(NetworkSettings):
    """A linear classifier of n-grams (Weston et al. 2015, section 4).

    Attributes:
        longest: the words of the longest n-grams, 1 to 3; the paper has bags of 1- to 3-grams elsewhere.
        inverse_penalty: scikit-learn's ``C``: the larger, the less large weights cost.
    """

    name: str = "ngram"
    longest: int = 3
    inverse_penalty: float = 1.0

    fitted = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "longest", most=3)
        self.expect_above_zero("inverse_penalty")


class NGram(Network):
    """Logistic regression. What it knows has the size of what it was fitted to: none before."""

    settings: Settings
    one_by_one = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        self.known = nn.Parameter(torch.zeros(0, dtype=torch.int64), requires_grad=False)  # [F] in increasing order
        self.weights = nn.Parameter(torch.zeros(0, shape.words), requires_grad=False)  # [F, V]
        self.bias = nn.Parameter(torch.zeros(shape.words), requires_grad=False)

    def initialise(self, generator: np.random.Generator) -> None:
        """Nothing is drawn: the best weights are the same wherever one begins."""

    def fit(self, asked: Iterable[tuple[Batch, Tensor]], generator: np.random.Generator) -> None:
        """The weights that make the training answers most probable, less a penalty for large ones."""
        # Takes long to import, and is needed here alone.
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        texts: list[list[int]] = []
        right: list[int] = []
        for batch, answers in asked:
            texts += [found[found > 0].tolist() for found in self._heard(batch).flatten(1)]
            right += answers.tolist()
        classes = sorted(set(right))
        counts = np.array([right.count(answer) for answer in classes])
        # Where there is nothing to tell answers apart, how often they are right decides.
        known, weights, bias = [], np.zeros((0, len(classes))), np.log(counts / counts.max())
        if len(classes) > 1 and any(texts):
            vectoriser = CountVectorizer(analyzer=list)  # the texts are n-grams already
            bags = vectoriser.fit_transform(texts)
            known = vectoriser.get_feature_names_out().tolist()
            classifier = LogisticRegression(C=self.settings.inverse_penalty, max_iter=10_000).fit(bags, right)
            weights, bias = classifier.coef_.T, classifier.intercept_
            if len(classes) == 2:  # of two answers the weights are those of the second
                weights, bias = np.concatenate([-weights, weights], axis=1) / 2, np.array([-bias[0], bias[0]]) / 2
        self.known.data = torch.tensor(known, dtype=torch.int64)
        self.weights.data = torch.zeros(len(known), self.shape.words)
        self.bias.data = torch.full((self.shape.words,), _NEVER_MET)
        self.weights[:, classes] = torch.from_numpy(weights).float()
        self.bias[classes] = torch.from_numpy(bias).float()

    def forward(self, batch: Batch) -> Tensor:
        """The logits [B, V]."""
        return no_padding(self.bias + self._evidence(batch).sum(dim=1))

    def trace(self, batch: Batch) -> Trace:
        """One step: what each statement adds to the logit of the answer, which begins with its bias."""
        evidence = self._evidence(batch)
        logits = no_padding(self.bias + evidence.sum(dim=1))
        chosen = logits.argmax(dim=-1).view(-1, 1, 1).expand(-1, evidence.shape[1], 1)
        weights = evidence.gather(-1, chosen).squeeze(-1)
        return Trace(logits, (Step("evidence of each statement", weights, unit="nats"),))

    def _heard(self, batch: Batch) -> Tensor:
        """The n-grams of the statements that share a word with the question, [B, M, G]; 0 for none."""
        same = batch.words.unsqueeze(-1) == batch.questions[:, None, None, :]  # [B, M, J, J]
        shares = (same & (batch.words > 0).unsqueeze(-1)).flatten(2).any(dim=-1) & batch.told
        return grams(batch.words, self.shape.words, self.settings.longest) * shares.unsqueeze(-1)

    def _evidence(self, batch: Batch) -> Tensor:
        """What each statement adds to the logits, [B, M, V]."""
        found = self._heard(batch)
        if not len(self.known):
            return self.bias.new_zeros(*found.shape[:2], self.shape.words)
        places = torch.searchsorted(self.known, found).clamp(max=len(self.known) - 1)
        there = self.known[places] == found  # n-grams of the test stories may be new
        evidence = self.bias.new_zeros(*found.shape[:2], self.shape.words)
        for place, is_known in zip(places.unbind(-1), there.unbind(-1), strict=True):  # all at once is much memory
            evidence += self.weights[place] * is_known.unsqueeze(-1)
        return evidence
