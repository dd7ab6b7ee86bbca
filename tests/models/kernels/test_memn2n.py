"""The fused kernels compute what the equations say: values and gradients, over shapes, paddings and options."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.kernels import kernel_of, lanes, memn2n_steps
from babi_memnet.models.kernels.memn2n import Kernels
from babi_memnet.models.kernels.sentences import different_sentences, stories_of
from babi_memnet.models.memn2n import MemN2N, Settings
from babi_memnet.models.network import Batch, Shape
from tests.models.kernels.digest import digest

ROOT = Path(__file__).parents[3]
DIGEST = "a0d8da91f864135fe392210ebd3a32354ea225d55ea4e33238e50f2fb83aa5d3"
"""Of losses, parameters and answers of nineteen short runs; a new one needs a new revision in `babi_memnet.request`."""


def random_questions(generator: np.random.Generator, number: int, slots: int, positions: int, words: int) -> Questions:
    """Questions with stories and sentences of every length, the empty ones included."""
    counts = generator.integers(0, slots + 1, number).astype(np.uint32)
    lengths = generator.integers(0, positions + 1, (number, slots))
    lengths[np.arange(slots) >= counts[:, None]] = 0
    told = generator.integers(1, words, (number, slots, positions))
    told[np.arange(positions) >= lengths[..., None]] = 0
    asked = generator.integers(1, words, (number, positions))
    asked[np.arange(positions) >= generator.integers(0, positions + 1, number)[:, None]] = 0
    return Questions(
        words=told.astype(np.uint16),
        counts=counts,
        questions=asked.astype(np.uint16),
        answers=generator.integers(1, words, number).astype(np.uint32),
        tasks=np.ones(number, dtype=np.int16),
    )


def as_batch(questions: Questions, ages: np.ndarray) -> Batch:
    arrays = (questions.words, ages, questions.counts, questions.questions)
    return Batch(*(torch.from_numpy(array.astype(np.int64)) for array in arrays))


def drawn(settings: Settings, shape: Shape, generator: np.random.Generator, linear: bool = False) -> MemN2N:
    model = MemN2N(settings, shape)
    model.initialise(generator)
    model.linear = linear
    return model


def kernels_of(model: MemN2N) -> tuple[Kernels, dict[str, torch.Tensor]]:
    """The kernels of a single restart, and the parameters that they train."""
    parameters = {name: values.detach()[None].clone() for name, values in model.named_parameters()}
    (kernels,) = Kernels.of(model, parameters)
    return kernels, parameters


architectures = st.fixed_dictionaries(
    {
        "dimension": st.integers(1, 9),
        "hops": st.integers(1, 4),
        "encoding": st.sampled_from(["position", "bag_of_words"]),
        "tying": st.sampled_from(["adjacent", "layerwise", "untied"]),
        "nonlinearity": st.sampled_from(["none", "relu"]),
        "time_encoding": st.booleans(),
        "empty_slots": st.sampled_from(["attended", "masked"]),
        "initial_deviation": st.sampled_from([0.1, 0.7]),
    }
)


@settings(max_examples=150, deadline=None)
@given(
    architecture=architectures,
    linear=st.booleans(),
    batch=st.integers(1, 7),
    slots=st.integers(1, 6),
    positions=st.integers(1, 5),
    words=st.integers(2, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_one_step_equals_the_equations(architecture, linear, batch, slots, positions, words, seed):
    generator = np.random.default_rng(seed)
    model = drawn(Settings(**architecture), Shape(words, slots, positions), generator, linear)
    questions = random_questions(generator, batch, slots, positions, words)
    ages = generator.permuted(np.tile(np.arange(slots, dtype=np.uint16), (batch, 1)), axis=1)
    order = np.arange(batch, dtype=np.uint32)[None]

    logits = model(as_batch(questions, ages))
    target = torch.from_numpy(questions.answers.astype(np.int64))
    expected_loss = torch.nn.functional.cross_entropy(logits, target, reduction="sum")
    expected_loss.backward()
    model.hold({name: values.grad for name, values in model.named_parameters()})

    kernels, parameters = kernels_of(model)
    loss, wrong = kernels.train_epoch(questions, order, ages[None], linear, 1.0, np.inf)

    assert loss == pytest.approx(expected_loss.item(), rel=1e-4, abs=1e-5)
    for name, start in model.named_parameters():
        np.testing.assert_allclose(
            (start.detach() - parameters[name][0]).numpy(),
            start.grad.numpy(),
            rtol=1e-3,
            atol=1e-4 * (1 + start.grad.abs().max().item()),
        )
    assert all((parameters[f"tables.{table}"][0, 0] == 0).all() for table in range(model.tying.count))
    best = logits.topk(min(2, words - 1)).values.detach()
    clear = (best[:, 0] - best[:, -1] > 1e-5) if words > 2 else torch.ones(batch, dtype=torch.bool)
    sure = (logits.argmax(dim=-1) != target)[clear].sum().item()
    assert sure <= wrong <= sure + (~clear).sum().item()


@settings(max_examples=50, deadline=None)
@given(architecture=architectures, linear=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_answers_and_loss_equal_the_equations(architecture, linear, seed):
    generator = np.random.default_rng(seed)
    model = drawn(Settings(**architecture), Shape(words=11, slots=5, positions=4), generator, linear)
    questions = random_questions(generator, 13, 5, 4, 11)
    with torch.no_grad():
        logits = model(as_batch(questions, np.tile(np.arange(5), (13, 1))))
    right = torch.from_numpy(questions.answers.astype(np.int64))
    expected_loss = torch.nn.functional.cross_entropy(logits, right, reduction="sum").item()
    kernels, _ = kernels_of(model)
    chosen, loss = kernels.evaluate(questions, linear)
    # Where two words score alike to rounding, either is right.
    best = logits.max(dim=-1).values
    assert torch.allclose(logits[torch.arange(13), torch.from_numpy(chosen.astype(np.int64))], best, atol=1e-5)
    assert loss == pytest.approx(expected_loss, rel=1e-4, abs=1e-4)


def test_kernels_are_for_exactly_one_class():
    class Gated(MemN2N):
        """What a subclass changes, the kernels would not know."""

    shape = Shape(words=5, slots=2, positions=2)
    assert kernel_of(MemN2N(Settings(dimension=3), shape)) is Kernels
    assert kernel_of(Gated(Settings(dimension=3), shape)) is None


def test_adding_padding_changes_nothing():
    generator = np.random.default_rng(3)
    settings_ = Settings(dimension=6, empty_slots="masked", encoding="bag_of_words", time_encoding=False)
    small = drawn(settings_, Shape(words=9, slots=4, positions=3), generator)
    wide = MemN2N(settings_, Shape(words=9, slots=7, positions=5))
    wide.load_state_dict(small.state_dict())
    questions = random_questions(generator, 10, 4, 3, 9)
    padded = Questions(
        words=np.pad(questions.words, ((0, 0), (0, 3), (0, 2))),
        counts=questions.counts,
        questions=np.pad(questions.questions, ((0, 0), (0, 2))),
        answers=questions.answers,
        tasks=questions.tasks,
    )
    with torch.no_grad():
        expected = small(as_batch(questions, np.zeros((10, 4))))
        found = wide(as_batch(padded, np.zeros((10, 7))))
    torch.testing.assert_close(found, expected)


def test_numbers_are_the_same_on_every_machine():
    """Compiled for whatever processor runs this, and computed by one thread and by two."""
    assert digest(1) == digest(2) == DIGEST


@pytest.mark.integration
@pytest.mark.parametrize("processor", ["nehalem", pytest.param("haswell", marks=pytest.mark.attack), "skylake-avx512"])
def test_numbers_do_not_depend_on_the_vectors_of_a_processor(processor: str, tmp_path: Path) -> None:
    if platform.machine() != "x86_64" or not has_vectors_of(processor):
        pytest.skip(f"this processor has not the vectors of a {processor}")
    variables = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.kernels.digest"],
        env={**os.environ, **variables},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[-1] == DIGEST


def has_vectors_of(processor: str) -> bool:
    """Whether this machine can run what is compiled for it."""
    needed = {"haswell": "avx2", "skylake-avx512": "avx512vl"}.get(processor, "sse4_2")
    return f" {needed} " in Path("/proc/cpuinfo").read_text()


def test_compiled_functions_are_compiled_anew_when_their_operations_change():
    digest_of_lanes = hashlib.sha256(Path(lanes.__file__).read_bytes()).hexdigest()
    assert digest_of_lanes[:10] == memn2n_steps.COMPILED_WITH


def test_exponentials_and_logarithms_are_right():
    @njit
    def exponentials(values):
        for i in range(len(values)):
            values[i] = lanes.exponential(values[i])

    x = np.linspace(-87, 88, 100_001, dtype=np.float32)
    found = x.copy()
    exponentials(found)
    assert np.abs(found / np.exp(x.astype(np.float64)) - 1).max() < 2.5e-7

    @njit
    def weigh(rows, count):
        lanes.weigh(rows, 0, np.float32(4), count)

    rows = np.full((1, 16), 3, np.float32)
    weigh(rows, 11)
    np.testing.assert_allclose(rows[0], [np.exp(-1)] * 11 + [0] * 5, rtol=3e-7)
    for value in (1.0, 1.5, 2.0, 7.25, 1e9, 3e38):
        assert memn2n_steps._log(np.float32(value)) == pytest.approx(np.log(np.float64(np.float32(value))), rel=1e-14)


def test_different_sentences_are_found_each_once():
    questions = random_questions(np.random.default_rng(0), 40, 6, 3, 5)
    sentences, told = different_sentences(questions.words, questions.counts)
    assert len({tuple(sentence) for sentence in sentences.tolist()}) == len(sentences)
    for n, count in enumerate(questions.counts):
        np.testing.assert_array_equal(sentences[told[n, :count]], questions.words[n, :count])
    assert stories_of(questions).told is stories_of(questions).told
    other = replace(questions, answers=questions.answers[::-1].copy())
    assert stories_of(other).told is stories_of(questions).told
    assert stories_of(other).answers is other.answers
    assert stories_of(questions.select(np.arange(3))).told.shape == (3, 6)
