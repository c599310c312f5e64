"""Whose words each line of a message is.

Every line has a letter (:mod:`checker.mail.lines`); one pass from the top decides over the letters where
quotes are introduced and how far they reach; what is left as the sender's own is then searched for
logs, disclaimers and signatures. Zones are whole lines, in order, without gaps.

Doubt goes two ways here. What may be a quote of ours must not become the customer's words (a false
consent); what looks like a log or a signature stays own words unless it is sure (a lost answer).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..model import Zone, ZoneKind
from .lines import Line, Look, split_lines
from .logs import log_lines
from .quotes import Introduction, attribution, foreign_header_block, header_block
from .signature import mark_signatures
from .words import MailWords, plain_words

_WRAPPED_AT: Final = 62  # a quoted line at least so long may have been broken by the sender's program
_DRESSED: Final = re.compile(r"[ \t]*[-_=*~–—]{3,}[^-_=*~–—]{3,60}[-_=*~–—]{3,}[ \t]*$")  # a marker in any language
_MAX_WRAPPED: Final = 2
_PHRASE_LINES: Final = 3  # that a phrase may be wrapped over
_MAX_DISCLAIMER_WORDS: Final = 400


@dataclass(slots=True)
class _Label:
    kind: ZoneKind | None = None  # None: a blank line, goes with what is above
    depth: int = 0


def split_zones(
    text: str,
    words: MailWords,
    *,
    forward: bool = False,
    reply: bool = False,
    own_addresses: frozenset[str] = frozenset(),
) -> tuple[Zone, ...]:
    """The zones of a visible text (line ends ``\\n``); they cover it, and there are none for ``""``.

    :param forward: the subject says that a mail was passed on ("Fwd:", "WG:")
    :param reply: the mail answers another one, so a header block at its top is a quote, no contact form
    :param own_addresses: the hoster's; a passed-on mail of ours is quoted, never somebody else's word
    """
    lines = split_lines(text, words)
    labels = [_Label() for _ in lines]
    _label_quotes(lines, labels, words, forward, own_addresses)
    if not reply and not forward:
        _restore_form(lines, labels, own_addresses, words)
    _label_own(lines, labels, words)
    return _merge(lines, labels)


def is_reply(subject: str, words: MailWords) -> bool:
    """Whether the subject starts with a reply's prefix ("Re:", "AW:")."""
    return ":" in subject[:14] and plain_words(subject.partition(":")[0]).strip() in words.reply_prefixes


def is_forward(subject: str, words: MailWords) -> bool:
    """Whether the subject's prefixes say that the mail passes another one on."""
    rest = subject
    while ":" in rest[:14]:
        prefix, _, rest = rest.partition(":")
        name = plain_words(prefix.strip(" [(")).strip()
        if name in words.forward_prefixes:
            return True
        if name not in words.reply_prefixes:
            return False
    return False


# --- quotes ----------------------------------------------------------------------------------------


def _label_quotes(
    lines: Sequence[Line],
    labels: list[_Label],
    words: MailWords,
    forward: bool,
    own_addresses: frozenset[str],
) -> None:
    at = 0
    open_kind: ZoneKind | None = None  # inside a quote that has no ">" and runs to the end
    depth = 0
    blocks = 0
    while at < len(lines):
        line = lines[at]
        found = introduction(lines, at, words)
        if found is not None:
            for index in range(found.start, found.end):
                labels[index] = _Label(ZoneKind.ATTRIBUTION, depth)
            blocks += 1
            passed_on = (found.forward or (forward and blocks == 1 and open_kind is None)) and (
                found.address not in own_addresses
            )
            kind = ZoneKind.FORWARDED if passed_on else ZoneKind.QUOTED
            at = found.end
            following = _next_words(lines, at)
            if following is not None and lines[following].look is Look.QUOTED:
                at = _label_marked(lines, labels, following, kind)
                continue
            open_kind = kind
            depth += 1
        elif line.look is Look.QUOTED:
            at = _label_marked(lines, labels, at, open_kind or ZoneKind.QUOTED)
        else:
            if line.look is not Look.EMPTY:
                labels[at] = _Label(open_kind or ZoneKind.OWN, depth)
            at += 1


def introduction(lines: Sequence[Line], at: int, words: MailWords) -> Introduction | None:
    """What introduces a quote at this line: a marker, a rule over a header block, a block, an attribution."""
    line = lines[at]
    if line.look in (Look.ORIGINAL, Look.FORWARD):
        below = _next_words(lines, at + 1)
        block = None
        if below is not None:
            block = header_block(lines, below, words, announced=True) or attribution(lines, below, words)
        if block is not None:
            return Introduction(at, block.end, line.look is Look.FORWARD, block.address)
        return Introduction(at, at + 1, line.look is Look.FORWARD)
    if line.look is Look.RULE or _DRESSED.match(line.text):
        below = _next_words(lines, at + 1)
        if below is not None:
            block = header_block(lines, below, words, announced=True) or foreign_header_block(lines, below)
            if block is not None:
                return Introduction(at, block.end, False, block.address)
    if line.look is not Look.TEXT:
        return None
    return (
        attribution(lines, at, words)
        or header_block(lines, at, words, announced=False)
        or foreign_header_block(lines, at)
    )


def _next_words(lines: Sequence[Line], at: int) -> int | None:
    return next((i for i in range(at, min(at + 5, len(lines))) if lines[i].look is not Look.EMPTY), None)


def _label_marked(lines: Sequence[Line], labels: list[_Label], at: int, kind: ZoneKind) -> int:
    """Label a run of lines quoted by ``>``, and lines that the sender's program broke off them."""
    while at < len(lines):
        if lines[at].look is Look.QUOTED:
            labels[at] = _Label(kind, lines[at].depth)
            at += 1
            continue
        if lines[at].look is Look.EMPTY:
            ahead = _next_words(lines, at)
            if ahead is None or lines[ahead].look is not Look.QUOTED:
                return at
            at = ahead
            continue
        end = _wrapped(lines, at)
        if end == at:
            return at
        for index in range(at, end):
            labels[index] = _Label(kind, lines[at - 1].depth)
        at = end
    return at


def _wrapped(lines: Sequence[Line], at: int) -> int:
    """The end of the lines at ``at`` that are the rest of a long quoted line; ``at`` when they are not.

    "> … pharetra d / ignissim odio? / >": the line above is long and goes on, the rest starts small and
    is followed by the quote. An answer under a question is none of that.
    """
    above = lines[at - 1]
    if above.look is not Look.QUOTED or len(above.text) < _WRAPPED_AT or above.text.rstrip()[-1] in '.?!:;…»”")':
        return at
    end = at
    while end < len(lines) and lines[end].look is Look.TEXT:
        end += 1
    if not 0 < end - at <= _MAX_WRAPPED or end >= len(lines) or lines[end].look is not Look.QUOTED:
        return at
    start = lines[at].text.lstrip()
    return end if start[:1].islower() and len(lines[at].text) < len(above.text) else at


def _restore_form(lines: Sequence[Line], labels: list[_Label], own_addresses: frozenset[str], words: MailWords) -> None:
    """A header block at the very top that nothing marks as a quote is a contact form: own words.

    Only where the rest would leave no own word, and never when the block names one of our addresses.
    """
    if any(label.kind in (ZoneKind.OWN, ZoneKind.FORWARDED) for label in labels):
        return
    top = _next_words(lines, 0)
    if top is None or lines[top].look is not Look.TEXT or attribution(lines, top, words) is not None:
        return
    block = header_block(lines, top, words, announced=False)
    if block is None or block.address in own_addresses:
        return
    for index in range(top, len(lines)):
        inside = index < block.end or labels[index].kind is ZoneKind.QUOTED
        if inside and lines[index].look is not Look.QUOTED and labels[index].kind is not None:
            labels[index] = _Label(ZoneKind.OWN)
        elif labels[index].kind is not None:
            return


# --- own words -------------------------------------------------------------------------------------


def _label_own(lines: Sequence[Line], labels: list[_Label], words: MailWords) -> None:
    first = _next_words(lines, 0)
    at = 0
    while at < len(lines):
        if labels[at].kind is not ZoneKind.OWN:
            at += 1
            continue
        end = at
        while end < len(lines) and labels[end].kind in (ZoneKind.OWN, None):
            end += 1
        _label_run(lines[at:end], labels[at:end], words, first=(first or 0) - at)
        at = end


def _label_run(lines: Sequence[Line], labels: Sequence[_Label], words: MailWords, *, first: int) -> None:
    own = [label.kind is ZoneKind.OWN for label in labels]
    for index, is_log in enumerate(log_lines([n.text for n in lines])):
        if is_log and own[index]:
            labels[index].kind = ZoneKind.LOG
            own[index] = False
    for start, end in _disclaimers(lines, words):
        for index in range(start, end):
            if own[index]:
                labels[index].kind = ZoneKind.DISCLAIMER
                own[index] = False
    available = [o or n.look is Look.EMPTY for o, n in zip(own, lines, strict=True)]
    for index, marked in enumerate(mark_signatures(lines, available, words, first=first)):
        if marked and own[index]:
            labels[index].kind = ZoneKind.SIGNATURE
    _close_gaps(lines, labels)


def _disclaimers(lines: Sequence[Line], words: MailWords) -> list[tuple[int, int]]:
    """Line ranges of confidentiality notes and footers: from the line that says so to its paragraph's end."""
    found = []
    at = 0
    while at < len(lines):
        if lines[at].look is Look.EMPTY:
            at += 1
            continue
        end = at
        while end < len(lines) and lines[end].look is not Look.EMPTY:
            end += 1
        start = _disclaimer_start([n.text for n in lines[at:end]], words)
        if start is not None and not _answers(lines[at + start : end]):
            found.append((at + start, end))
        at = end
    return found


def _disclaimer_start(paragraph: Sequence[str], words: MailWords) -> int | None:
    """The first line of the footer in a paragraph: the one where its first phrase starts."""
    if not words.disclaimer.inside(plain_words(" ".join(paragraph))):
        return None
    for end in range(1, len(paragraph) + 1):
        top = max(0, end - _PHRASE_LINES)
        starts = [i for i in range(top, end) if words.disclaimer.inside(plain_words(" ".join(paragraph[i:end])))]
        if starts:
            return starts[-1]
    return None


def _answers(lines: Sequence[Line]) -> bool:
    """Whether a "footer" is too long to be one: then somebody quotes the phrase in a real text."""
    return sum(len(n.text.split()) for n in lines) > _MAX_DISCLAIMER_WORDS


def _close_gaps(lines: Sequence[Line], labels: Sequence[_Label]) -> None:
    """A rule between two lines that are no own words goes with them; a rule is nobody's word."""
    for index in range(1, len(labels) - 1):
        if lines[index].look is Look.RULE and labels[index].kind is ZoneKind.OWN:
            before = next((labels[i].kind for i in range(index - 1, -1, -1) if labels[i].kind), None)
            after = next((labels[i].kind for i in range(index + 1, len(labels)) if labels[i].kind), None)
            if after is not None and before is not ZoneKind.OWN and before is not None:
                labels[index].kind = before if before is after else after


# --- zones -----------------------------------------------------------------------------------------


def _merge(lines: Sequence[Line], labels: Sequence[_Label]) -> tuple[Zone, ...]:
    zones: list[Zone] = []
    current = next((n for n in labels if n.kind is not None), _Label(ZoneKind.OWN))
    for line, label in zip(lines, labels, strict=True):
        if label.kind is not None:
            current = label
        kind = current.kind or ZoneKind.OWN
        if zones and zones[-1].kind is kind and zones[-1].depth == current.depth:
            zones[-1] = Zone(kind, zones[-1].start, line.end, current.depth)
        else:
            zones.append(Zone(kind, line.start, line.end, current.depth))
    return tuple(zones)
