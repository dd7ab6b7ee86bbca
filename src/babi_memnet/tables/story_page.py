"""A traced story as HTML: a fragment to put anywhere, and a page of its own that needs nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from babi_memnet.looking.trace import Trace

_SHOWN_ANSWERS = 5
_MOST_STEPS = 9

# A long story is shown from its end: a reversed column begins to scroll there.
STORY_STYLE = """
.trace { font: 15px/1.45 system-ui, sans-serif; max-width: 64rem; }
.trace .wide { overflow: auto; max-height: 75vh; margin-bottom: 1rem; contain: inline-size; }
.trace .wide { display: flex; flex-direction: column-reverse; align-items: start; }
.trace table { border-spacing: 0; margin: 0; padding: 0; font-variant-numeric: tabular-nums; }
.trace th, .trace td { padding: .2rem .55rem; text-align: right; white-space: nowrap; font-weight: 400; }
.trace thead th { border-bottom: 1px solid; font-weight: 600; }
.trace thead th { position: sticky; top: 0; background: canvas; z-index: 1; }
.trace tbody th { text-align: left; white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }
.trace tr.fact th { font-weight: 600; } .trace tr.fact th::after { content: "\\00a0●"; color: #d55e00; }
.trace tr.looked th { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; }
.trace tr.quiet th, .trace .quiet { opacity: .75; }
.trace tr.words td { white-space: normal; vertical-align: top; max-width: 7rem; }
.trace td.weight { background: rgb(0 114 178 / calc(var(--w) * .75)); min-width: 3.5rem; }
.trace meter { width: 9rem; height: .9rem; } .trace meter::-moz-meter-bar { background: #0072b2; }
.trace meter::-webkit-meter-optimum-value { background: #0072b2; }
.trace meter::-webkit-meter-bar { background: rgb(128 128 128 / .25); border: 0; }
.trace p { margin: .5rem 0; }
.trace .right { color: color-mix(in srgb, #0072b2 75%, currentcolor); }
.trace .wrong { color: color-mix(in srgb, #d55e00 75%, currentcolor); }
.trace .answer { font-size: 1.15em; font-weight: 600; }
.trace h1 { font-size: 1.4rem; margin: .5rem 0; }
.trace .steps { display: flex; flex-wrap: wrap; gap: .3rem .9rem; margin: .5rem 0; }
.trace .steps label { cursor: pointer; white-space: nowrap; }
.trace .steps input { appearance: auto; width: auto; height: auto; margin: 0 .3rem 0 0; accent-color: #0072b2; }
@media (max-width: 40rem) {
.trace { font-size: 14px; } .trace th, .trace td { padding: .15rem .25rem; } .trace meter { width: 5rem; }
.trace tbody th { min-width: 6.5rem; } .trace td.weight { min-width: 2.6rem; } .trace tr.words { font-size: .85em; }
}
@media print { .trace .wide { display: block; overflow: visible; max-height: none; } .trace .steps { display: none; } }
""" + "".join(
    # one hop at a time: the others fade, and what it looks at is marked
    f".trace:has(.step{hop}:checked) .hops :is(th, td):nth-child(n+2):not(:nth-child({hop + 1})) {{ opacity: .15; }}\n"
    f".trace:has(.step{hop}:checked) tr.looked:not(.look{hop}) th {{ text-decoration: none; }}\n"
    for hop in range(1, _MOST_STEPS + 1)
)
"""What the fragment looks like; it names nothing outside ``.trace``."""


def story_fragment(trace: Trace, supporting: Collection[int] = (), expected: str | None = None) -> str:
    """The statements with the weight of each at every hop, what the controller is near to, and the answer.

    ``supporting`` are indices into the story, marked as facts; ``expected`` is the right answer where it is known. Text
    is escaped: markup that somebody types stays text.
    """
    parts = ['<div class="trace">', _question(trace, expected), _steps(trace)]
    parts += ['<div class="wide"><table class="hops">', _head(trace), "<tbody>"]
    looked = [max(range(len(trace.story)), key=step.weights.__getitem__) for step in trace.steps if trace.story]
    for place, statement in enumerate(trace.story):
        hops = [f"look{hop}" for hop, most in enumerate(looked, 1) if most == place]
        names = ["fact"] * (place in supporting) + ["looked"] * bool(hops) + hops
        names += ["quiet"] * (place < trace.forgotten)
        kind = f' class="{" ".join(names)}"' if names else ""
        cells = "".join(_weight(step.weights[place]) for step in trace.steps)
        parts.append(f"<tr{kind}><th scope=row>{escape(statement)}</th>{cells}</tr>")
    cells = "".join(_weight(step.empty or 0) for step in trace.steps)
    parts.append(f'<tr class="quiet"><th scope=row>(empty memory slots)</th>{cells}</tr>')
    near = "".join(f"<td>{_words(step.nearest)}</td>" for step in trace.steps)
    parts.append(f'<tr class="words quiet"><th scope=row>the controller is then near to</th>{near}</tr>')
    parts.append("</tbody></table></div>")
    parts.append(_answers(trace))
    parts += [f'<p class="quiet">{line}</p>' for line in _notes(trace, supporting)]
    return "\n".join([*parts, "</div>"])


def story_page(
    trace: Trace,
    title: str,
    network: Sequence[str],
    supporting: Collection[int] = (),
    expected: str | None = None,
) -> str:
    """The fragment as one HTML file that needs nothing else; ``network`` says what answered."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>:root {{ color-scheme: light dark; }} "
        f"body {{ margin: 0 auto; max-width: 66rem; padding: 1rem; }}{STORY_STYLE}</style>"
    )
    lines = "".join(f'<p class="quiet">{escape(line)}</p>' for line in network)
    body = f'<div class="trace"><h1>{escape(title)}</h1>{lines}</div>\n{story_fragment(trace, supporting, expected)}'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def problem_fragment(text: str) -> str:
    """What is wrong with a question, in the place of its answer."""
    return f'<div class="trace"><p class="wrong" role="alert">{escape(text)}</p></div>'


def _question(trace: Trace, expected: str | None) -> str:
    word, chance = trace.answers[0]
    said = f'<span class="answer">{escape(word)}</span> ({100 * chance:.0f} %)'
    if expected is not None:
        right = expected.lower() == word.lower()
        kind, text = ("right", "right") if right else ("wrong", f"wrong; it is {expected}")
        said += f' <span class="{kind}">{escape(text)}</span>'
    return f"<p><b>{escape(trace.question)}</b> {said}</p>"


def _steps(trace: Trace) -> str:
    """Which hop is shown, to be chosen without a script; the arrow keys step from one to the next."""
    if not 1 < len(trace.steps) <= _MOST_STEPS:
        return ""
    names = ["all hops", *(step.name for step in trace.steps)]
    choices = "".join(
        f'<label><input type="radio" name="hop" class="step{number}"{"" if number else " checked"}>{name}</label>'
        for number, name in enumerate(names)
    )
    return f'<div class="steps" role="radiogroup" aria-label="hops shown">{choices}</div>'


def _head(trace: Trace) -> str:
    names = "".join(f"<th scope=col>{escape(step.name)}</th>" for step in trace.steps)
    return f"<thead><tr><th></th>{names}</tr></thead>"


def _weight(value: float) -> str:
    # linear attention knows weights below 0 and above 1
    return f'<td class="weight" style="--w:{min(max(value, 0), 1):.3f}">{100 * value:.0f} %</td>'


def _words(nearest: Sequence[tuple[str, float]]) -> str:
    return ", ".join(escape(word) for word, _ in nearest[:3])


def _answers(trace: Trace) -> str:
    rows = "".join(
        f'<tr><th scope=row>{escape(word)}</th><td><meter min="0" max="1" value="{chance:.4f}"></meter></td>'
        f"<td>{100 * chance:.1f} %</td></tr>"
        for word, chance in trace.answers[:_SHOWN_ANSWERS]
    )
    return f'<table aria-label="most probable answers"><tbody>{rows}</tbody></table>'


def _notes(trace: Trace, supporting: Collection[int]) -> list[str]:
    notes = ["Weights are of memory slots; the statement with the largest at some hop is underlined."]
    if supporting:
        notes.append("● marks the statements that the answer rests on.")
    if trace.forgotten:
        notes.append(f"The first {trace.forgotten} statements did not fit into the memory.")
    return notes
