"""The demo in a terminal, or between two pipes: lines in, answers out, with the weights of every step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper

from babi_memnet.demo.networks import Candidate, Networks, known_facts
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.looking.stories import Asked, described
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.tables.sheet import screen_width, show
from babi_memnet.tables.story_report import story_sheets
from babi_memnet.tasks import title

_HELP = """\
a line is a statement of the story; one that ends with ? is a question about it
  :task 3 7     test question 7 of task 3 instead of the story so far
  :restart 2    another restart of the same run
  :run          the runs there are; :run 2 takes the second
  :story        the story so far; :forget begins a new one
  :words        the words that the network knows
  :quit         end"""


class Dialogue:
    """A conversation with one network at a time."""

    def __init__(self, networks: Networks, say: Callable[[str], None] = print) -> None:
        """Begin with the best network; ``say`` gets every line but the tables, which are printed."""
        self._networks, self._say = networks, say
        self._candidate = next(iter(networks.candidates.values()))
        self._restart = self._candidate.selected
        self._story: list[str] = []
        self._asked: Asked | None = None
        # Each with the least and the most numbers that it takes.
        self._commands: dict[str, tuple[Callable[..., None], int, int]] = {
            "task": (self._task, 1, 2),
            "restart": (self._choose_restart, 1, 1),
            "run": (self._run, 0, 1),
            "story": (self._tell, 0, 0),
            "forget": (self._forget, 0, 0),
            "words": (self._words, 0, 0),
            "help": (self._help, 0, 0),
        }

    def run(self) -> None:
        """Read lines until the input ends or says so. What cannot be met is told, and the dialogue goes on."""
        prompt = "> " if sys.stdin.isatty() else ""
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # what is no text is no word that the network knows
        self._introduce()
        self._help()
        while True:
            try:
                line = input(prompt).strip()
            except (EOFError, KeyboardInterrupt):
                return
            if line == ":quit":
                return
            try:
                self.take(line)
            except RequestError as error:
                self._say(str(error))

    def take(self, line: str) -> None:
        """One line of a person.

        Raises:
            RequestError: it is a question that cannot be asked, or no command.
        """
        if line.startswith(":"):
            self._obey(line)
        elif line.endswith("?"):
            self._ask(line)
        elif line:
            if problems := self._network.problems("not taken", line):
                raise RequestError(problems[0])
            self._story.append(line)

    def _obey(self, line: str) -> None:
        name, *words = line[1:].split() or [""]
        if name not in self._commands:
            known = ", ".join(f":{name}" for name in self._commands)
            raise RequestError(f":{name}: expected one of {known}, :quit")
        command, least, most = self._commands[name]
        numbers = words[1:] if name == "task" else words
        if not least <= len(words) <= most or not all(word.lstrip("-").isdecimal() for word in numbers):
            raise RequestError(f"{line}: expected as in :help")
        command(*words[: len(words) - len(numbers)], *map(int, numbers))

    @property
    def _network(self) -> TracedNetwork:
        return self._networks.network(self._candidate.directory, self._restart)

    def _ask(self, question: str) -> None:
        trace = self._network.ask(self._story, question)
        supporting, expected = known_facts(trace, self._asked)
        show(story_sheets(trace, Asked(trace.story, question, expected, supporting, ""), screen_width()))

    def _task(self, name: str, number: int = 1) -> None:
        task = self._networks.task(name)
        candidate = self._candidate if task in self._candidate.tasks else self._networks.best(task)
        asked = self._networks.question(candidate.directory, task, number)
        if candidate is not self._candidate:
            self._choose(candidate)
        self._story, self._asked = list(asked.story), asked
        self._say(f"task {title(task)}, test question {number}")
        self._ask(asked.question)

    def _choose_restart(self, restart: int) -> None:
        if restart not in self._candidate.restarts:
            raise bad_value("restart", restart, f"one of {', '.join(map(str, self._candidate.restarts))}")
        self._restart = restart
        self._introduce()

    def _run(self, place: int | None = None) -> None:
        candidates = list(self._networks.candidates.values())
        if place is None:
            for number, candidate in enumerate(candidates, 1):
                self._say(f"{number}  {candidate.name}")
        elif 1 <= place <= len(candidates):
            self._choose(candidates[place - 1])
        else:
            raise bad_value("run", place, f"1 to {len(candidates)}")

    def _choose(self, candidate: Candidate) -> None:
        self._candidate, self._restart = candidate, candidate.selected
        self._introduce()

    def _introduce(self) -> None:
        network = self._network
        for line in described(network.settings, self._restart, self._candidate.experiment, network.directory):
            self._say(line)

    def _tell(self) -> None:
        for number, statement in enumerate(self._story, 1):
            self._say(f"{number} {statement}")

    def _forget(self) -> None:
        self._story, self._asked = [], None

    def _words(self) -> None:
        self._say(", ".join(self._network.known_words))

    def _help(self) -> None:
        self._say(_HELP)
