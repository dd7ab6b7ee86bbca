"""python -m babi_memnet: the commands there are, each with the sentence and the first example of its ``--help``."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence

import yaml

from babi_memnet.paths import conf_directory

DONE, REFUSED = 0, 2
_LINE, _COLUMN = 100, 18
"""The longest line, and where the text beside the names begins."""


def commands() -> Iterator[tuple[str, str, str]]:
    """The name of every command, what it does, and an example; from the primary files of conf/, by name."""
    for path in sorted(conf_directory().glob("*.yaml")):
        text = yaml.safe_load(path.read_text(encoding="utf-8"))["hydra"]["help"]
        name, lines = text["app_name"], text["template"].splitlines()
        example = next(line.strip() for line in lines if line.startswith(f"  {name} "))
        yield name, text["header"].removeprefix(f"{name} ").removesuffix("."), example


def listing() -> str:
    """All commands, in lines for people."""
    parts = ["A research harness for memory networks on the bAbI question-answering tasks. Its commands:"]
    for name, sentence, example in commands():
        lines = [*textwrap.wrap(sentence, _LINE - _COLUMN), f"  {example}"]
        block = textwrap.indent("\n".join(lines), " " * _COLUMN)
        parts.append(f"  {name}{block[2 + len(name) :]}")
    parts.append("COMMAND --help lists what there is to choose.")
    return "\n\n".join(parts)


def main(words: Sequence[str]) -> int:
    """Print the list and return the exit status: 2, with one line on standard error, where there are other words."""
    others = [word for word in words if word not in ("-h", "--help")]
    if not others:
        print(listing())
        return DONE
    known = ", ".join(name for name, _, _ in commands())
    print(
        f"python -m babi_memnet: {others[0]!r}: expected --help or nothing; the commands are {known}", file=sys.stderr
    )
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
