"""The Jinja environment of replies and digest: sandboxed, strict about names, HTML escaped.

Templates are data that a hoster edits, so they are compiled when they are loaded, and an error is a sentence
with file, line and what to do, not a traceback in the middle of the night.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .clean import header, web_link
from .model import AnswerError

WIDTH: Final = 74  # of the text twin: two levels of "> " later it still fits a terminal
_FOLDER: Final = "replies"


class TemplateFault(AnswerError):
    """A template that cannot be used; the message names file, line and what to do."""


def environment(templates: Mapping[str, str]) -> jinja2.Environment:
    """The environment over ``templates`` (file name in ``replies/`` to source). Raises :class:`TemplateFault`."""

    def load(name: str) -> tuple[str, str, None] | None:
        source = templates.get(name)
        return None if source is None else (source, f"{_FOLDER}/{name}", None)

    env = ImmutableSandboxedEnvironment(
        loader=jinja2.FunctionLoader(load),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is None or name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(subject=header, wrap=wrap, web_link=web_link)
    for name in sorted(templates):
        try:
            env.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateFault(
                f"{_FOLDER}/{error.name or name}, line {error.lineno}: {error.message}; "
                "correct the template, the version before it stays in use"
            ) from error
    return env


def render(env: jinja2.Environment, name: str, context: Mapping[str, object]) -> str:
    """The template ``name`` filled in. Raises :class:`TemplateFault` with the line for anything it stumbles on."""
    try:
        return env.get_template(name).render(context)
    except jinja2.TemplateNotFound as error:
        raise TemplateFault(f"{_FOLDER}/{error.name} is missing; put the template back") from error
    except AnswerError as error:
        raise TemplateFault(f"{_where(error, name)}: {error}") from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # Only the kind of a foreign error is repeated: its words may hold what the template was given.
        what = error.message if isinstance(error, jinja2.TemplateError) and error.message else type(error).__name__
        raise TemplateFault(f"{_where(error, name)}: {what}; correct the template") from error


def wrap(text: object, indent: int = 0, first: str | None = None) -> str:
    """``text`` in lines of :data:`WIDTH`, indented; ``first`` replaces the indent of the first line.

    Breaks at blanks only: an address or a link that is too long stays whole, and a no-break space holds.
    """
    pad = " " * indent
    return textwrap.fill(
        str(text),
        WIDTH,
        initial_indent=pad if first is None else first,
        subsequent_indent=pad,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _where(error: BaseException, name: str) -> str:
    """File and line of the innermost template frame (Jinja rewrites its tracebacks to template lines)."""
    place = f"{_FOLDER}/{name}"
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename.startswith(f"{_FOLDER}/"):
            place = f"{filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
