"""A page to ask networks questions and watch how they answer; it takes nothing from anywhere but this process."""

from __future__ import annotations

import errno
import os
import socket
from html import escape
from typing import Any

# Read when gradio is imported: it would tell its makers of every start.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr

from babi_memnet.demo.networks import Candidate, Networks, known_facts
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.looking.stories import Asked, described, statements_of
from babi_memnet.tables.story_page import problem_fragment, story_fragment, story_style
from babi_memnet.tasks import Task, title

_TITLE = "Ask a memory network"
_BEST = "best on record for the task"
_FONTS = ["system-ui", "sans-serif"]
_STYLE = """
.gradio-container { max-width: 76rem !important; margin: auto; }
.trace { --paper: var(--body-background-fill); }
.trace .wide { max-height: 70vh; }
"""


class Page:
    """The page over some networks.

    What is asked is a pure function of the fields of the page, so any number of people may use it at once.
    """

    def __init__(self, networks: Networks) -> None:
        """Nothing is served before `serve`."""
        self._networks = networks
        self._blocks = self._build()

    def serve(self, host: str, port: int | None, browser: bool) -> str:
        """Start to serve in the background; the address. Without a port the first free one from 7860 is taken.

        Raises:
            RequestError: the host is no address of this machine, or the port is not free.
        """
        _check_address(host, port)
        _, address, _ = self._blocks.launch(
            server_name=host,
            server_port=port,
            inbrowser=browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            footer_links=[],
            theme=gr.themes.Base(font=_FONTS, font_mono=["ui-monospace", "monospace"]),
            css=story_style() + _STYLE,
        )
        return str(address)

    def close(self) -> None:
        """End serving."""
        self._blocks.close(verbose=False)

    def _build(self) -> gr.Blocks:
        networks, first = self._networks, next(iter(self._networks.candidates.values()))
        task = first.tasks[0]
        names = [(_BEST, _BEST)] if len(networks.candidates) > 1 else []
        names += [(candidate.name, run) for run, candidate in networks.candidates.items()]
        with gr.Blocks(title=_TITLE, analytics_enabled=False) as blocks:
            gr.Markdown(f"# {_TITLE}")
            asked = gr.State(None)
            with gr.Row():
                with gr.Column(scale=2, min_width=280):
                    run = _menu("Network, with its validation error", "run", names, first.directory)
                    restart = _menu("Restart", "restart", _restarts(first), first.selected)
                    with gr.Row():
                        example = _menu("Task", "task", _tasks(first.tasks), task, scale=3, min_width=160)
                        number = gr.Number(
                            1, label="Test question", precision=0, minimum=1, scale=1, min_width=110, elem_id="number"
                        )
                    story = gr.Textbox(
                        label="Story", info="one statement a line, oldest first", lines=8, max_lines=16, elem_id="story"
                    )
                    question = gr.Textbox(label="Question", elem_id="question")
                    ask = gr.Button("Ask", variant="primary", elem_id="ask")
                    with gr.Accordion("Words that this network knows", open=False):
                        words = gr.HTML(elem_id="words")
                with gr.Column(scale=3, min_width=280):
                    about = gr.HTML(elem_id="about")
                    answer = gr.HTML(elem_id="answer", apply_default_css=False)
            chosen, typed = [run, example], [story, question]
            shown = [answer, about, words]
            everything = [*chosen, restart, *typed, asked]
            at_once: dict[str, Any] = {
                "queue": False,
                "show_progress": "hidden",
                "api_visibility": "private",
                "trigger_mode": "always_last",  # what was changed while an answer was on its way is answered too
            }
            load = {
                "fn": self._load,
                "inputs": [*chosen, restart, number],
                "outputs": [*typed, asked, *shown],
                **at_once,
            }
            # What the user changes, not what follows from that: each step then happens once.
            run.select(self._choose, chosen, [example, restart], **at_once).then(**load)
            example.select(self._restarts_of, chosen, [restart], **at_once).then(**load)
            number.input(**load)
            blocks.load(**load)
            for event in (ask.click, question.submit, restart.select):
                event(self._ask, everything, shown, **at_once)
        built: gr.Blocks = blocks
        return built

    def _candidate(self, run: str, task: Task) -> Candidate:
        return self._networks.best(task) if run == _BEST else self._networks.candidate(run)

    def _choose(self, run: str, task: Task) -> tuple[Any, Any]:
        """Another network: it keeps the task where it knows it."""
        try:
            tasks = self._networks.tasks if run == _BEST else list(self._networks.candidate(run).tasks)
        except RequestError:  # which is told in the place of the answer
            return gr.skip(), gr.skip()
        task = task if task in tasks else tasks[0]
        return gr.Dropdown(_tasks(tasks), value=task), self._restarts_of(run, task)

    def _restarts_of(self, run: str, task: Task) -> Any:
        try:
            candidate = self._candidate(run, task)
        except RequestError:
            return gr.skip()
        return gr.Dropdown(_restarts(candidate), value=candidate.selected)

    def _load(self, run: str, task: Task, restart: int, number: int | None) -> tuple[Any, ...]:
        """A test question, and the answer to it."""
        try:
            candidate = self._candidate(run, task)
            asked = self._networks.question(candidate.directory, task, number or 1)
        except RequestError as error:
            return "", "", None, problem_fragment(str(error)), gr.skip(), gr.skip()
        story = "\n".join(asked.story)
        return story, asked.question, asked, *self._ask(run, task, restart, story, asked.question, asked)

    def _ask(
        self, run: str, task: Task, restart: int, story: str | None, question: str | None, asked: Asked | None
    ) -> tuple[str, str, str]:
        """The answer to what is typed, what gave it, and the words it knows."""
        try:
            candidate = self._candidate(run, task)
            network = self._networks.network(candidate.directory, restart)
            words = as_text(", ".join(network.known_words))
            about = as_text(*described(network.settings, restart, candidate.experiment, network.directory))
        except RequestError as error:
            return problem_fragment(str(error)), "", ""
        try:
            trace = network.ask(statements_of(story or ""), (question or "").strip())
        except RequestError as error:
            return problem_fragment(str(error)), about, words
        return story_fragment(trace, *known_facts(trace, asked)), about, words


def as_text(*lines: str) -> str:
    """Lines for the page that show every character as it is: words come from data, and may look like markup."""
    return "<br>".join(map(escape, lines))


def _check_address(host: str, port: int | None) -> None:
    # gradio would try a hundred ports for an address that this machine does not have
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise bad_value("port", port, f"one that is free ({error.strerror})") from None
        raise bad_value("host", host, f"an address of this machine ({error.strerror or error})") from None


def _menu(label: str, name: str, choices: Any, value: Any, **layout: Any) -> gr.Dropdown:
    # What there is to choose may have changed since the browser was told, so that nothing but our own code judges it.
    return gr.Dropdown(choices, value=value, label=label, elem_id=name, allow_custom_value=True, **layout)


def _tasks(tasks: Any) -> list[tuple[str, Task]]:
    return [(title(task), task) for task in tasks]


def _restarts(candidate: Candidate) -> list[tuple[str, int]]:
    chosen = candidate.selected
    return [(f"{number} (selected)" if number == chosen else str(number), number) for number in candidate.restarts]
