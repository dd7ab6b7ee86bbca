"""HTML and Markdown from the templates beside this file: in HTML values are escaped; what is missing is an error."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def filled(template: str, **values: object) -> str:
    """A file of ``templates/`` with these values in it.

    Raises:
        jinja2.UndefinedError: the template wants a value that is not there.
    """
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("babi_memnet.tables"),
        autoescape=lambda name: name is None or not name.endswith(".md"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["in_form"] = format
    return templates
