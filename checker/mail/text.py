"""HTML to the text a reader sees, in one walk over selectolax's tree.

Blocks become lines, lists get markers, data tables become rows ``a | b | c``, a ``blockquote`` becomes
quoted lines (``> `` per depth) so that :mod:`checker.mail.zones` reads HTML and plain text alike, and a
rule (``hr``, or Outlook's top border over a header block) becomes a line of underscores.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from .clean import squeezed, visible

_SKIPPED: Final = frozenset({
    "head", "style", "script", "title", "meta", "link", "template", "noscript", "object", "embed", "iframe",
    "svg", "select", "option", "textarea", "button", "audio", "video", "canvas", "map", "math",
})  # fmt: skip
_BLOCKS: Final = frozenset({
    "p", "div", "section", "article", "header", "footer", "main", "aside", "nav", "address", "center",
    "form", "fieldset", "dl", "dt", "dd", "ul", "ol", "li", "pre", "table", "thead", "tbody", "tfoot", "tr",
    "caption", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "figcaption", "details",
    "summary", "body", "html",
})  # fmt: skip
_SPACED: Final = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "pre"])
_RULE: Final = "_" * 32
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_HIDDEN: Final = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:0(?:px|pt|em|%)?(?:;|$|!)|max-height:0(?:px)?(?:;|$|!)"
)
_TOP_BORDER: Final = re.compile(r"border-top:(?:solid|[\d.]+pt|1px)[^;]*")
_MAX_DEPTH: Final = 60  # of quotes; deeper ones are shown as this deep
_MAX_NESTING: Final = 1_000
_TAG: Final = re.compile(r"<[^<>]*>")
_TAG_NAME: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_UNCLOSED: Final = frozenset({
    "br", "hr", "img", "p", "li", "td", "th", "tr", "meta", "link", "input", "col", "wbr", "area", "base",
    "dd", "dt", "option",
})  # fmt: skip
_MAX_CELLS: Final = 12
_CELL_CHARS: Final = 400


def html_text(source: str, limit: int = 2_000_000) -> str:
    """The visible text, line ends ``\\n``; empty when nothing can be seen.

    :param limit: characters of text after which the rest is left out (:data:`len` of the result tells)
    """
    if _too_deep(source):  # the parser's cost grows with the square of the depth
        return squeezed(visible(html.unescape(_TAG.sub("\n", source))[:limit]))
    root = LexborHTMLParser(source).root
    if root is None:
        return ""
    writer = _Writer(limit)
    _walk(root, writer)
    writer.end_line()
    return squeezed(visible("\n".join(writer.lines)))


@dataclass(frozen=True, slots=True)
class _Opened:
    """An element whose end is still to come."""

    id: int
    tag: str
    row: bool  # a data row, written as one line
    gap: bool  # followed by an empty line


def _too_deep(source: str) -> bool:
    depth = 0
    for match in _TAG_NAME.finditer(source):
        if match[2].lower() in _UNCLOSED:
            continue
        depth = max(depth - 1, 0) if match[1] else depth + 1
        if depth > _MAX_NESTING:
            return True
    return False


class _Writer:
    """Collects lines; knows the quoting depth and whether it is inside a table row or ``pre``."""

    def __init__(self, limit: int) -> None:
        self.lines: list[str] = []
        self.depth = 0
        self.pre = 0
        self.row = 0
        self.left = limit
        self._parts: list[str] = []
        self._prefix = ""

    def text(self, text: str) -> None:
        if self.pre and not self.row:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._add(first)
            for line in rest:
                self.end_line(force=True)
                self._add(line)
            return
        text = _BLANKS.sub(" ", text)
        if text.startswith(" ") and (not self._parts or self._parts[-1].endswith(" ")):
            text = text[1:]
        self._add(text)

    def _add(self, text: str) -> None:
        if text and self.left > 0:
            self._parts.append(text[: self.left])
            self.left -= len(text)

    def mark(self, text: str) -> None:
        """A list marker: stands before the next text of this line, and is no line by itself."""
        self._prefix = text

    def end_line(self, *, force: bool = False) -> None:
        if self.row:
            if self._parts and not self._parts[-1].endswith(" "):
                self._parts.append(" ")
            return
        line = "".join(self._parts).rstrip(" ")
        if line or force:  # a lone no-break space is how Outlook writes an empty line
            if line.strip():
                line, self._prefix = self._prefix + line, ""
            self.lines.append(f"{'>' * self.depth} {line}" if self.depth else line)
        self._parts.clear()

    def blank(self) -> None:
        """A paragraph's gap, unless there is one already."""
        self.end_line()
        quote = f"{'>' * self.depth} " if self.depth else ""
        if not self.row and self.lines and self.lines[-1].strip("> ") and not self._prefix:
            self.lines.append(quote)

    def rule(self) -> None:
        self.end_line()
        if not self.row:
            self.lines.append(f"{'>' * self.depth} {_RULE}" if self.depth else _RULE)

    def cell(self) -> None:
        while self._parts and self._parts[-1] == " ":
            self._parts.pop()
        self._parts.append(" | ")

    def end_row(self) -> None:
        self.row -= 1
        while self._parts and self._parts[-1] in (" ", " | "):
            self._parts.pop()
        self.end_line()


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Depth first without recursion: HTML of any nesting must not exhaust the stack."""
    node: LexborNode | None = root
    lists: list[int] = []  # per open list: -1 for bullets, else the last number
    opened: list[_Opened] = []
    while node is not None and writer.left > 0:
        child = _enter(node, writer, lists, opened)
        if child is not None:
            node = child
            continue
        while node is not None:
            if opened and opened[-1].id == node.mem_id:
                _leave(opened.pop(), writer, lists)
            if node.mem_id == root.mem_id:
                return
            if node.next is not None:
                node = node.next
                break
            node = node.parent


def _enter(node: LexborNode, writer: _Writer, lists: list[int], opened: list[_Opened]) -> LexborNode | None:
    """Write what stands before a node's children; the first child, or ``None`` to pass over them."""
    if node.is_text_node:
        writer.text(node.text_content or "")
        return None
    tag = node.tag or ""
    if (not node.is_element_node and node.child is None) or tag in _SKIPPED:
        return None
    if tag == "br":
        if writer.row:
            writer.end_line()
        else:
            writer.end_line(force=True)
        return None
    if tag == "hr":
        writer.rule()
        return None
    attributes = node.attributes if node.is_element_node else {}
    style = (attributes.get("style") or "").replace(" ", "").lower()
    if "hidden" in attributes or (style and _HIDDEN.search(style)):
        return None
    if tag == "div" and style and _TOP_BORDER.search(style) and "border-top:none" not in style:
        writer.rule()
    row = tag == "tr" and not writer.row and _is_data_row(node)
    _open(tag, attributes, writer, lists)
    if row:
        writer.row += 1
    opened.append(_Opened(node.mem_id, tag, row, _has_gap(tag, attributes, style)))
    return node.child


def _open(tag: str, attributes: dict[str, str | None], writer: _Writer, lists: list[int]) -> None:
    if tag in _BLOCKS:
        writer.end_line()
    if tag == "blockquote":
        writer.depth = min(writer.depth + 1, _MAX_DEPTH)
    elif tag in ("ul", "ol"):
        start = attributes.get("start") or "1"
        lists.append(-1 if tag == "ul" else (int(start) if start.isascii() and start[:6].isdigit() else 1) - 1)
    elif tag == "li":
        if lists and lists[-1] >= 0:
            lists[-1] += 1
            writer.mark(f"{lists[-1]}. ")
        else:
            writer.mark("- ")
    elif tag in ("td", "th"):
        if not writer.row:
            writer.end_line()
    elif tag == "pre":
        writer.pre += 1


def _has_gap(tag: str, attributes: dict[str, str | None], style: str) -> bool:
    """Whether readers see an empty line after the block. Outlook's paragraphs are its lines."""
    flat = "mso" in (attributes.get("class") or "").lower() or "margin:0" in style or "margin-bottom:0" in style
    return tag == "table" or (tag in _SPACED and not flat)


def _leave(element: _Opened, writer: _Writer, lists: list[int]) -> None:
    tag = element.tag
    if element.row:
        writer.end_row()
        return
    if tag in ("td", "th") and writer.row:
        writer.cell()
        return
    if tag in _BLOCKS or tag in ("td", "th"):
        writer.end_line()
    if tag == "blockquote":
        writer.depth = max(writer.depth - 1, 0)
    elif tag in ("ul", "ol"):
        if lists:
            lists.pop()
    elif tag == "pre":
        writer.pre -= 1
    if element.gap:
        writer.blank()


def _is_data_row(row: LexborNode) -> bool:
    """Cells side by side that are short and hold no layout of their own."""
    cells = 0
    cell = row.child
    while cell is not None:
        if cell.tag in ("td", "th"):
            cells += 1
            text = cell.text_content or ""
            if cells > _MAX_CELLS or len(text) > _CELL_CHARS or cell.css_first("table, blockquote, ul, ol, hr"):
                return False
        cell = cell.next
    return cells >= 2
