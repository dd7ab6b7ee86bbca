"""The exceptions that a user sees as one line: a wrong request, and runs that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

_LONGEST_QUOTE = 200


class RequestError(Exception):
    """A wrong request: an unknown task, missing data, a malformed file, a bad value.

    Its text is one line for the user. It names the key or ``file:line`` that is wrong and says what would be
    accepted. Commands print that line on standard error and exit with status 2; a traceback would add nothing.
    """


class RunStopped(Exception):
    """A run was ended before its last epoch on purpose. Its text is one line that says why.

    It is no failure: the run keeps its checkpoint, and the same request continues it.
    """


class RunsFailed(Exception):
    """Some of many runs failed; the others are on record. Its text is one line that says how many, and where.

    Commands print it on standard error and exit with status 1. The traceback of each run is in its own train.log.
    """


def one_line(error: BaseException) -> str:
    """The text of an error in one line; the name of its kind where it has no text."""
    return " ".join(str(error).split()) or type(error).__name__


def quoted(text: str) -> str:
    """A text out of a file for an error: in quotes, of at most 200 characters, with escapes for what is none to see."""
    return _cut(text, repr)


def _cut(text: str, show: Callable[[str], str]) -> str:
    left = len(text) - _LONGEST_QUOTE
    return show(text) if left <= 0 else f"{show(text[:_LONGEST_QUOTE])} and {left} characters more"


def visible(text: str) -> str:
    """A text for a terminal: what would steer it, colours and moves of the cursor, stands there in letters.

    Line breaks and tabs stay.
    """
    return "".join(
        mark if mark.isprintable() or mark in "\n\t" else mark.encode("unicode_escape").decode() for mark in text
    )


def kind_and_line(error: BaseException) -> str:
    """As `one_line`, with the kind before the text, for errors that nobody has foreseen: ``ValueError: no``."""
    kind, line = type(error).__name__, one_line(error)
    return line if line == kind else f"{kind}: {line}"


def bad_value(key: str, value: object, accepted: str) -> RequestError:
    """The error for ``key=value`` where ``accepted`` says in words what would have been fine."""
    return RequestError(f"{key}={_cut(str(value), str)}: expected {accepted}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` (did you mean ...?)`` when something known is spelled alike or shortened so, else an empty string."""
    names = list(known)
    short_for = sorted((name for name in names if _is_short_for(word, name)), key=len)
    close = short_for or get_close_matches(word, names, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def _is_short_for(word: str, name: str) -> bool:
    """Whether a dotted word is a name with its last part cut short, ``dim``, or by its initials, ``lr``."""
    group, _, short = word.rpartition(".")
    its_group, _, long = name.rpartition(".")
    initials = "".join(part[:1] for part in long.split("_"))
    return bool(group) and group == its_group and len(short) > 1 and (initials == short or long.startswith(short))
