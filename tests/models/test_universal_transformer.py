"""The network against its paper: places that read each other, in loops; halting as its listing has it; the trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.errors import RequestError
from babi_memnet.models.network import Shape
from babi_memnet.models.universal_transformer import Settings, UniversalTransformer
from tests.models.test_qrn import QUESTIONS, STORIES, asked

SHAPE = Shape(words=9, slots=5, positions=4)
OPTIONS = [{}, {"adaptive": False}, {"heads": 1, "steps": 1}, {"heads": 4, "steps": 6}]


def network(seed: int = 0, **changes: object) -> UniversalTransformer:
    """A small one whose places halt here and there: some after a step, some never."""
    model = UniversalTransformer(
        Settings(**{"dimension": 8, "heads": 2, "hidden": 5, "steps": 4, "dropout": 0.0, **changes}), SHAPE
    )
    generator = np.random.default_rng(seed)
    model.initialise(generator)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if name != "words":
                values.add_(0.5 * torch.from_numpy(generator.standard_normal(tuple(values.shape))))
    return model


def normalised(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * weight + bias


def softmax(x: np.ndarray) -> np.ndarray:
    shares = np.exp(x - x.max())
    return shares / shares.sum()


def plain_answer(model: UniversalTransformer, story: list[list[int]], question: list[int]) -> tuple[np.ndarray, float]:
    """Logits for one question, place by place, and the mean of steps and remainders: the listing of appendix C."""
    settings, d = model.settings, model.settings.dimension
    value = {name: values.detach().numpy().astype(float) for name, values in model.named_parameters()}

    def wave(at: float) -> np.ndarray:
        rates = [10000 ** (-2 * j / d) for j in range(d // 2)]
        return np.array([np.sin(at * rate) for rate in rates] + [np.cos(at * rate) for rate in rates])

    def embed(words: list[int]) -> np.ndarray:
        parts = [value["mask"][j] * value["words"][word] for j, word in enumerate(words)]
        return np.sqrt(d) * np.sum(parts, axis=0)

    states = [embed(words) for words in [*story, question]]
    count, width = len(states), d // settings.heads
    halted, remainders, steps, final = np.zeros(count), np.zeros(count), np.zeros(count), [np.zeros(d)] * count
    for t in range(1, settings.steps + 1):
        taken = np.zeros(count)
        for i in range(count):
            if not settings.adaptive:
                taken[i] = 1
            elif halted[i] < 0.99:
                steps[i] += 1
                willing = 1 / (1 + np.exp(-(value["halting.weight"][0] @ states[i] + value["halting.bias"][0])))
                if halted[i] + willing > 0.99:
                    remainders[i] = willing = 1 - halted[i]
                taken[i] = willing
                halted[i] += willing
        x = [state + wave(i) + wave(t) for i, state in enumerate(states, start=1)]
        rewritten = []
        for i in range(count):
            read = []
            for head in range(settings.heads):
                own = slice(head * width, (head + 1) * width)
                q = value["query.weight"][own] @ x[i]
                shares = softmax(np.array([q @ (value["key.weight"][own] @ other) / np.sqrt(width) for other in x]))
                read.append(sum(s * (value["value.weight"][own] @ other) for s, other in zip(shares, x, strict=True)))
            a = normalised(
                x[i] + value["output.weight"] @ np.concatenate(read), value["read_norm.weight"], value["read_norm.bias"]
            )
            inner = np.maximum(value["inner.weight"] @ a + value["inner.bias"], 0)
            changed = value["outer.weight"] @ inner + value["outer.bias"]
            rewritten.append(normalised(a + changed, value["step_norm.weight"], value["step_norm.bias"]))
        states = rewritten
        final = [taken[i] * states[i] + (1 - taken[i]) * final[i] for i in range(count)]
    logits = value["answer.weight"] @ np.mean(final, axis=0) + value["answer.bias"]
    return logits, float(np.mean(steps + remainders))


@pytest.mark.parametrize("options", OPTIONS)
def test_the_network_computes_the_equations_of_the_paper(options: dict[str, object]):
    model, batch = network(**options), asked(STORIES, QUESTIONS)
    logits, walk = model(batch).detach().numpy(), model.walk(batch)
    for place, (story, question) in enumerate(zip(STORIES, QUESTIONS, strict=True)):
        expected, ponder = plain_answer(model, story, question)
        assert logits[place, 0] == -np.inf, "padding is no answer"
        np.testing.assert_allclose(logits[place, 1:], expected[1:], rtol=1e-3, atol=1e-4)
        assert walk.ponder[place].item() == pytest.approx(ponder, rel=1e-4, abs=1e-6)


def test_places_halt_at_different_steps():
    """Or the comparison above would show little: some places halt after the first step, some at the last or never."""
    walk = network(steps=6).walk(asked(STORIES, QUESTIONS))
    running = torch.stack(walk.running)
    assert running[0].eq(1).all()
    assert ((running[1:] > 0) & (running[1:] < 1)).any()
    assert (running[1:] <= running[:-1]).all()


def test_what_is_minimised_has_the_cost_of_steps_in_it():
    batch, answers = asked(STORIES, QUESTIONS), torch.tensor([1, 2, 3, 4])
    free, dear = (network(ponder_cost=cost) for cost in (0.0, 0.5))
    expected = free.loss(batch, answers).losses + 0.5 * free.walk(batch).ponder
    torch.testing.assert_close(dear.loss(batch, answers).losses, expected)
    fixed = network(adaptive=False)
    cost = fixed.cross_entropy(fixed(batch), answers)
    torch.testing.assert_close(fixed.loss(batch, answers).losses, cost)


@pytest.mark.parametrize("options", OPTIONS)
def test_empty_slots_and_what_stands_in_them_change_no_answer(options: dict[str, object]):
    model, batch = network(**options), asked(STORIES, QUESTIONS)
    before = model(batch)
    torch.testing.assert_close(model(asked(STORIES, QUESTIONS, slots=9)), before)
    empty = torch.where(batch.told.unsqueeze(-1), batch.words, 3)
    torch.testing.assert_close(model(batch._replace(words=empty)), before)


def test_dropout_leaves_out_while_training_and_never_else():
    """A share of the dimensions, by the numbers of the batch alone; what is left grows so that the mean stays."""
    model, batch = network(dropout=0.25), asked(STORIES, QUESTIONS)
    assert model.noise == (1 + 2 * 4) * 8
    torch.testing.assert_close(model(batch), network()(batch))
    nothing_out = batch._replace(noise=torch.full((4, model.noise), 0.25))
    kept = model._kept(nothing_out)
    assert kept.shape == (9, 4, 1, 8)
    torch.testing.assert_close(kept, torch.full_like(kept, 4 / 3))
    drawn = batch._replace(noise=torch.rand(4, model.noise, generator=torch.Generator().manual_seed(1)))
    share = (model._kept(drawn) == 0).float().mean().item()
    assert 0.1 < share < 0.4
    assert not torch.allclose(model(drawn), model(batch))
    torch.testing.assert_close(model(drawn), model(drawn))


def test_each_part_of_each_step_loses_by_dropout():
    """Words, then of every step what is read and the transition: without one of these all answers are others."""
    model, batch = network(dropout=0.25, adaptive=False), asked(STORIES[:2], QUESTIONS[:2])
    everything = torch.ones(2, 1 + 2 * 4, 8)
    whole = model(batch._replace(noise=everything.flatten(1)))
    for part in range(1 + 2 * 4):
        lacking = everything.clone()
        lacking[:, part] = 0
        changed = model(batch._replace(noise=lacking.flatten(1)))
        assert not torch.allclose(changed[:, 1:], whole[:, 1:], atol=1e-3), part


def test_a_trace_shows_what_is_read_and_how_many_think_on():
    model, batch = network(), asked(STORIES, QUESTIONS)
    trace, walk = model.trace(batch), model.walk(batch)
    torch.testing.assert_close(trace.logits, model(batch))
    assert [step.name for step in trace.steps] == [write.name for write in trace.writes]
    for number, (step, write) in enumerate(zip(trace.steps, trace.writes, strict=True)):
        torch.testing.assert_close(step.weights.sum(dim=-1), torch.ones(4))
        assert (step.weights[:, :-1][~batch.told] == 0).all()
        shares = write.weights.sum(dim=-1)[batch.told]
        assert (shares < 1 + 1e-6).all()
        assert (shares < 0.99).any(), "the question is read, too"
        assert (write.weights.transpose(-1, -2)[~batch.told] == 0).all()
        ((name, values),) = step.numbers
        assert "halted" in name
        torch.testing.assert_close(values, walk.running[number])
    answered = trace.steps[-1].state @ model.answer_vectors().T + model.answer.bias
    torch.testing.assert_close(answered[:, 1:], trace.logits[:, 1:])


def test_the_order_of_statements_matters():
    model = network()
    told = model(asked([STORIES[0], STORIES[0][::-1]], [QUESTIONS[0]] * 2))
    assert not torch.allclose(told[0, 1:], told[1, 1:])


def test_a_network_is_born_as_the_released_code_has_it():
    model = UniversalTransformer(Settings(), Shape(words=400, slots=5, positions=4))
    model.initialise(np.random.default_rng(0))
    assert (model.mask == 1).all()
    assert (model.words[0] == 0).all()
    assert model.words[1:].std().item() == pytest.approx(128**-0.5, rel=0.02)
    assert model.halting is not None
    assert (model.halting.bias == 1).all()
    assert (model.inner.bias == 0).all()
    assert model.inner.weight.abs().max().item() == pytest.approx((6 / (128 + 512)) ** 0.5, rel=0.001)
    assert model.inner.weight.mean().abs() < 0.001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, r"^model\.steps=0: expected a whole number of at least 1"),
        ({"dimension": 12, "heads": 4}, r"^model\.dimension=12: expected a multiple of twice the heads, 8"),
        ({"dropout": 1.0}, r"^model\.dropout=1\.0: expected a share from 0 to below 1"),
        ({"ponder_cost": -0.1}, r"^model\.ponder_cost=-0\.1: expected a number of at least 0"),
    ],
)
def test_bad_settings_are_refused_by_name(changes: dict[str, object], message: str):
    with pytest.raises(RequestError, match=message):
        Settings(**changes)


def test_what_means_nothing_without_halting_makes_no_other_request():
    assert Settings(adaptive=False, ponder_cost=0.3).settled(joint=False) == Settings(adaptive=False)
    assert Settings(ponder_cost=0.3).settled(joint=False).ponder_cost == 0.3
