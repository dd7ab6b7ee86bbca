"""The N-gram classifier against one made of strings, and what it hears, shows and keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from babi_memnet.encoding.questions import Columns, Questions, build_encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError
from babi_memnet.models.network import Batch, Shape
from babi_memnet.models.ngram import NGram, Settings
from babi_memnet.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from babi_memnet.training.engine import FittingEngine, make_engine
from babi_memnet.training.restarts import Restarts
from babi_memnet.training.sampling import restart_generator
from babi_memnet.training.settings import TrainingSettings

NAMES, PLACES = ("ann", "bob", "eve"), ("yard", "hall", "shed", "cave")


def stories(number: int, places: tuple[str, ...] = PLACES) -> Columns:
    """Who went where, and where the one asked for is: as often as not where he or she went last."""
    drawn = np.random.default_rng(0)
    columns: dict[str, list[object]] = {"task": [], "story": [], "question": [], "answer": []}
    for _ in range(number):
        story = [f"{drawn.choice(NAMES)} went to the {drawn.choice(places)}." for _ in range(drawn.integers(1, 6))]
        columns["task"].append(1)
        columns["story"].append(story)
        columns["question"].append(f"where is {drawn.choice(NAMES)}?")
        columns["answer"].append(str(drawn.choice([story[-1].split()[-1].rstrip("."), drawn.choice(places)])))
    return columns


def encoded(columns: Columns) -> tuple[Questions, Shape, list[str]]:
    encoder = build_encoder(TokenizerSettings(), columns, columns, None)
    return encoder.encode(columns), Shape.of(encoder), encoder.vocabulary.words


def batch_of(questions: Questions) -> tuple[Batch, torch.Tensor]:
    words, counts, asked, answers = (
        torch.from_numpy(values.astype(np.int64))
        for values in (questions.words, questions.counts, questions.questions, questions.answers)
    )
    return Batch(words, torch.arange(words.shape[1]).expand(len(words), -1), counts, asked), answers


def fitted(columns: Columns, **changes: object) -> tuple[NGram, Batch, list[str]]:
    questions, shape, words = encoded(columns)
    model = NGram(Settings(**changes), shape)
    batch, answers = batch_of(questions)
    halves = [(Batch(*(v[part] for v in batch[:4])), answers[part]) for part in (slice(30), slice(30, None))]
    model.fit(halves, np.random.default_rng(0))
    return model, batch, words


@pytest.mark.parametrize("places", [PLACES, PLACES[:2]], ids=["four answers", "two answers"])
@pytest.mark.parametrize("longest", [1, 3])
def test_it_is_logistic_regression_on_the_ngrams_of_what_shares_a_word_with_the_question(longest, places):
    columns = stories(60, places)
    model, batch, words = fitted(columns, longest=longest, inverse_penalty=0.3)
    texts = []
    for story, question in zip(columns["story"], columns["question"], strict=True):
        heard = [told for told in story if question.split()[-1].rstrip("?") in told]
        texts.append([told.rstrip(".").split() for told in heard])

    def runs(text: list[list[str]]) -> list[str]:
        return [
            " ".join(told[start : start + length])
            for told in text
            for length in range(1, longest + 1)
            for start in range(len(told) - length + 1)
        ]

    bags = CountVectorizer(analyzer=runs).fit_transform(texts)
    plain = LogisticRegression(C=0.3, max_iter=10_000, tol=1e-8).fit(bags, columns["answer"])
    chances = torch.softmax(model(batch), dim=-1)[:, [words.index(answer) for answer in plain.classes_]]
    np.testing.assert_allclose(chances.numpy(), plain.predict_proba(bags), atol=2e-3)


def test_what_was_forgotten_or_shares_no_word_means_nothing():
    columns = stories(60)
    model, batch, words = fitted(columns)
    before = model(batch)
    dirty = batch.words.clone()
    dirty[~batch.told] = words.index("cave")
    assert torch.equal(model(batch._replace(words=dirty)), before)
    unheard = batch.words.clone()
    shares = batch.words.unsqueeze(-1) == batch.questions[:, None, None, :]
    silent = ~(shares & (batch.words > 0).unsqueeze(-1)).flatten(2).any(-1)
    assert (silent & batch.told).any()
    unheard[silent] = 0
    assert torch.equal(model(batch._replace(words=unheard)), before)


def test_the_trace_adds_up_to_the_answer():
    model, batch, _ = fitted(stories(60))
    trace = model.trace(batch)
    assert torch.equal(trace.logits, model(batch))
    chosen = trace.logits.argmax(dim=-1)
    found = trace.steps[0].weights.sum(dim=-1) + model.bias[chosen]
    torch.testing.assert_close(found, trace.logits.gather(1, chosen.unsqueeze(1)).squeeze(1))
    assert not trace.steps[0].weights[~batch.told].any()


def test_an_answer_that_was_never_right_is_never_given_and_costs_what_can_be_counted():
    model, batch, words = fitted(stories(60))
    logits = model(batch)
    assert set(logits.argmax(dim=-1).tolist()) <= {words.index(place) for place in PLACES}
    assert torch.isfinite(logits[:, 1:]).all()


@pytest.mark.parametrize("change", [{"answer": ["yard"] * 60}, {"question": ["who?"] * 60}])
def test_where_nothing_tells_answers_apart_the_most_frequent_one_is_given(change):
    columns = {**stories(60), **change}
    model, batch, words = fitted(columns)
    often = max(set(columns["answer"]), key=columns["answer"].count)
    assert set(model(batch).argmax(dim=-1).tolist()) == {words.index(often)}


def engine_of(questions: Questions, shape: Shape, settings: TrainingSettings) -> tuple[FittingEngine, list]:
    generators = [restart_generator(0, number) for number in settings.numbers]
    restarts = Restarts(NGram, Settings(), shape, generators, torch.device("cpu"))
    engine = make_engine("auto", restarts, questions, settings, 1)
    assert isinstance(engine, FittingEngine)
    return engine, generators


def test_its_engine_fits_it_once_and_a_checkpoint_brings_its_size_along(tmp_path: Path):
    from babi_memnet.training.schedule import schedule

    questions, shape, _ = encoded(stories(60))
    settings = TrainingSettings(restarts=2).in_one_go()
    (epoch,) = schedule(settings)
    engine, generators = engine_of(questions, shape, settings)
    shown = engine.train_epoch(generators, epoch, np.array([True, True]))
    found = engine.evaluate(questions)
    np.testing.assert_allclose(shown.wrong, (found.answers != questions.answers).mean(axis=1))
    assert shown.wrong[0] < 0.5
    save_checkpoint(tmp_path, Checkpoint(1, {name: value.numpy() for name, value in engine.tensors().items()}, {}))
    again, _ = engine_of(questions, shape, settings)
    saved = load_checkpoint(tmp_path)
    assert saved is not None
    again.restore({name: torch.from_numpy(np.array(values)) for name, values in saved.tensors.items()})
    np.testing.assert_array_equal(again.evaluate(questions).answers, found.answers)
    alone = NGram(Settings(), shape)
    alone.load({name: value[1] for name, value in engine.tensors().items()})
    batch, _ = batch_of(questions)
    np.testing.assert_array_equal(alone(batch).argmax(dim=-1).numpy(), found.answers[1])


def test_what_is_about_steps_is_settled_and_what_changes_the_stories_refused():
    changed = TrainingSettings(restarts=3, epochs=7, optimizer="adam", selection="validation_error")
    assert changed.in_one_go() == TrainingSettings(
        restarts=3, epochs=1, linear_start_epochs=0, time_noise=0.0, selection="validation_error"
    )
    with pytest.raises(RequestError, match=r"^training\.symmetry=inferred: expected none with a network"):
        TrainingSettings(symmetry="inferred").in_one_go()


@pytest.mark.parametrize(("key", "value"), [("longest", 0), ("longest", 4), ("inverse_penalty", 0.0)])
def test_bad_settings_are_refused_by_name(key: str, value: float):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
