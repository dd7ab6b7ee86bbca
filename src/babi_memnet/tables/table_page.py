"""A reproduced table as one HTML file that needs nothing else: no scripts, no fonts, no network.

Every number carries where it stands in table.json (``data-path``) and its value there (``data-value``).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from babi_memnet.papers.beside import BESIDE_LEGEND, said_of
from babi_memnet.tables.numbers import NO_DATA
from babi_memnet.tables.sheet import LEGEND, MARKS

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --better: #0072b2; --worse: #d55e00; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .5rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 1px solid; vertical-align: bottom; } tbody tr:hover { background: #8881; }
th:first-child, td.text { text-align: left; }
tbody th { position: sticky; left: 0; background: Canvas; white-space: normal; min-width: 2.5rem; }
tr.sum td, tr.sum th { border-top: 1px solid var(--line); font-weight: 600; }
td.group { border-left: 1px solid var(--line); } .better { color: var(--better); } .worse { color: var(--worse); }
img { width: 100%; min-width: 40rem; max-width: 60rem; background: #fff; } .quiet { opacity: .75; font-size: .9em; }
summary { cursor: pointer; } li { overflow-wrap: anywhere; }
"""


class _Numbers:
    """Turns places of a JSON document into table cells."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def cell(self, path: str, form: str = ".1f", classes: str = "", factor: float = 1) -> str:
        """The number at ``path`` (keys and positions joined by /), times ``factor``, in this form; or a dash."""
        value: Any = self._document
        for key in path.split("/"):
            value = value[int(key)] if isinstance(value, list) else None if value is None else value.get(key)
        kind = f' class="{classes}"' if classes else ""
        if value is None:
            return f"<td{kind}>{NO_DATA}</td>"
        text = format(factor * value, form)
        # a rounded -0.0 is 0.0
        text = text.replace("-", "+" if "+" in form else "") if not text.strip("-0.") else text
        return f'<td{kind} data-path="{escape(path)}" data-value="{value!r}" data-form="{form}">{text}</td>'


def table_page(table: Mapping[str, Any], figures: Mapping[str, tuple[str, bytes]]) -> str:
    """The page for the content of a table.json; ``figures`` gives a heading to a caption and a PNG."""
    numbers = _Numbers(table)
    source = table["source"]
    arxiv = f", arXiv {source['arxiv']}" if source["arxiv"] else ""
    parts = [
        f"<h1>{escape(table['id'])}</h1>",
        f"<p>{escape(source['title'])} ({escape(source['authors'])}, {source['year']}{escape(arxiv)}).</p>",
        "<h2>Columns</h2>",
        _summary(table, numbers),
        f"<p class=quiet>{escape(LEGEND)}. Chance: that two honest repetitions differ at least as much.</p>",
        "<h2>Tasks</h2>",
        _tasks(table, numbers),
    ]
    for heading, (caption, png) in figures.items():
        data = base64.b64encode(png).decode()
        parts += [
            f"<h2>{escape(heading)}</h2>",
            f'<div class="wide"><img alt="{escape(caption)}" src="data:image/png;base64,{data}"></div>',
        ]
        parts.append(f"<p class=quiet>{escape(caption)}</p>")
    if table["beside"]:
        lines = (f"{column['label']}: {said_of(column)}" for column in table["beside"])
        parts += ["<h2>Published elsewhere</h2>", _beside(table, numbers)]
        parts += [f"<p class=quiet>{BESIDE_LEGEND}</p>", _list(lines)]
    parts += ["<h2>What papers do not report</h2>", *(_restarts(table, place, numbers) for place in _places(table))]
    if table["notes"]:
        parts += ["<h2>Notes</h2>", _list(table["notes"])]
    protocol = (f"{key}: {value}" for key, value in table["protocol"].items())
    versions = (f"{name} {version}" for name, version in table["environment"]["versions"].items() if version)
    parts += ["<h2>Protocol of the paper</h2>", _list(protocol), "<h2>Made with</h2>"]
    parts.append(_list([f"Python {table['environment']['python']}, {table['environment']['platform']}", *versions]))
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{escape(table['id'])}</title><style>{_STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _summary(table: Mapping[str, Any], numbers: _Numbers) -> str:
    rows = []
    for place in _places(table):
        column, at = table["columns"][place], f"columns/{place}"
        cells = [f"<th>{escape(str(column['label']))}</th>", numbers.cell(f"{at}/mean")]
        cells += [numbers.cell(f"{at}/published/mean"), numbers.cell(f"{at}/difference", "+.1f")]
        cells += [numbers.cell(f"{at}/chance", ".0%"), numbers.cell(f"{at}/failed", "d")]
        cells += [numbers.cell(f"{at}/published/failed", "g"), _verdict(column["verdict"])]
        rows.append(f"<tr>{''.join(cells)}{numbers.cell(f'{at}/seconds', '.0f')}</tr>")
    names = (
        "column",
        "mean error %",
        "published",
        "difference",
        "chance",
        "failed tasks",
        "published",
        "verdict",
        "seconds",
    )
    return _table([f"<tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"], rows)


def _tasks(table: Mapping[str, Any], numbers: _Numbers) -> str:
    columns = table["columns"]
    above = "".join(f'<th colspan="4">{escape(str(column["id"]))}</th>' for column in columns)
    below = "".join("<th>ours</th><th>published</th><th>diff</th><th></th>" for _ in columns)
    tasks = sorted(
        {int(task) for column in columns for task in (*column["cells"], *column["missing"]) if task != "joint"}
    )
    rows = []
    for task in tasks:
        cells = ""
        for place, column in enumerate(columns):
            at = f"columns/{place}/cells/{task}"
            if str(task) not in column["cells"]:
                cells += f'<td class="group" colspan="4">{NO_DATA}</td>'
                continue
            cells += numbers.cell(f"{at}/error_percent", classes="group") + numbers.cell(f"{at}/published")
            cells += numbers.cell(f"{at}/difference", "+.1f") + _mark(column["cells"][str(task)]["verdict"])
        rows.append(f"<tr><th>{task}</th>{cells}</tr>")
    for name, form in (("mean", ".1f"), ("failed", "g")):
        cells = ""
        for place in _places(table):
            cells += numbers.cell(f"columns/{place}/{name}", form, "group")
            cells += numbers.cell(f"columns/{place}/published/{name}", form) + "<td></td><td></td>"
        rows.append(f'<tr class="sum"><th>{name}</th>{cells}</tr>')
    return _table([f"<tr><th></th>{above}</tr>", f"<tr><th>task</th>{below}</tr>"], rows)


def _beside(table: Mapping[str, Any], numbers: _Numbers) -> str:
    head = "".join(f"<th>{escape(column['table'])}<br>{escape(column['id'])}</th>" for column in table["beside"])
    tasks = sorted({int(task) for column in table["columns"] for task in column["cells"]})
    places = range(len(table["beside"]))
    rows = [
        f"<tr><th>{task}</th>{''.join(numbers.cell(f'beside/{place}/errors/{task}') for place in places)}</tr>"
        for task in tasks
    ]
    for name, form in (("mean", ".1f"), ("failed", "g")):
        cells = "".join(numbers.cell(f"beside/{place}/{name}", form) for place in places)
        rows.append(f'<tr class="sum"><th>{name}</th>{cells}</tr>')
    return _table([f"<tr><th>task</th>{head}</tr>"], rows)


def _restarts(table: Mapping[str, Any], place: int, numbers: _Numbers) -> str:
    """All restarts of one column, behind a line to click."""
    column, rows = table["columns"][place], []
    measures = ("mean", "standard_deviation", "median", "best", "worst")
    for task in sorted(column["cells"], key=int):
        at = f"columns/{place}/cells/{task}"
        cells = [numbers.cell(f"{at}/error_percent"), numbers.cell(f"{at}/published")]
        cells += [numbers.cell(f"{at}/{name}") for name in ("margin", "spread")] + [numbers.cell(f"{at}/chance", ".0%")]
        cells += [numbers.cell(f"{at}/over_restarts/{name}") for name in measures]
        cells += [numbers.cell(f"{at}/over_restarts/failed", "d"), numbers.cell(f"{at}/restarts", "d")]
        rows.append(f"<tr><th>{task}</th>{''.join(cells)}</tr>")
    names = (
        "task",
        "selected",
        "published",
        "margin",
        "spread",
        "chance",
        "mean",
        "deviation",
        "median",
        "best",
        "worst",
    )
    head = "".join(f"<th>{name}</th>" for name in (*names, "failed", "restarts"))
    label = escape(str(column["label"]))
    return f"<details><summary>{label}: all restarts</summary>{_table([f'<tr>{head}</tr>'], rows)}</details>"


def _places(table: Mapping[str, Any]) -> range:
    return range(len(table["columns"]))


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    body = "\n".join(rows)
    return f'<div class="wide"><table><thead>{"".join(head)}</thead><tbody>\n{body}\n</tbody></table></div>'


def _verdict(verdict: str | None) -> str:
    return f'<td class="text {verdict}">{escape(MARKS[verdict])} {verdict}</td>' if verdict else "<td></td>"


def _mark(verdict: str | None) -> str:
    return f'<td class="{verdict}" title="{verdict}">{escape(MARKS[verdict])}</td>' if verdict else "<td></td>"


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
