"""The writing memory network: its heads against loops, whole stories against single questions, what it may not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from babi_memnet.encoding.questions import Questions
from babi_memnet.encoding.stories import Stories
from babi_memnet.errors import RequestError
from babi_memnet.models.heads import content, walk_back
from babi_memnet.models.network import Batch, Shape, StoryBatch
from babi_memnet.models.writing_memory import BIRTHS, Settings, WritingMemory

SHAPE = Shape(words=12, slots=6, positions=3)


def network(seed: int = 0, **changes: object) -> WritingMemory:
    """A small one, drawn from a seed, whose recency heads stop now and then."""
    model = WritingMemory(Settings(**{"dimension": 8, "head_dimension": 4, "hidden": 16, **changes}), SHAPE)
    model.initialise(np.random.default_rng(seed))
    return model


def told(*, questions: int, seed: int = 0) -> Questions:
    """One story with so many questions, asked after each statement in turn."""
    drawn = np.random.default_rng(seed)
    statements = drawn.integers(1, SHAPE.words, size=(SHAPE.slots, SHAPE.positions))
    words = np.zeros((questions, SHAPE.slots, SHAPE.positions), dtype=np.uint16)
    counts = np.linspace(1, SHAPE.slots, questions).astype(np.uint16)
    for place, count in enumerate(counts):
        words[place, :count] = statements[:count][::-1]  # the latest first
    return Questions(
        words=words,
        counts=counts,
        questions=drawn.integers(1, SHAPE.words, size=(questions, SHAPE.positions)).astype(np.uint16),
        answers=drawn.integers(1, SHAPE.words, size=questions).astype(np.uint32),
        tasks=np.ones(questions, dtype=np.int16),
        forgotten=0,
        unknown=0,
    )


def whole(questions: Questions) -> StoryBatch:
    stories = Stories.of(questions)
    arrays = (stories.statements, stories.told, stories.questions, stories.asked)
    return StoryBatch(*(torch.from_numpy(array.astype(np.int64)) for array in arrays))


def single(questions: Questions) -> Batch:
    words, counts, asked = (
        torch.from_numpy(array.astype(np.int64)) for array in (questions.words, questions.counts, questions.questions)
    )
    return Batch(words, torch.arange(SHAPE.slots).expand(len(questions), -1), counts, asked)


@given(st.lists(st.tuples(st.floats(-8, 8), st.booleans()), max_size=7))
@settings(deadline=None)
def test_walking_back_stops_at_the_first_that_says_so(slots: list[tuple[float, bool]]):
    expected, passed = [0.0] * len(slots), 1.0
    for place in reversed(range(len(slots))):
        stop, seen = slots[place]
        if seen:
            chance = 1 / (1 + np.exp(-stop))
            expected[place] = passed * chance
            passed *= 1 - chance
    stops = torch.tensor([stop for stop, _ in slots], dtype=torch.float64)
    found = walk_back(stops, torch.tensor([seen for _, seen in slots], dtype=torch.bool))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def test_content_is_a_softmax_over_what_is_seen_and_nothing_where_nothing_is():
    matches = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    seen = torch.tensor([[True, True, False], [False, False, False]])
    e = float(np.e)
    expected = torch.tensor([[1 / (1 + e), e / (1 + e), 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(content(matches, seen), expected)


@pytest.mark.parametrize("birth", BIRTHS)
@pytest.mark.parametrize("changes", [{}, {"writes": 0}, {"recency_heads": 0}, {"content_heads": 0}, {"hops": 1}])
def test_a_whole_story_is_answered_as_its_questions_one_by_one(birth: str, changes: dict[str, int]):
    model, questions = network(birth=birth, **changes), told(questions=4)
    batch = whole(questions)
    assert batch.questions.shape[:2] == (1, 4), "one story"
    torch.testing.assert_close(model(batch)[0], model(StoryBatch.of(single(questions)))[:, 0])


def test_what_is_told_later_changes_no_answer():
    model, batch = network(), whole(told(questions=3))
    before = model(batch)
    batch.statements[0, int(batch.asked[0, 1]) :] = 1
    after = model(batch)
    torch.testing.assert_close(after[0, :2], before[0, :2])
    assert not torch.allclose(after[0, 2], before[0, 2])


def test_padding_changes_no_answer():
    model, batch = network(), whole(told(questions=2))
    padded = StoryBatch(
        torch.nn.functional.pad(batch.statements, (0, 0, 0, 3)), batch.told, batch.questions, batch.asked
    )
    torch.testing.assert_close(model(padded), model(batch))


def test_a_twin_is_found_by_what_it_looks_for_and_puts_back_what_it_took():
    hop = network(birth="twin").memories[0].reader
    assert torch.equal(hop.query.weight, hop.key.weight)
    assert torch.equal(hop.output.weight, hop.value.weight.T)
    born = [network(seed, birth="either").memories[0].reader for seed in range(8)]
    twins = {torch.equal(hop.query.weight, hop.key.weight) for hop in born}
    assert twins == {True, False}, "each restart draws"
    both = [memory.reader for memory in network(birth="both").memories]
    assert [torch.equal(hop.query.weight, hop.key.weight) for hop in both] == [True, False]


def test_in_orderless_dimensions_words_count_wherever_they_stand():
    for memory in network(orderless=0.5).memories:
        assert (memory.masks[..., :4] == 1).all()
        assert not (memory.masks[..., 4:] == 1).any()


def test_two_memories_answer_as_far_as_each_is_trusted():
    model, batch = network(birth="both"), whole(told(questions=2))
    with torch.no_grad():
        model.trust.fill_(2.0)
    share = float(torch.sigmoid(torch.tensor(2.0)))
    first, second = (torch.softmax(memory(batch).logits[..., 1:], dim=-1) for memory in model.memories)
    found = torch.softmax(model(batch), dim=-1)
    torch.testing.assert_close(found[..., 1:], share * first + (1 - share) * second)
    assert not found[..., 0].any()


def test_two_memories_learn_apart():
    """The gradient of each is that of its own answers; trust goes to the one that is right."""
    questions = told(questions=3)
    batch, answers = whole(questions), torch.from_numpy(questions.answers.astype(np.int64)).unsqueeze(0)
    model = network(birth="both")
    found = model.loss(batch, answers)
    said = torch.log_softmax(model(batch), dim=-1).gather(-1, answers.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(found.losses, -said)
    found.losses.sum().backward()
    costs = []
    for memory in model.memories:
        learned = [values for values in memory.parameters() if values.grad is not None]
        logits = memory(batch).logits
        cost = -torch.log_softmax(logits[..., 1:], dim=-1).gather(-1, answers.unsqueeze(-1) - 1).sum()
        for values, alone in zip(learned, torch.autograd.grad(cost, learned), strict=True):
            torch.testing.assert_close(values.grad, alone, rtol=1e-4, atol=1e-5)
        costs.append(cost.item())
    assert (model.trust.grad < 0) == (costs[0] < costs[1]), "less cost, more trust"


@pytest.mark.parametrize(("birth", "owners"), [("plain", [""]), ("both", ["twin ", "plain "])])
def test_the_trace_is_the_way_to_the_answer(birth: str, owners: list[str]):
    """Its logits are those of the network; weights stand at the slots they were given to, whose order is another."""
    model, questions = network(hops=3, birth=birth), told(questions=4)
    batch = single(questions)
    trace = model.trace(batch)
    torch.testing.assert_close(trace.logits, model(StoryBatch.of(batch))[:, 0])
    assert [step.name for step in trace.steps] == [f"{owner}hop {hop}" for owner in owners for hop in (1, 2, 3)]
    reads = [weights for memory in model.memories for weights in memory(whole(questions), visible=True).reads]
    for step, weights in zip(trace.steps, reads, strict=True):
        for place, count in enumerate(questions.counts.astype(int)):
            torch.testing.assert_close(step.weights[place, :count], weights.mean(dim=1)[0, place, :count].flip(0))
            assert not step.weights[place, count:-1].any()
        torch.testing.assert_close(step.weights.sum(dim=-1), torch.ones(4))  # the last is what stops nowhere
    for memory, step, logits in zip(
        model.memories,
        trace.steps[2::3],
        [memory(StoryBatch.of(batch)).logits for memory in model.memories],
        strict=True,
    ):  # after its last hop
        torch.testing.assert_close(logits[:, 0], step.state @ model.answer_vectors().T + memory.answer.bias)


def test_a_checkpoint_of_one_memory_without_a_name_is_understood():
    model = network(birth="plain")
    earlier = {name.removeprefix("memories.0."): values.numpy() for name, values in model.state_dict().items()}
    assert model.upgrade(earlier).keys() == model.state_dict().keys()
    assert model.upgrade(model.upgrade(earlier)).keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"birth": "old"}, r"^model\.birth=old: expected plain or twin or either or both$"),
        ({"content_heads": 0, "recency_heads": 0}, r"^model\.heads=0: expected a whole number of at least 1$"),
        ({"orderless": 1.5}, r"^model\.orderless=1\.5: expected a share from 0 to 1$"),
        ({"sharpness": 0}, r"^model\.sharpness=0: expected a number above 0$"),
    ],
)
def test_values_out_of_their_range_are_refused(changes: dict[str, object], line: str):
    with pytest.raises(RequestError, match=line):
        Settings(**changes)


def test_what_slots_read_of_each_other_stands_latest_first_on_both_sides():
    model, questions = network(writes=2), told(questions=4)
    trace = model.trace(single(questions))
    assert [write.name for write in trace.writes] == ["twin write 1", "twin write 2", "plain write 1", "plain write 2"]
    writes = [weights for memory in model.memories for weights in memory(whole(questions), visible=True).writes]
    for write, weights in zip(trace.writes, writes, strict=True):
        for place, count in enumerate(questions.counts.astype(int)):
            expected = weights.mean(dim=1)[0, :count, :count].flip(0, 1)
            torch.testing.assert_close(write.weights[place, :count, :count], expected)
            assert not write.weights[place, count:].any()
            assert not write.weights[place, :, count:].any()
    assert network(writes=0).trace(single(questions)).writes == ()


def test_questions_alone_are_answered_as_in_their_story():
    model, questions = network(), told(questions=4)
    torch.testing.assert_close(model.answer_alone(single(questions)), model(whole(questions))[0])
