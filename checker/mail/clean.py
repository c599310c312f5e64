"""Characters and line ends: what a person sees of a text, nothing else.

:func:`visible` is applied to every text once, before zones and offsets exist.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Zero-width and direction marks, soft hyphen, BOM: unseen, but they split words ("re<ZWSP>boot").
_UNSEEN: Final = dict.fromkeys(
    [0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)
_CONTROLS: Final = dict.fromkeys([*range(0x09), 0x0E, 0x0F, *range(0x10, 0x20), *range(0x7F, 0xA0)])
_LINES: Final = {0x0B: "\n", 0x0C: "\n", 0x1C: "\n", 0x1D: "\n", 0x1E: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_SPACES: Final = dict.fromkeys([0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_TABLE: Final = {**_UNSEEN, **_CONTROLS, **_SPACES, **_LINES}
_ODD: Final = re.compile("[" + "".join(map(re.escape, map(chr, _TABLE))) + "\ud800-\udfff]")  # few texts have any
_HEADER_BREAK: Final = re.compile(r"[\s\x00-\x1f]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BLANK_RUN: Final = re.compile(r"\n{4,}")


def visible(text: str) -> str:
    """The text with ``\\n`` line ends, ordinary blanks, and without what cannot be seen; NFC."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _ODD.search(text) is not None:
        text = _SURROGATE.sub("\ufffd", text.translate(_TABLE))
    text = unicodedata.normalize("NFC", text)
    return "\n".join(line.rstrip() if line != "-- " else line for line in text.split("\n"))


def squeezed(text: str) -> str:
    """At most two blank lines in a row, none at either end; one final line end unless empty."""
    text = _BLANK_RUN.sub("\n\n\n", text).strip("\n")
    return f"{text}\n" if text else ""


def one_line(text: str) -> str:
    """A header's value on one line: no CR, LF or control character survives (header injection)."""
    return _HEADER_BREAK.sub(" ", visible(text).replace("\t", " ")).strip()


def unflow(text: str, *, delsp: bool = False) -> str:
    """Undo ``format=flowed`` (RFC 3676): soft breaks joined, space-stuffing removed, quoting kept.

    A blank line always ends a paragraph, although by the letter a soft break could run into it:
    people see a paragraph there.
    """
    out: list[str] = []
    soft_depth = -1  # quoting depth of the open paragraph, -1 when the last line was fixed
    for raw in text.replace("\r\n", "\n").split("\n"):
        content = raw.lstrip(">")
        depth = len(raw) - len(content)
        if content.startswith(" "):
            content = content[1:]
        signature = content == "-- "
        soft = content.endswith(" ") and not signature and bool(content.strip())
        if soft and delsp:
            content = content[:-1]
        if soft_depth == depth and content.strip() and not signature:
            out[-1] += content
        else:
            out.append(f"{'>' * depth} {content}" if depth else content)
        soft_depth = depth if soft else -1
    return "\n".join(out)
