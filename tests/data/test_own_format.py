"""Files as people have them, each with what is read of it, or the line that is refused and what would be accepted."""

from __future__ import annotations

import pytest

from babi_memnet.data.babi_format import questions_in
from babi_memnet.data.own_format import OWN
from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import RequestError

TOLD = ("Ada ran home.", "Bo slept.")
PLAIN = [
    StoryQuestion("t", TOLD, "Where is Ada?", "home", (0,), 0),
    StoryQuestion("t", TOLD[:1], "Who?", "ada", (0,), 1),
]
OPEN = [StoryQuestion("t", TOLD, "Where is Ada?", "home", (), 0), StoryQuestion("t", TOLD[:1], "Who?", "ada", (), 1)]
TEXT = "1 Ada ran home.\n2 Bo slept.\n3 Where is Ada?\thome\t1\n1 Ada ran home.\n2 Who?\tada\t1\n"

READ: dict[str, tuple[str, list[StoryQuestion]]] = {
    "as published": (TEXT, PLAIN),
    "from Windows, with a byte-order mark": ("\ufeff" + TEXT.replace("\n", "\r\n"), PLAIN),
    "from an old Mac": (TEXT.replace("\n", "\r"), PLAIN),
    "blanks for tabs, by an editor": (TEXT.replace("\t", "    "), PLAIN),
    "tabs and blanks": (TEXT.replace("?\t", "?  \t  ").replace("\t1", "   1"), PLAIN),
    "a tab after every number": (TEXT.replace("1 A", "1\tA").replace("2 B", "2\tB").replace("3 W", " 3\tW"), PLAIN),
    "blank lines between stories": (
        TEXT.replace("1 Ada ran home.\n2 Who", "\n \n1 Ada ran home.\n2 Who") + "\n",
        PLAIN,
    ),
    "no supporting facts": (TEXT.replace("\t1", ""), OPEN),
    "no supporting facts, but the tab": (TEXT.replace("\t1", "\t"), OPEN),
    "no end of the last line": (TEXT.rstrip("\n"), PLAIN),
}


@pytest.mark.parametrize("case", READ)
def test_what_cannot_be_mistaken_is_read(case: str) -> None:
    text, records = READ[case]
    assert questions_in(text.encode(), "t", "wild.txt", OWN) == records


@pytest.mark.parametrize(
    ("line", "question", "answer", "supporting"),
    [
        ("3 Where is Ada?\tin the house\t1", "Where is Ada?", "in the house", (0,)),  # one class
        ("3 What has Ada?\tapple , milk\t1,2", "What has Ada?", "apple,milk", (0, 1)),
        ("3 What has Ada?  apple  2  1", "What has Ada?", "apple", (1, 0)),
        ("3 Where is Ada now\thome\t1", "Where is Ada now", "home", (0,)),
        ("3 Where is Ada？  home  1", "Where is Ada？", "home", (0,)),
        ("3 आदा कहाँ है?\tघर\t1", "आदा कहाँ है?", "घर", (0,)),
        ("3 How many?  2", "How many?", "2", ()),
        ("3 Which room?\troom 101", "Which room?", "room 101", ()),  # no line has this number
        ("3 Where is Ada?\tShe is at home.", "Where is Ada?", "She is at home.", ()),
    ],
)
def test_questions_are_taken_apart(line: str, question: str, answer: str, supporting: tuple[int, ...]) -> None:
    content = f"1 Ada ran home.\n2 Bo slept.\n{line}\n".encode()
    assert questions_in(content, "t", "wild.txt", OWN) == [StoryQuestion("t", TOLD, question, answer, supporting, 0)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("3 Where is Ada?", r"a question without an answer; a question is '<question>\?', a tab or two blanks"),
        ("3 Where is Ada? home 1", r"a question mark within a line; .* a statement has no question mark"),
        ("3 Where is Ada?\t\thome\t1", r"an empty answer, two tabs in a row"),
        ("3 Where is Ada?  home 1", r"an answer that ends with 1, which may be the id .* such as home_1"),
        ("3 Where is Ada?\ther home\tthere\t1", r"more than an answer and ids of statements after the question"),
        ("3 Ada\twent home.", r"a tab in what ends like a statement; expected no tab there"),
        ("3 Ada  went home", r"two blanks in a line without a question mark; expected one blank, or a full stop"),
        ("3 Where is Ada?\thome\t3", r"supporting id 3 points to no line before this one"),
        ("3", r"a number without a statement or question"),
        ("5 Where is Ada?\thome\t1", r"line number '5'; expected 3, or 1 for a new story"),
        ("Where is Ada?\thome\t1", r"line number 'Where'; expected 3, or 1"),
        ("\n3 Where is Ada?\thome\t1", r"a blank line within a story"),
    ],
)
def test_what_is_ambiguous_is_refused_at_its_line(line: str, problem: str) -> None:
    content = f"1 Ada ran home.\n2 Bo slept.\n{line}\n".encode()
    with pytest.raises(RequestError, match=rf"^wild\.txt:3: {problem}"):
        questions_in(content, "t", "wild.txt", OWN)


def test_a_full_stop_tells_a_statement_with_two_blanks() -> None:
    content = b"1 Ada  ran home.\n2 Who?  ada  1\n"
    assert questions_in(content, "t", "wild.txt", OWN)[0].story == ("Ada  ran home.",)


def test_a_story_may_have_five_hundred_statements() -> None:
    told = [f"{number} Ada saw star {number}." for number in range(1, 501)]
    (record,) = questions_in("\n".join([*told, "501 Which last?\tstar\t500"]).encode(), "t", "wild.txt", OWN)
    assert (len(record.story), record.supporting) == (500, (499,))


@pytest.mark.parametrize("content", [READ["blanks for tabs, by an editor"][0], TEXT.replace("Ada?", "Ada")])
def test_official_files_are_read_as_strictly_as_before(content: str) -> None:
    with pytest.raises(RequestError, match=r"^qa\.txt:3: "):
        questions_in(content.encode(), 1, "qa.txt")
