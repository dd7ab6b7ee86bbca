"""Traces that are made up: two statements, text that is markup, and steps of several kinds of networks."""

from __future__ import annotations

from dataclasses import replace

from babi_memnet.looking.answering import Step, Trace
from babi_memnet.looking.stories import Asked

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

LOSS = Step("log probability lost without it", (-0.004, 2.5), False, None, (), "nats")
"""Numbers below zero and above one, under a long name; there is no state to be near to anything."""

WITHOUT_ATTENTION = replace(TRACE, asked=(), steps=(LOSS,))

GATES = replace(
    TRACE,
    asked=(),
    steps=tuple(Step(f"write <{number}>", (0.02 * number, -0.5), False, None, ()) for number in range(1, 41)),
)
"""Forty steps, with numbers of no unit."""

MIXED = replace(TRACE, steps=(TRACE.steps[0], LOSS))
"""Shares of one, and beside them numbers."""

STOPPED = replace(
    TRACE,
    steps=(
        replace(TRACE.steps[0], answers=1.0, numbers=(("gate <open>", 0.25),)),
        replace(TRACE.steps[1], answers=0.0, taken=False, numbers=(("gate <open>", 0.5),)),
    ),
)
"""A network that had answered before its second hop, and has a number to say of each."""
