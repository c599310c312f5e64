"""The seam for a second reader: which segments it is given, and what it makes of them.

The rules stay the first reader. Whatever implements :class:`SegmentReader` is asked once a message, with all
the segments that may say something, so that it can work in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from ..model import Heard, Hearing, ZoneKind
from .reading import Reading, Stretch
from .segments import Segment

MOST: Final = 80  # segments a message; what a person writes by hand has fewer
LETTERS: Final = 8  # "Ciao", "Thanks", "1. sì": nothing that can be understood without its question


class SegmentReader(Protocol):
    """Reads segments one by one, without what stands around them."""

    def read(self, texts: Sequence[str]) -> Sequence[tuple[Hearing, ...]]:
        """Per text: labels with calibrated probabilities."""


def hear(
    reader: SegmentReader, reading: Reading, parts: Sequence[tuple[Stretch, Sequence[Segment]]]
) -> tuple[Heard, ...]:
    """What ``reader`` makes of the sender's own words: body only, logs left out, the first :data:`MOST` segments."""
    chosen = [
        part
        for stretch, segments in parts
        if stretch.part == "body" and stretch.kind is not ZoneKind.LOG
        for part in segments
        if len(part.words) > 1 and sum(map(len, part.words)) >= LETTERS and any(w.isalpha() for w in part.words)
    ][:MOST]
    if not chosen:
        return ()
    hearings = reader.read([" ".join(part.text.split()) for part in chosen])
    return tuple(
        Heard(reading.span(part.start, part.end), found, part.question)
        for part, found in zip(chosen, hearings, strict=True)
        if found
    )
