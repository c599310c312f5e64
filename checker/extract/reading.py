"""What of a message may be read, and as what.

Zones say whose words a stretch of text is; a :class:`Reading` is the choice made from them: the sender's
own words, the subject, a forwarded mail that the sender adopts, and pasted logs (marked as such: they
describe the fault, and only a part's serial number is taken from them).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ..model import Message, Span, ZoneKind

MOST: Final = 40_000  # characters of one mail that are read for their meaning; a person reads the rest


@dataclass(frozen=True, slots=True)
class Stretch:
    """``start`` and ``end`` count in the message's text (``part`` "body") or subject ("subject")."""

    start: int
    end: int
    kind: ZoneKind
    part: str = "body"


@dataclass(frozen=True, slots=True)
class Reading:
    """The stretches of ``message`` that may be read, the subject first, then in the order of the text.

    ``capped``: there is more of them than :data:`MOST` characters, and the rest was left out.
    """

    message: Message
    stretches: tuple[Stretch, ...]
    capped: bool = False

    def text(self, part: str) -> str:
        """The text that the offsets of ``part`` count in."""
        return self.message.subject if part == "subject" else self.message.text

    def span(self, start: int, end: int, part: str = "body") -> Span:
        """A span of this message; its text is the words at these offsets."""
        return Span(self.message.n, start, end, self.text(part)[start:end], part)


def reading_of(message: Message, *, adopted: bool = False) -> Reading:
    """The reading of ``message``: subject, own words and logs; forwarded words too when they are ``adopted``."""
    wanted = {ZoneKind.OWN, ZoneKind.LOG} | ({ZoneKind.FORWARDED} if adopted else set())
    body = (Stretch(z.start, z.end, z.kind) for z in message.zones if z.kind in wanted and z.start < z.end)
    subject = (Stretch(0, len(message.subject), ZoneKind.OWN, "subject"),) if message.subject else ()
    stretches = (*subject, *body)
    kept = tuple(_bounded(message, stretches))
    return Reading(message, kept, kept != stretches)


def _bounded(message: Message, stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The stretches up to :data:`MOST` characters, the last one cut at a line's end if it has one."""
    room = MOST
    for s in stretches:
        if s.end - s.start <= room:
            yield s
            room -= s.end - s.start
            continue
        if room and s.part == "body":
            line = message.text.rfind("\n", s.start, s.start + room) + 1
            yield Stretch(s.start, line or s.start + room, s.kind, s.part)
        return
