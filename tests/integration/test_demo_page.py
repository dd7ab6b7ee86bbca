"""The page of babi-demo in a real browser: what people see, type and are told, and that nothing leaves the machine."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from babi_memnet.looking.stories import numbered_question
from babi_memnet.looking.trace import TracedNetwork
from tests.integration.browsing import needs_browser
from tests.running import Run

pytestmark = [pytest.mark.integration, needs_browser]

# Writes down every address but those of this machine that a process looks up or connects to.
WATCH = """
import os, socket

def here(host):
    return host in (None, "", "localhost") or str(host).startswith("127.") or host in ("::1", "0.0.0.0")

def note(what):
    with open(os.environ["CONNECTIONS"], "a") as file:
        file.write(f"{what}\\n")

connect, look_up = socket.socket.connect, socket.getaddrinfo

def watched_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not here(address[0]):
        note(address)
    return connect(self, address)

def watched_look_up(host, *arguments, **options):
    if not here(host.decode() if isinstance(host, bytes) else host):
        note(host)
    return look_up(host, *arguments, **options)

socket.socket.connect, socket.getaddrinfo = watched_connect, watched_look_up
"""

TRAINING = ["-m", "task=1,2", "data.size=1k", "data.test_questions=50", "training.restarts=2", "tracker=none"]


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, run_command: Run, environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The page over networks of tasks 1 and 2: its address, and the file of what its process connected to."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "sitecustomize.py").write_text(WATCH)
    connections = folder / "connections"
    trained = run_command("train", *TRAINING, folder=folder)
    assert trained.returncode == 0, trained.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    watched = {**environment, "CONNECTIONS": str(connections), "PYTHONPATH": path}
    command = [sys.executable, "-m", "babi_memnet.commands.demo", f"port={port}"]
    with subprocess.Popen(command, cwd=folder, env=watched, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "Ctrl-C" in line)
        yield {"address": ready.split()[0], "connections": connections, "folder": folder}
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "ended\n"
        assert process.wait(timeout=30) == 0


class Visitor:
    """A person with a browser window of their own."""

    def __init__(self, browser: Any, address: str, width: int = 1280) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        context = browser.new_context(viewport={"width": width, "height": 900})
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.problems.append("a dialog"), dialog.dismiss()))
        self.page.goto(address)
        self.page.wait_for_selector("#answer .answer")

    def type(self, story: str, question: str) -> None:
        self.page.locator("#story textarea").fill(story)
        self.page.locator("#question :is(textarea, input)").fill(question)

    def ask(self) -> None:
        """Press the button and wait until what was said before is gone."""
        self.page.evaluate("document.querySelector('#answer .trace').setAttribute('old', '')")
        self.page.locator("#ask").click()
        self.page.wait_for_selector("#answer .trace:not([old])")

    @property
    def answer(self) -> str:
        return str(self.page.locator("#answer .answer").inner_text())

    @property
    def told(self) -> str:
        return str(self.page.locator("#answer [role=alert]").inner_text())

    def looked_at(self, step: int) -> list[str]:
        return [text.strip() for text in self.page.locator(f"#answer tr.look{step} th").all_inner_texts()]

    def pick(self, menu: str, text: str, wait: bool = True) -> None:
        """Choose in one of the menus, unless that is chosen, and wait for the new answer."""
        if text in self.page.locator(f"#{menu} input").input_value():
            return
        self.page.evaluate("document.querySelector('#answer .trace').setAttribute('old', '')")
        self.page.locator(f"#{menu} input").click()
        self.page.get_by_role("option", name=text).click()
        if wait:
            self.page.wait_for_selector("#answer .trace:not([old])")


@pytest.fixture
def visitor(browser: Any, served: dict[str, Any]) -> Iterator[Visitor]:
    one = Visitor(browser, served["address"])
    yield one
    assert not one.problems
    assert {urlsplit(url).hostname for url in one.requests if url.startswith("http")} == {"127.0.0.1"}
    assert not served["connections"].exists()
    one.page.context.close()


KITCHEN = "Mary went to the kitchen.\nJohn travelled to the garden.\nSandra moved to the office."


def test_an_example_is_there_at_once_and_right_answers_are_known(visitor: Visitor) -> None:
    page = visitor.page
    assert page.locator("#story textarea").input_value().count("\n") >= 1
    assert page.locator("#question :is(textarea, input)").input_value().endswith("?")
    assert page.locator("#answer :is(.right, .wrong)").count() == 1
    assert page.locator("#answer tr.fact").count() >= 1
    assert "dimension 20" in page.locator("#about").inner_text()


def test_a_story_is_typed_and_asked(visitor: Visitor) -> None:
    visitor.pick("run", "train, task 1")
    visitor.type(KITCHEN, "Where is John?")
    visitor.ask()
    assert visitor.answer == "garden"
    assert visitor.looked_at(3) == ["John travelled to the garden."]
    weights = visitor.page.locator("#answer tr.looked td.weight").all_inner_texts()
    assert len(weights) % 3 == 0
    assert all(re.fullmatch(r"\d+ %", weight) for weight in weights)
    # nothing is known of a story that somebody made up
    assert visitor.page.locator("#answer :is(.right, .wrong, tr.fact)").count() == 0
    visitor.type("1 Mary went to the kitchen.\n\n2 Mary went to the hallway.", " Where is Mary?  ")
    visitor.page.locator("#question :is(textarea, input)").press("Enter")
    visitor.page.wait_for_function("document.querySelector('#answer .answer').innerText == 'hallway'")


def test_hops_are_stepped_through(visitor: Visitor) -> None:
    visitor.type(KITCHEN, "Where is Mary?")
    visitor.ask()

    def faded() -> list[bool]:
        head = visitor.page.locator("#answer .weights thead th").all()[1:]
        return [cell.evaluate("cell => getComputedStyle(cell).opacity") < "1" for cell in head]

    assert faded() == [False, False, False]
    visitor.page.locator("#answer .step1").check()
    assert faded() == [False, True, True]
    visitor.page.keyboard.press("ArrowRight")
    assert faded() == [True, False, True]


def test_an_unknown_word_is_named(visitor: Visitor) -> None:
    visitor.type("Mary went to the kitchn.\nJohn flew home.", "Where is Mary?")
    visitor.ask()
    assert "statement 1: unknown to this network" in visitor.told
    assert "'kitchn' (did you mean kitchen?)" in visitor.told
    assert "statement 2:" in visitor.told
    assert "'flew'" in visitor.told
    visitor.type("Mary went to the kitchen.", "Where is Mary?")
    visitor.ask()
    assert visitor.answer == "kitchen"


@pytest.mark.parametrize(("story", "question", "expected"), [("", "Where is Mary?", None), ("Mary.", "", "question:")])
def test_an_empty_story_is_answered_and_an_empty_question_is_not(
    visitor: Visitor, story: str, question: str, expected: str | None
) -> None:
    visitor.type(story, question)
    visitor.ask()
    if expected:
        assert expected in visitor.told
    else:
        assert visitor.answer
        assert visitor.page.locator("#answer tbody tr").count() == 2 + 5  # empty slots, near words, five answers


def test_two_hundred_statements(visitor: Visitor) -> None:
    visitor.pick("run", "train, task 1")
    lines = [f"{name} went to the {place}." for name in ("Mary", "John") for place in ("garden", "office")] * 50
    visitor.type("\n".join([*lines[:-1], "Sandra went to the bathroom."]), "Where is Sandra?")
    visitor.ask()
    assert visitor.answer == "bathroom"
    assert visitor.page.locator("#answer .weights tbody tr").count() == 200 + 2
    assert re.search(r"The first \d+ statements did not fit", visitor.page.locator("#answer").inner_text())
    # the end of the story is in view, and the page is no wider than the window
    assert visitor.page.locator("#answer tr.look3").first.is_visible()
    box = visitor.page.locator("#answer tr.look3").first.bounding_box()
    assert box["y"] < 900
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_markup_stays_text(visitor: Visitor) -> None:
    visitor.type("<img src=x onerror=alert(1)>\nMary went to the kitchen.", "<b>Where</b> is Mary?")
    visitor.ask()
    assert "'img'" in visitor.told
    assert visitor.page.locator("#answer img, #answer b").count() == 0
    # punctuation is no word: all of these are known, and shown as they were typed
    visitor.type("Mary <went> to the <kitchen>&amp.\n", "Where is Mary?")
    visitor.ask()
    assert "'amp'" in visitor.told
    visitor.type("<Mary> went to the </kitchen>.", "Where is <Mary>?")
    visitor.ask()
    assert (
        visitor.page.locator("#answer .weights tbody th")
        .first.inner_text()
        .startswith("<Mary> went to the </kitchen>.")
    )
    assert "Where is <Mary>?" in visitor.page.locator("#answer").inner_text()


def test_two_people_at_once(visitor: Visitor, browser: Any, served: dict[str, Any]) -> None:
    other = Visitor(browser, served["address"])
    for place, elsewhere in (("garden", "office"), ("kitchen", "hallway"), ("bedroom", "bathroom")):
        visitor.type(f"Mary went to the {place}.", "Where is Mary?")
        other.type(f"Mary went to the {elsewhere}.", "Where is Mary?")
        for one in (visitor, other):  # both are asked before either is read
            one.page.evaluate("document.querySelector('#answer .trace').setAttribute('old', '')")
            one.page.locator("#ask").click()
        for one in (visitor, other):
            one.page.wait_for_selector("#answer .trace:not([old])")
        assert (visitor.answer, other.answer) == (place, elsewhere)
    assert not other.problems
    other.page.context.close()


def test_networks_restarts_tasks_and_questions_are_chosen(
    visitor: Visitor, served: dict[str, Any], story_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABI_CACHE", str(story_cache))
    visitor.pick("run", "train, task 2")
    assert "task 2, restart" in visitor.page.locator("#about").inner_text()
    first = visitor.page.locator("#story textarea").input_value()
    assert visitor.page.locator("#answer tr.fact").count() == 2
    visitor.page.evaluate("document.querySelector('#answer .trace').setAttribute('old', '')")
    visitor.page.locator("#number input").fill("7")
    visitor.page.wait_for_selector("#answer .trace:not([old])")
    assert visitor.page.locator("#story textarea").input_value() != first
    # also what is typed while an answer is on its way
    visitor.page.locator("#number input").fill("")
    visitor.page.locator("#number input").press_sequentially("23", delay=5)
    network = TracedNetwork.load(next(served["folder"].glob("outputs/train/task_02-*")))
    expected = numbered_question(network.settings["data"], 2, 23)
    text = json.dumps("\n".join(expected.story))
    visitor.page.wait_for_function(f"document.querySelector('#story textarea').value == {text}")
    for restart in ("0", "1"):
        visitor.pick("restart", restart)
        assert f"restart {restart}:" in visitor.page.locator("#about").inner_text()
    # the best of a task, whichever that is; of task 2 it is the one that is shown
    visitor.pick("run", "best on record", wait=False)
    visitor.pick("task", "1 single supporting fact")
    visitor.page.wait_for_function("document.querySelector('#about').innerText.includes('task 1, restart')")
    assert "task 1, restart" in visitor.page.locator("#about").inner_text()
    visitor.page.evaluate("document.querySelector('#answer .trace').setAttribute('old', '')")
    visitor.page.locator("#number input").fill("99999")
    visitor.page.wait_for_selector("#answer .trace:not([old])")
    assert visitor.told == "test question=99999: expected 1 to 50, those of task 1"
    visitor.page.get_by_text("Words that this network knows").click()
    assert "kitchen" in visitor.page.locator("#words").inner_text()


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits(browser: Any, served: dict[str, Any], width: int) -> None:
    one = Visitor(browser, served["address"], width)
    one.type(KITCHEN, "Where is John?")
    one.ask()
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    inside = one.page.locator("#answer .wide").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert inside
    one.page.context.close()
