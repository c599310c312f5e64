"""What mail does to sentences: case, missing diacritics, slips, cut-off ends, line breaks. Seeded by the caller."""

from __future__ import annotations

import random
import unicodedata


def augmented(text: str, rng: random.Random) -> str:
    """``text`` as it might also have been typed; about half the time unchanged."""
    if rng.random() < 0.45:
        return text
    for change, chance in ((_plain, 0.3), (_slip, 0.35), (_unpunctuated, 0.25), (_broken, 0.15)):
        if rng.random() < chance:
            text = change(text, rng)
    draw = rng.random()
    if draw < 0.12:
        return text.upper()
    return text.lower() if draw < 0.35 else text


def _plain(text: str, _rng: random.Random) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).replace("ł", "l")


def _slip(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if len(w) > 4 and w.isalpha()]
    if not long:
        return text
    i = rng.choice(long)
    word = words[i]
    k = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        word = word[:k] + word[k + 1 :]
    elif kind == 1:
        word = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
    elif kind == 2:
        word = word[:k] + word[k] + word[k:]
    else:
        word = word[:-1]
    words[i] = word
    return " ".join(words)


def _unpunctuated(text: str, _rng: random.Random) -> str:
    return text.rstrip(".! ")


def _broken(text: str, rng: random.Random) -> str:
    blanks = [i for i, c in enumerate(text) if c == " "]
    if len(blanks) < 4:
        return text
    at = rng.choice(blanks)
    return text[:at] + "\n" + text[at + 1 :]
