"""Own words to segments: sentences, list items, label lines, table rows, with their clauses.

spaCy's ``sentencizer`` ignores line ends and splits "S.p.A."; mails are lines, lists, label lines and
tables (design), so the segmenter is our own. It works in one pass over the lines and never looks back
further than the paragraph, so its cost is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from .fold import fold

MAX_WORDS = 400  # a longer "sentence" is cut: nothing that a person means is further apart

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_MARKER = re.compile(  # with the short words that answers put before the number of the question
    r"[ \t]*(?:[-*•–·>+]|\(?(\d{1,2}|[a-zA-Z])[.)](?=\s)|(?:(?:zu|ad|re|to|pkt|punkt|punto|point|točka|k)\.?[ \t]+)?"
    r"(\d{1,2})[.):-](?=\s))[ \t]+",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[ \t]*[^\W\d_][^:\n|]{1,48}:(?=\s|$)")
_END = re.compile(r"(?<![.!?…])[.!?…]+[\"'»”)\]]*(?=\s|$)|\n")
_HARD = re.compile(r"[;]|\s[-–—]+\s|\.\.\.|…")
_SOFT = re.compile(r"[,()]")
_DATE = re.compile(r"\d{1,2}\.\d{1,2}(?:\.\d{2,4})?")
_LEADER = re.compile(r"(?:[ \t]+\.{4,}|\.{6,})[ \t]*:?[ \t]*")  # "Restart ........ allowed"
_MORE = re.compile(r"[ \t]*:?[ \t]*[^\s:]")
LABEL = 4  # words that a label has at most, if what follows is still its clause
LONGEST_LABEL = 8
_WRAPPED = 44  # a line at least this long may go on in the next one


@dataclass(frozen=True)
class Segment:
    """A stretch of text that is read as one statement or a few.

    ``start``/``end`` are offsets in the text it came from; ``words[i]`` stands at ``spans[i]``.
    ``clauses[i]`` numbers the comma-parts, ``groups[i]`` the parts between harder breaks (";", dashes,
    "but"). ``marker`` is a list number or letter. ``head`` is the number of words before a label's
    colon. ``question`` says that it ends with a question mark (``tag``: of a tag question). ``quoted[i]`` says
    that a word stands inside quotation marks.
    """

    start: int
    end: int
    text: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    clauses: tuple[int, ...]
    groups: tuple[int, ...]
    quoted: tuple[bool, ...]
    marker: str | None = None
    head: int = 0
    question: bool = False
    paragraph: int = 0
    tag: bool = False  # the question mark belongs to a word or two behind a comma ("…, ok?")

    @cached_property
    def starts(self) -> frozenset[int]:
        """The words that begin a clause; what stands behind a label's colon begins one."""
        clauses = self.clauses
        return frozenset({i for i in range(len(clauses)) if not i or clauses[i] != clauses[i - 1]} | {self.head})

    @cached_property
    def ends(self) -> frozenset[int]:
        """The places behind the words that end a clause."""
        return frozenset({i for i in self.starts if i} | {len(self.words)})

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The words as they are compared."""
        return tuple(fold(w) for w in self.words)


def segment(text: str, start: int, end: int, abbreviations: frozenset[str]) -> list[Segment]:
    """The segments of ``text[start:end]`` in order; ``abbreviations`` (folded) do not end a sentence."""
    result: list[Segment] = []
    paragraph = 0
    block: list[tuple[int, int]] = []
    at = start
    for line in text[start:end].split("\n"):
        span = (at, at + len(line))
        at += len(line) + 1
        if not line.strip():
            _flush(text, block, abbreviations, paragraph, result)
            block = []
            paragraph += 1
            continue
        if block and not _continues(text[slice(*block[-1])], line):
            _flush(text, block, abbreviations, paragraph, result)
            block = []
        block.append(span)
    _flush(text, block, abbreviations, paragraph, result)
    return result


def _continues(before: str, line: str) -> bool:
    """Whether ``line`` goes on with the sentence of ``before`` (hard-wrapped prose)."""
    if _MARKER.match(line) or "|" in line[:3] or before.rstrip().endswith("|"):
        return False
    if not line.lstrip()[:1].islower() and (" ...." in before or "......" in before):
        return False  # lines of a form
    label = _LABEL.match(line)
    if label and len(label[0].split()) <= 4:
        return False
    first = line.lstrip()[:1]
    tail = before.rstrip()
    if tail.endswith((",", "(", "-")) or (first.islower() and not tail.endswith((":", ".", "!", "?"))):
        return True
    return len(tail) >= _WRAPPED and not tail.endswith((":", "!", "?", "."))


def _flush(
    text: str, block: list[tuple[int, int]], abbreviations: frozenset[str], paragraph: int, out: list[Segment]
) -> None:
    if not block:
        return
    start, end = block[0][0], block[-1][1]
    marker = None
    if found := _MARKER.match(text, start, end):
        marker = found[1] or found[2]
        if found.end() < end:
            start = found.end()
    at = start
    for stop in _END.finditer(text, start, end):
        if stop[0] == "\n" or not _ends_sentence(text, at, stop, end, abbreviations):
            continue
        _emit(text, at, stop.end(), marker, paragraph, out)
        at = stop.end()
        marker = marker if stop.end() < end else None
    if at < end:
        _emit(text, at, end, marker, paragraph, out)


def _ends_sentence(text: str, at: int, stop: re.Match[str], end: int, abbreviations: frozenset[str]) -> bool:
    mark = stop[0]
    if "?" in mark or "!" in mark:
        return True
    dots = mark.startswith("....") and _MORE.match(text, stop.end(), end)
    if dots and (len(mark) > 5 or text[stop.start() - 1 : stop.start()].isspace()):
        return False  # they lead from a label to its answer
    if mark.startswith(("..", "…")):
        following = text[stop.end() : min(stop.end() + 3, end)].strip()[:1]
        return not following.islower()
    before = text[max(at, stop.start() - 14) : stop.start()]
    last = re.split(r"[\s(]", before)[-1]
    if not last:
        return False
    folded = fold(last)
    if folded == "no":  # "no." abbreviates a number, and only before one
        return not text[stop.end() : min(stop.end() + 3, end)].strip()[:1].isdigit()
    if (
        folded in abbreviations
        or (len(last) == 1 and last.isalpha())
        or ("." in last and len(last) <= 6 and not last[0].isdigit())
    ):
        return False
    following = text[stop.end() : min(stop.end() + 3, end)].strip()[:1]
    if last.isdigit():  # "1." of a list, "17." of a date
        return (not (following.islower() or following.isdigit()) and len(last) > 2) or following == ""
    # "28.11. between 8 and 10" goes on
    return not (_DATE.fullmatch(last) and (following.islower() or following.isdigit()))


def _emit(text: str, start: int, end: int, marker: str | None, paragraph: int, out: list[Segment]) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return
    spans: list[tuple[int, int]] = []
    words: list[str] = []
    clauses: list[int] = []
    groups: list[int] = []
    quoted: list[bool] = []
    clause = group = 0
    inside = False
    head = bars = 0
    last = start
    for found in _WORD.finditer(text, start, end):
        between = text[last : found.start()]
        if between and not between.isspace():
            if _LEADER.fullmatch(between):
                head = head or len(words)
            elif _HARD.search(between):
                group += 1
                clause += 1
            elif _SOFT.search(between):
                clause += 1
            if "|" in between and words:
                bars += 1
                if bars % 2 == 0:  # cells come in pairs: what it is, and what of it
                    clause += 1
                elif not head:
                    head = len(words)
            if ":" in between and "\n" not in between:
                if not head and len(words) <= LONGEST_LABEL:
                    head = len(words)
                if len(words) > LABEL and not between.endswith(":"):
                    clause += 1  # more than a label before it: another clause begins
            elif head and between == " / ":
                clause += 1  # "Reboot: yes / power-off: no"
            marks = sum(between.count(q) for q in '"„“”«»')
            if marks % 2:
                inside = not inside
        spans.append(found.span())
        words.append(found[0])
        clauses.append(clause)
        groups.append(group)
        quoted.append(inside)
        last = found.end()
        if len(words) >= MAX_WORDS:
            break
    if not words:
        return
    tail = text[last:end]
    if not head and len(words) <= 8 and tail.strip().startswith(":"):
        head = len(words)
    last_clause = next((i for i in range(len(clauses) - 1, 0, -1) if clauses[i] != clauses[i - 1]), 0)
    out.append(
        Segment(
            start, end, text[start:end], tuple(words), tuple(spans), tuple(clauses), tuple(groups),
            tuple(quoted), marker, head, "?" in tail, paragraph, len(words) - last_clause <= 2 < last_clause,
        )
    )  # fmt: skip
    if last < end and len(words) >= MAX_WORDS:
        _emit(text, last, end, None, paragraph, out)
