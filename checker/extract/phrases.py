"""The phrase syntax of the language packs: what a support lead writes, and the readings it stands for.

It is small on purpose, so that no phrase can run away:

``word``        that word; case and diacritics do not matter
``=sì``         that word with exactly these diacritics (where ``si`` means something else)
``riavvi*``     every word that begins so (at least three letters before the star)
``{a,b c}``     one of these
``(word)``      the word or nothing; ``(a,b)`` is one of these or nothing
``~3``          up to three other words, within the same segment (1 to 8)
``^phrase``     only at the start of a clause
``phrase$``     only at the end of a clause (a label's colon ends one too)
``+phrase``     does not hide shorter matches inside it (see :meth:`.lexicon.Lexicon.hits`)
"""

from __future__ import annotations

import re
from typing import Final

MAX_GAP: Final = 8
MAX_READINGS: Final = 2000
_BRACES = re.compile(r"[{}()]")
_PIECE = re.compile(r"[{}(),]|[^{}(),]+")
_GAP = re.compile(r"~(\d+)\Z")


class PhraseError(ValueError):
    """A phrase that cannot be read; the message says what is wrong with it."""


def items(phrase: str) -> list[tuple[str, ...]]:
    """The places of ``phrase``, each with its readings; a reading may be several words, or none.

    Alternatives inside a word are written out, alternatives of words stay side by side, so that a phrase
    of many choices costs their sum and not their product.

    >>> items("far{lo,la} (pure) {ripartire,andare su}")
    [('farlo', 'farla'), ('', 'pure'), ('ripartire', 'andare su')]
    """
    return [readings(place, phrase) for place in places(phrase)]


def places(phrase: str) -> list[str]:
    """``phrase`` cut at the blanks that stand outside braces. Raises :class:`PhraseError`."""
    if not _BRACES.search(phrase):
        return phrase.split()
    found: list[str] = []
    place = ""
    depth = 0
    for piece in phrase.split():
        place = f"{place} {piece}" if depth > 0 else piece
        if _BRACES.search(piece):
            depth = max(depth, 0) + piece.count("{") + piece.count("(") - piece.count("}") - piece.count(")")
        if depth <= 0:
            found.append(place)
    if depth > 0:
        opener = "{" if phrase.count("{") > phrase.count("}") else "("
        raise PhraseError(f"'{phrase}': '{opener}' is never closed; write '{'}' if opener == '{' else ')'}'")
    return found


def readings(place: str, phrase: str) -> tuple[str, ...]:
    """The readings of one place of ``phrase``. Raises :class:`PhraseError`."""
    if not _BRACES.search(place):
        return (place,)
    pieces: list[str] = _PIECE.findall(place)
    options, stop = _sequence(pieces, 0, "", phrase)
    if stop != len(pieces):
        raise PhraseError(f"'{phrase}': '{pieces[stop]}' closes nothing")
    return tuple(dict.fromkeys(" ".join(o.split()) for o in options))


def _sequence(pieces: list[str], at: int, closers: str, phrase: str) -> tuple[list[str], int]:
    """The readings of ``pieces`` from ``at`` to one of ``closers`` (or the end), and where that stands."""
    options = [""]
    while at < len(pieces) and pieces[at] not in closers:
        piece = pieces[at]
        if piece in "{(":
            closer = "}" if piece == "{" else ")"
            choices = [""] if piece == "(" else []
            while True:
                inner, at = _sequence(pieces, at + 1, f",{closer}", phrase)
                if at >= len(pieces):
                    raise PhraseError(f"'{phrase}': '{piece}' is never closed; write '{closer}'")
                choices += inner
                if pieces[at] == closer:
                    break
                if pieces[at] != ",":
                    raise PhraseError(f"'{phrase}': '{pieces[at]}' closes nothing")
            options = [head + tail for head in options for tail in choices]
            if len(options) > MAX_READINGS:
                raise PhraseError(f"'{phrase}' stands for more than {MAX_READINGS} phrases; split it")
        elif piece in "})":
            break
        else:
            options = [head + piece for head in options]
        at += 1
    return options, at


def gap(word: str, phrase: str) -> int:
    """The width of the gap that ``word`` is; 0 when it is none. Raises :class:`PhraseError`."""
    found = _GAP.match(word)
    if found is None:
        return 0
    width = int(found[1])
    if not 1 <= width <= MAX_GAP:
        raise PhraseError(f"'{phrase}': a gap is ~1 to ~{MAX_GAP} words")
    return width
