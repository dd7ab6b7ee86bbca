"""The network that is given facts, against its equations in loops over facts, and against reading them when asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.errors import RequestError
from babi_memnet.models.memnn import Match, MemNN, Settings, _another
from babi_memnet.models.network import Batch, Shape

SHAPE = Shape(words=9, slots=5, positions=4)
STOP = SHAPE.slots
VARIANTS = [
    {},
    {"wrong": "drawn"},
    {"ngrams": False, "nonlinear": False, "wrong": "drawn"},
    {"facts": 2, "adaptive": False, "ngrams": False, "nonlinear": False},
    {"facts": 3, "nonlinear": False},
]


def network(seed: int = 0, **changes: object) -> MemNN:
    """Large values, so that it picks one thing and another."""
    settings = Settings(**{"dimension": 6, "buckets": 1009, "facts": 4, "initial_deviation": 0.6, **changes})
    model = MemNN(settings, SHAPE)
    model.initialise(np.random.default_rng(seed))
    return model


def questions(number: int = 12, seed: int = 1) -> Batch:
    drawn = np.random.default_rng(seed)
    counts = drawn.integers(0, SHAPE.slots + 1, number)
    words = drawn.integers(1, SHAPE.words, (number, SHAPE.slots, SHAPE.positions))
    words[np.arange(SHAPE.positions) >= drawn.integers(1, SHAPE.positions + 1, (number, SHAPE.slots, 1))] = 0
    words[np.arange(SHAPE.slots) >= counts[:, None]] = 0
    supporting = np.full((number, 3), -1)
    for row, count in zip(supporting, counts, strict=True):
        facts = drawn.integers(0, max(1, count), min(int(count), drawn.integers(0, 4)))
        row[: len(facts)] = facts
    ages = torch.arange(SHAPE.slots).expand(number, -1)
    asked = torch.from_numpy(drawn.integers(1, SHAPE.words, (number, SHAPE.positions)))
    noise = torch.from_numpy(drawn.random((number, 20), dtype=np.float32))
    words, counts = torch.from_numpy(words), torch.from_numpy(counts)
    return Batch(words, ages, counts, asked, noise, torch.from_numpy(supporting))


class Plain:
    """The equations for one story, in words and numpy. A fact is its slot; STOP is one too; an older slot is larger."""

    def __init__(self, model: MemNN, story: list[list[int]], question: list[int]) -> None:
        self.settings, self.story, self.question = model.settings, story, question
        self.values = {name: tensor.detach().numpy().astype(float) for name, tensor in model.named_parameters()}

    def total(self, match: str, role: str, words: list[int]) -> np.ndarray:
        table, V = self.values[f"{match}.{role}"], SHAPE.words
        found = list(words)
        if self.settings.ngrams:
            for length in (2, 3):
                for start in range(len(words) - length + 1):
                    code = sum(word * V**place for place, word in enumerate(words[start : start + length][::-1]))
                    found.append(V + code % self.settings.buckets)
        return sum((table[feature] for feature in found), np.zeros(self.settings.dimension))

    def E(self, match: str, total: np.ndarray) -> np.ndarray:
        if not self.settings.nonlinear:
            return total
        return np.tanh(self.values[f"{match}.mix"] @ np.tanh(total))

    def x(self, match: str, facts: list[int]) -> np.ndarray:
        total = self.total(match, "asked", self.question)
        for place, fact in enumerate(facts):
            role = "latest" if place + 1 == len(facts) else "picked"
            total = total + self.total(match, role, self.story[fact])
        return self.E(match, total)

    def y(self, fact: int) -> np.ndarray:
        total = self.values["stop"] if fact == STOP else self.total("fact", "candidate", self.story[fact])
        return self.E("fact", total)

    def s(self, facts: list[int], y: int, z: int) -> float:
        """s(x, y, z) of section 3.4: above 0 where y is preferred."""

        def older(a: int | None, b: int) -> float:
            return float(a is not None and STOP not in (a, b) and a > b)

        last = facts[-1] if facts else None
        time = np.array([older(last, y), older(last, z), older(y, z)]) @ self.values["time"]
        return float(self.x("fact", facts) @ (self.y(y) - self.y(z) + time))

    def chain(self) -> list[int]:
        facts: list[int] = []
        while self.story and len(facts) < self.settings.facts:
            best = len(self.story) - 1  # the earliest
            for slot in reversed(range(len(self.story) - 1)):
                if not self.s(facts, best, slot) > 0:
                    best = slot
            if self.settings.adaptive and not self.s(facts, best, STOP) > 0:
                break
            facts.append(best)
        return facts

    def scores(self, facts: list[int]) -> np.ndarray:
        words = np.stack([self.E("answer", vector) for vector in self.values["answer.candidate"]])
        return words @ self.x("answer", facts)


def plain(model: MemNN, batch: Batch, place: int) -> Plain:
    def real(words: torch.Tensor) -> list[int]:
        return [word for word in words.tolist() if word]

    story = [real(statement) for statement in batch.words[place, : int(batch.counts[place])]]
    return Plain(model, story, real(batch.questions[place]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_network_picks_and_answers_as_the_equations_say(variant):
    lengths = set()
    for seed in range(4):
        model, batch = network(seed, **variant), questions()
        trace = model.trace(batch)
        torch.testing.assert_close(trace.logits, model(batch))
        for place in range(len(batch.counts)):
            one = plain(model, batch, place)
            facts = one.chain()
            lengths.add(len(facts))
            picks = [int(step.weights[place].argmax()) for step in trace.steps]
            assert picks == facts + [STOP] * (model.settings.facts - len(facts))
            if model.settings.adaptive:
                ends = [float(step.answers[place]) for step in trace.steps]
                assert ends == [float(pick == min(len(facts), len(picks) - 1)) for pick in range(len(picks))]
            np.testing.assert_allclose(trace.logits[place, 1:].detach(), one.scores(facts)[1:], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(trace.steps[-1].state[place].detach(), one.x("answer", facts), atol=1e-5)
    assert len(lengths) > 1, "some chains are longer than others"


def some(wrong: list[int], model: MemNN, batch: Batch, place: int, number: int) -> list[int]:
    """All, or the one that the random number stands for."""
    if model.settings.wrong == "all" or not wrong:
        return wrong
    return [wrong[int(float(batch.noise[place, number]) * len(wrong))]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_is_the_margin_ranking_loss_of_the_facts_given(variant):
    model, batch = network(**variant), questions()
    answers = torch.from_numpy(np.random.default_rng(2).integers(1, SHAPE.words, len(batch.counts)))
    found = model.loss(batch, answers)
    margin, most, adaptive = model.settings.margin, model.settings.facts, model.settings.adaptive
    for place, facts in enumerate(batch.supporting.tolist()):
        one, facts = plain(model, batch, place), [fact for fact in facts if fact >= 0]
        count = len(one.story)
        chain = [*facts, *[STOP] * bool(facts)] if adaptive else [*facts, *facts[-1:] * most][:most]
        expected = 0.0
        for hop, right in enumerate(chain):
            others = [fact for fact in [*range(count), *[STOP] * adaptive] if fact != right]
            for wrong in some(others, model, batch, place, hop):
                expected += max(0, margin - one.s(chain[:hop], right, wrong))
                expected += max(0, margin + one.s(chain[:hop], wrong, right))
        scores, answer = one.scores(facts if adaptive else chain), int(answers[place])
        words = [word for word in range(1, SHAPE.words) if word != answer]
        for wrong in some(words, model, batch, place, -1):
            expected += max(0, margin - scores[answer] + scores[wrong])
        assert found.losses[place].item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(found.logits[place, 1:].detach(), scores[1:], rtol=1e-4, atol=1e-5)


def test_nothing_but_the_text_is_used_when_it_is_asked():
    model, batch = network(), questions()
    other = batch._replace(supporting=batch.supporting.flip(0), noise=batch.noise.flip(0))
    bare = batch._replace(supporting=None, noise=None)
    for one in (other, bare):
        assert torch.equal(model(one), model(batch))
        for step, same in zip(model.trace(one).steps, model.trace(batch).steps, strict=True):
            assert torch.equal(step.weights, same.weights)
    answers = torch.ones(len(batch.counts), dtype=torch.int64)
    with pytest.raises(ValueError, match="learns from supporting facts"):
        model.loss(bare, answers)
    with pytest.raises(ValueError, match="random numbers"):
        network(wrong="drawn").loss(batch._replace(noise=None), answers)
    with pytest.raises(RequestError, match=r"^training\.label_smoothing=0\.1: expected 0 with memnn"):
        model.loss(batch, answers, label_smoothing=0.1)


def test_padding_and_empty_slots_mean_nothing():
    model, batch = network(), questions()
    dirty = batch.words.clone()
    dirty[~batch.told] = 3
    torch.testing.assert_close(model(batch._replace(words=dirty)), model(batch))
    padded = torch.nn.functional.pad(batch.words, (0, 2))
    torch.testing.assert_close(model(batch._replace(words=padded)), model(batch))
    for match in (model.fact, model.answer):
        assert not any(values[0].any() for values in (match.asked, match.picked, match.latest, match.candidate))


def test_of_two_facts_of_the_same_words_time_alone_decides():
    model, batch = network(ngrams=False, nonlinear=False, adaptive=False, facts=1), questions(1)
    words = torch.full((1, SHAPE.slots, SHAPE.positions), 2)
    batch = batch._replace(words=words, counts=torch.tensor([SHAPE.slots]))
    x = plain(model, batch, 0).x("fact", [])
    for sign, slot in ((1, SHAPE.slots - 1), (-1, 0)):
        with torch.no_grad():
            model.time[2] = sign * torch.from_numpy(x).float()  # being older is good, or bad
        assert int(model.trace(batch).steps[0].weights[0].argmax()) == slot


def test_every_wrong_fact_is_as_probable_as_any_other():
    right, counts = torch.tensor([[1]]).expand(30_000, 1), torch.full((30_000,), 3)
    noise = torch.from_numpy(np.random.default_rng(0).random((30_000, 1), dtype=np.float32))
    wrong, there = _another(right, counts, 5, True, noise)
    assert there.all()
    values, often = wrong.unique(return_counts=True)
    assert values.tolist() == [0, 2, 5]
    np.testing.assert_allclose(often, 10_000, atol=400)


def test_where_there_is_no_wrong_fact_there_is_nothing_to_rank():
    _, there = _another(torch.tensor([[0], [-1], [5]]), torch.tensor([1, 4, 0]), 5, False, torch.zeros(3, 1))
    assert there.flatten().tolist() == [False, False, False]


def test_both_sides_of_a_match_go_through_the_same_layers():
    match = Match(Settings(dimension=3, nonlinear=True), 4, 4)
    with torch.no_grad():
        match.initialise(np.random.default_rng(0), 0.5)
    total = torch.tensor([0.3, -2.0, 1.0])
    torch.testing.assert_close(match.embed(total), torch.tanh(match.mix @ torch.tanh(total)))


@pytest.mark.parametrize(
    ("key", "value"),
    [("wrong", "some"), ("facts", 0), ("dimension", 0), ("buckets", 0), ("margin", 0.0), ("initial_deviation", 0.0)],
)
def test_bad_settings_are_refused_by_name(key: str, value: float):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
