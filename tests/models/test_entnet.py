"""The Recurrent Entity Network against its paper: the equations written plainly, gradients, what it may not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from babi_memnet.errors import RequestError
from babi_memnet.models.entity_memory import Telling, write
from babi_memnet.models.entnet import EntNet, Settings
from babi_memnet.models.network import Batch, Shape, StoryBatch

SHAPE = Shape(words=9, slots=5, positions=3)
OPTIONS: list[dict[str, Any]] = [{}, {"biases": False}, {"keys": "words"}, {"slots": 2}]


def network(seed: int = 0, **changes: Any) -> EntNet:
    """A small one whose slopes and masks are those of a trained one: not 1."""
    model = EntNet(Settings(**{"dimension": 6, "slots": 4, "initial_deviation": 0.7, **changes}), SHAPE)
    generator = np.random.default_rng(seed)
    model.initialise(generator)
    with torch.no_grad():
        for values in (model.slopes, model.question_mask):
            values.copy_(torch.from_numpy(generator.standard_normal(tuple(values.shape), dtype=np.float32)))
    return model


def stories(seed: int = 0) -> StoryBatch:
    """Two stories, of five statements and of three, with three questions each; shorter sentences among them."""
    generator = np.random.default_rng(seed)
    statements = generator.integers(1, SHAPE.words, (2, 5, 3))
    statements[:, 1, 2] = 0
    statements[1, 3:] = 0
    questions = generator.integers(1, SHAPE.words, (2, 3, 3))
    asked = np.array([[0, 2, 5], [1, 2, 3]])
    return StoryBatch(*(torch.from_numpy(array) for array in (statements, np.array([5, 3]), questions, asked)))


def single(batch: StoryBatch) -> Batch:
    """Each question with what was told before it, the latest first."""
    questions = batch.questions.flatten(0, 1)
    counts = batch.asked.flatten()
    words = torch.zeros(len(counts), SHAPE.slots, SHAPE.positions, dtype=torch.int64)
    for place, count in enumerate(counts.tolist()):
        words[place, :count] = batch.statements[place // batch.questions.shape[1], :count].flip(0)
    return Batch(words, torch.arange(SHAPE.slots).expand(len(counts), -1), counts, questions)


def plain_answer(
    model: EntNet, story: list[list[int]], question: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits for one question, in loops, with the gates [T, S] and what share of each slot is read [S]."""
    own = {name: values.detach().numpy().astype(float) for name, values in model.named_parameters()}
    e, a = own["words"], own["slopes"]
    keys = own.get("free_keys", e[1:])
    gate_bias, candidate_bias = own.get("gate_bias", np.zeros(len(keys))), own.get("candidate_bias", 0.0)

    def phi(x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, a * x)

    def encoded(words: list[int], mask: np.ndarray) -> np.ndarray:
        return sum((mask[place] * e[word] for place, word in enumerate(words)), np.zeros(e.shape[1]))

    h = [key.copy() for key in keys]
    gates = []
    for statement in story:
        s = encoded(statement, own["statement_mask"])
        opened = []
        for j, w in enumerate(keys):
            gate = 1 / (1 + np.exp(-(s @ h[j] + s @ w + gate_bias[j])))
            candidate = phi(
                own["from_content"] @ h[j] + own["from_key"] @ w + own["from_statement"] @ s + candidate_bias
            )
            h[j] = h[j] + gate * candidate
            h[j] = h[j] / np.sqrt(h[j] @ h[j])
            opened.append(gate)
        gates.append(opened)
    q = encoded(question, own["question_mask"])
    matches = np.array([q @ slot for slot in h])
    p = np.exp(matches) / np.exp(matches).sum()
    u = sum(share * slot for share, slot in zip(p, h, strict=True))
    return own["answers"] @ phi(q + own["from_memory"] @ u), np.array(gates).reshape(-1, len(keys)), p


def told(batch: StoryBatch, story: int, question: int) -> tuple[list[list[int]], list[int]]:
    return batch.statements[story, : batch.asked[story, question]].tolist(), batch.questions[story, question].tolist()


@pytest.mark.parametrize("options", OPTIONS)
def test_the_network_computes_the_equations_of_the_paper(options: dict[str, Any]):
    model, batch = network(**options), stories()
    logits = model(batch).detach().numpy()
    assert (logits[..., 0] == -np.inf).all(), "padding is no answer"
    for story, question in np.ndindex(2, 3):
        expected, _, _ = plain_answer(model, *told(batch, story, question))
        np.testing.assert_allclose(logits[story, question, 1:], expected[1:], rtol=1e-3, atol=1e-4)


def test_the_gradients_of_the_memory_are_those_of_its_equations():
    """Against finite differences, for every number it depends on; one story ends before the other."""
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()

    steps, two, slots, d = 3, 2, 2, 3
    ends = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    telling = Telling(
        statements=drawn(steps, two, d),
        gate_terms=drawn(steps, two, slots),
        candidate_terms=drawn(steps, two, d),
        told=ends,
        start=drawn(slots, d),
        slot_terms=drawn(slots, d),
        from_content=drawn(d, d),
        slopes=drawn(d),
    )
    assert torch.autograd.gradcheck(lambda *tensors: write(Telling(*tensors)).contents, tuple(telling))


@pytest.mark.parametrize("options", OPTIONS)
def test_a_whole_story_is_answered_as_its_questions_one_by_one(options: dict[str, Any]):
    model, batch = network(**options), stories()
    torch.testing.assert_close(model(batch).flatten(0, 1), model(StoryBatch.of(single(batch)))[:, 0])


def test_what_is_told_later_changes_no_answer():
    model, batch = network(), stories()
    before = model(batch)
    batch.statements[0, 2:] = 1
    after = model(batch)
    torch.testing.assert_close(after[0, :2], before[0, :2])
    assert not torch.allclose(after[0, 2], before[0, 2])


def test_padding_changes_no_answer():
    model, batch = network(), stories()
    padded = batch._replace(statements=torch.nn.functional.pad(batch.statements, (0, 0, 0, 3)))
    torch.testing.assert_close(model(padded), model(batch))


def test_slots_are_of_length_one_and_gates_shut_where_nothing_is_told():
    batch = stories()
    written = network().remember(batch)
    torch.testing.assert_close(written.contents[1:].norm(dim=-1), torch.ones(5, 2, 4))
    assert ((written.gates[:3] > 0) & (written.gates[:3] < 1)).all()
    assert not written.gates[3:, 1].any()
    torch.testing.assert_close(written.contents[3, 1], written.contents[5, 1])


def test_the_trace_shows_the_gates_of_the_slots_that_are_read():
    model, batch = network(), stories()
    asked = single(batch)
    trace = model.trace(asked)
    torch.testing.assert_close(trace.logits, model(batch).flatten(0, 1))
    together, *by_slot = trace.steps
    for place in range(6):
        _, gates, shares = plain_answer(model, *told(batch, place // 3, place % 3))
        latest_first = np.zeros((4, SHAPE.slots))
        latest_first[:, : len(gates)] = gates[::-1].T
        np.testing.assert_allclose(together.weights[place].detach(), shares @ latest_first, rtol=1e-3, atol=1e-5)
        for step, slot in zip(by_slot, np.argsort(-shares), strict=False):
            np.testing.assert_allclose(step.weights[place].detach(), latest_first[slot], rtol=1e-3, atol=1e-5)
    assert [step.name for step in by_slot] == ["slot read most", "slot read second", "slot read third"]
    assert trace.start is not None
    assert together.state is not None
    torch.testing.assert_close((together.state @ model.answer_vectors().T)[:, 1:], trace.logits[:, 1:])


def test_the_only_slot_answers_alone():
    """With one slot, what would be answered if it were all that is read is what is answered."""
    together, alone = network(slots=1).trace(single(stories())).steps
    torch.testing.assert_close(alone.state, together.state)


def test_initial_values_follow_the_paper_and_the_padding_word_is_zero():
    model = EntNet(Settings(), Shape(words=60, slots=20, positions=12))
    model.initialise(np.random.default_rng(0))
    ones = {"slopes", "question_mask"}
    assert all((values == 1).all() for name, values in model.named_parameters() if name in ones)
    drawn = {name: values for name, values in model.named_parameters() if name not in ones}
    assert not drawn["words"][0].any()
    assert not drawn["answers"][0].any()
    for name, values in drawn.items():
        used = values[1:] if name in ("words", "answers") else values
        assert used.std().item() == pytest.approx(0.1, rel=0.5 if used.numel() < 100 else 0.15), name
    assert set(drawn) == {
        *("words", "statement_mask", "free_keys", "from_content", "from_key", "from_statement"),
        *("gate_bias", "candidate_bias", "from_memory", "answers"),
    }


def test_tied_keys_are_the_words():
    model = network(keys="words")
    assert torch.equal(model.keys, model.words[1:])
    assert model.settings.settled(joint=False) == Settings(dimension=6, keys="words", initial_deviation=0.7), (
        "a number of slots makes no other network"
    )
    assert network().settings.settled(joint=False) == network().settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dimension", 0),
        ("slots", 0),
        ("keys", "letters"),
        ("memory_size", 0),
        ("initial_deviation", 0.0),
    ],
)
def test_bad_settings_are_refused_by_name(key: str, value: object):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
