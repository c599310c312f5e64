"""What of a message may be read, and as what.

Zones say whose words a stretch of text is; a :class:`Reading` is the choice made from them: the sender's
own words, the subject, a forwarded mail that the sender adopts, and pasted logs (marked as such: they
describe the fault, and only a part's serial number is taken from them).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Message, Span, ZoneKind


@dataclass(frozen=True, slots=True)
class Stretch:
    """``start`` and ``end`` count in the message's text (``part`` "body") or subject ("subject")."""

    start: int
    end: int
    kind: ZoneKind
    part: str = "body"


@dataclass(frozen=True, slots=True)
class Reading:
    """The stretches of ``message`` that may be read, the subject first, then in the order of the text."""

    message: Message
    stretches: tuple[Stretch, ...]

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
    return Reading(message, (*subject, *body))
