"""The second reader's files on disk: opened when a mail first needs them, and done without when they cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from checker.model import Hearing
from checker.reader.card import WEIGHTS, ReaderFilesError
from checker.reader.second import SecondReader
from checker.settings import ReaderSettings


@dataclass(slots=True)
class TolerantReader:
    """A reader whose files may turn out to be damaged: then it hears nothing, and says so once.

    Hearing nothing is safe: the rules' findings stand as they would without a second reader.
    """

    reader: SecondReader
    log: Any
    problem: str = ""

    def read(self, texts: Sequence[str]) -> Sequence[tuple[Hearing, ...]]:
        """Per text its hearings; empty ones after a failure."""
        if not self.problem:
            try:
                return self.reader.read(texts)
            except ReaderFilesError as error:
                self.problem = str(error)
                self.log.warning("second reader off", reason=self.problem)
        return [()] * len(texts)


def open_reader(settings: ReaderSettings) -> TolerantReader | None:
    """The reader that the configuration asks for; its files are not touched yet."""
    if not settings.enabled:
        return None
    reader = SecondReader(settings.folder or WEIGHTS, settings.threads)
    return TolerantReader(reader, structlog.get_logger())
