"""A trace that is made up: two statements, two hops, text that is markup."""

from __future__ import annotations

from babi_memnet.looking.stories import Asked
from babi_memnet.looking.trace import Step, Trace

MARKUP = "<script>alert('x & y')</script>"

TRACE = Trace(
    story=(f"Mary said {MARKUP}", "John went to the <b>hall</b>."),
    question="Where is <i>John</i>?",
    asked=(("where", 0.5),),
    steps=(
        Step("hop 1", (0.25, 0.5), True, 0.25, (("<u>john</u>", 0.9), ("hall", 0.2))),
        Step("hop 2", (0.1, 0.85), True, 0.05, (("hall", 0.8), ("mary", 0.1))),
    ),
    answers=(("<em>hall</em>", 0.75), ("garden", 0.2), ("(time word 1)", 0.05)),
    forgotten=0,
)
ASKED = Asked(TRACE.story, TRACE.question, "garden", (1,), "Task 1 <test>, question 3")
