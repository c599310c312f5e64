"""What the commands share about the place they print to: tables and bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

import click

from checker.answer.clean import line
from checker.edges.files import write_private

_CELL = 300  # characters of a stranger's words in one cell


class Tick(Protocol):
    """Told after each step of long work."""

    def __call__(self) -> None:
        """One step is done."""
        ...


def on_terminal() -> bool:
    """Whether a person reads along."""
    return sys.stdout.isatty()


def cell(words: str, limit: int = _CELL) -> str:
    """A stranger's words as one line without control characters: they must not steer the terminal."""
    return line(words, limit)


def stamp(moment: datetime, zone: tzinfo) -> str:
    """A moment on the hoster's clock, as people read it; programs get ISO times with their zone instead."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for a terminal. Cells are shown as they are: a bracket in a subject is no markup."""
    from rich.console import Console  # only where somebody looks at it
    from rich.table import Column, Table
    from rich.text import Text

    # Columns are ours, cells are not. A word that is too long is broken, never cut: an address must stay one.
    made = Table(*(Column(c, overflow="fold") for c in columns), title=Text(title), title_justify="left")
    for row in rows:
        made.add_row(*(Text(cell(c)) for c in row))
    Console().print(made)


@contextmanager
def progress(label: str, total: int) -> Iterator[Tick]:
    """A bar on stderr while long work goes on; in a pipe or a log there is none."""
    if not sys.stderr.isatty() or total < 2:
        yield lambda: None
        return
    from rich.console import Console  # only where somebody looks at it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def write_file(path: Path, content: str, option: str) -> None:
    """Write a file that only its owner may read. Raises :class:`click.UsageError` naming the option."""
    try:
        write_private(path, content.encode("utf-8"))
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written ({error.strerror}); give another {option} FILE") from error
    click.echo(f"written: {path}", err=True)
