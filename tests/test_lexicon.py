"""The lexicon: its phrase syntax, its forgiveness, and that longer phrases hide shorter ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.extract.fold import fold
from checker.extract.lexicon import Lexicon, PhraseError, items, squeeze


def concepts(lexicon: Lexicon, text: str, language: int = 0) -> list[tuple[str, int, int]]:
    return [(h.concept, h.start, h.end) for h in lexicon.hits(text.split())[language]]


def lexicon(**phrases: list[str]) -> Lexicon:
    built = Lexicon(["xx"])
    for concept, entries in phrases.items():
        built.add("xx", concept, entries)
    return built


def test_alternatives_optional_words_and_nesting_are_written_out() -> None:
    assert items("far{lo,la} (pure) ripartire") == [("farlo", "farla"), ("", "pure"), ("ripartire",)]
    assert items("(a,b c) d") == [("", "a", "b c"), ("d",)]
    assert items("{turn {it,them} off,power off}") == [("turn it off", "turn them off", "power off")]


def test_alternatives_meet_again_and_lend_nothing_to_other_phrases() -> None:
    built = lexicon(a=["{turn,switch} it (right) off"], b=["turn it on"], c=["{x,y} {p,q} {r,s}"])
    assert concepts(built, "switch it off") == [("a", 0, 3)]
    assert concepts(built, "turn it right off") == [("a", 0, 4)]
    assert concepts(built, "turn it on") == [("b", 0, 3)]
    assert concepts(built, "switch it on") == []
    assert [concepts(built, f"{i} {j} {k}") for i in "xy" for j in "pq" for k in "rs"] == [[("c", 0, 3)]] * 8


@pytest.mark.parametrize(
    ("phrase", "complaint"),
    [
        ("{a,b", "never closed"),
        ("{a,b c", "never closed"),
        ("(a", "never closed"),
        ("a}", "closes nothing"),
        ("{a)b}", "closes nothing"),
        ("ab*", "at least 3 letters"),
        ("a*b", "only at the end"),
        ("~2 word", "needs a word on both sides"),
        ("word {a,b ~2}", "needs a word on both sides"),
        ("word ~9 word", "a gap is ~1 to ~8"),
        ("/ -", "has no letters"),
        ("", "is empty"),
    ],
)
def test_a_phrase_that_cannot_be_read_says_why(phrase: str, complaint: str) -> None:
    with pytest.raises(PhraseError, match=complaint):
        lexicon(x=[phrase])


def test_case_and_accents_do_not_matter_unless_asked_for() -> None:
    built = lexicon(perche=["perché"], yes=["=sì"])
    assert concepts(built, "PERCHE si") == [("perche", 0, 1)]
    assert concepts(built, "perche' Sì") == [("yes", 1, 2)] or concepts(built, "perché Sì") == [
        ("perche", 0, 1),
        ("yes", 1, 2),
    ]


def test_stems_gaps_and_optional_words_match_within_their_bounds() -> None:
    built = lexicon(reboot=["riavvi*"], allow=["may ~2 restart"])
    assert concepts(built, "riavviatelo") == [("reboot", 0, 1)]
    assert concepts(built, "may you now restart") == [("allow", 0, 4)]
    assert concepts(built, "may you right now restart") == []


def test_gaps_stand_inside_alternatives_and_reach_over_what_may_be_left_out() -> None:
    built = lexicon(a=["a {b ~1 c,d} e"], f=["f (g) ~2 (h) i"], j=["j ~1 ~1 k"])
    assert concepts(built, "a b c e") == [("a", 0, 4)]
    assert concepts(built, "a b x c e") == [("a", 0, 5)]
    assert concepts(built, "a b x x c e") == []
    assert concepts(built, "f x x i") == concepts(built, "f g x i") == concepts(built, "f g h i") == [("f", 0, 4)]
    assert concepts(built, "f x x x i") == concepts(built, "f g") == []
    assert concepts(built, "j x k") == []  # two gaps in a row match nothing


def test_a_gap_shared_with_another_phrase_lends_it_nothing() -> None:
    built = lexicon(one=["a (b) ~2 c"], two=["a ~2 d"])
    assert concepts(built, "a x d") == [("two", 0, 3)]
    assert concepts(built, "a b x x d") == []
    assert concepts(built, "a b x x c") == [("one", 0, 5)]


def test_what_was_learnt_from_words_does_not_outlive_new_phrases() -> None:
    built = lexicon(a=["power off"])
    assert concepts(built, "power off now") == [("a", 0, 2)]
    built.add("xx", "b", ["off now"])
    assert concepts(built, "power off now") == [("a", 0, 2), ("b", 1, 3)]


def test_a_forgotten_step_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ("b e h", "c x f g h", "d x x x e h", "b c d e f g h")
    phrases = ["+{b,c,d} ~3 {e,f} (g) h"]
    expected = [concepts(lexicon(a=phrases), text) for text in texts]
    monkeypatch.setattr("checker.extract.lexicon._STEP_LIMIT", 3)
    monkeypatch.setattr("checker.extract.lexicon._MEMO_LIMIT", 3)
    built = lexicon(a=phrases)
    assert [[concepts(built, text) for text in texts] for _ in range(3)] == [expected] * 3
    assert all(expected)


def test_the_most_particular_phrase_names_the_hit_and_the_first_decides_what_it_hides() -> None:
    built = lexicon(a=["+(so) nothing {saved,copied}", "nothing saved", "nothing (at) ~1 saved"], b=["saved"])
    assert [(h.concept, h.phrase) for h in built.hits(["nothing", "saved"])[0]] == [
        ("a", "nothing saved"),
        ("b", "saved"),
    ]


def test_a_longer_phrase_hides_what_is_inside_it() -> None:
    built = lexicon(neg=["no"], fine=["no problem"], backup=["backup"], absent=["+without backup"])
    assert concepts(built, "no problem") == [("fine", 0, 2)]
    assert concepts(built, "no") == [("neg", 0, 1)]
    assert concepts(built, "without backup") == [("absent", 0, 2), ("backup", 1, 2)]


def test_a_slip_of_the_keyboard_is_forgiven_in_long_words_only() -> None:
    built = lexicon(reboot=["riavviare"], backup=["backup"], no=["not"])
    assert concepts(built, "riaviare") == [("reboot", 0, 1)]
    assert concepts(built, "bakup") == [("backup", 0, 1)]
    assert concepts(built, "riavvviare") == [("reboot", 0, 1)]
    assert concepts(built, "now") == []


def test_words_that_must_be_exact_forgive_nothing() -> None:
    built = Lexicon(["xx"])
    built.add("xx", "cue.neg", ["niemals"], tolerant=False)
    assert concepts(built, "niemal") == []
    assert concepts(built, "Niemals") == [("cue.neg", 0, 1)]


def test_languages_are_read_side_by_side() -> None:
    built = Lexicon(["it", "en"])
    built.add("it", "neg", ["non"])
    built.add("en", "neg", ["not"])
    rows = built.hits(["non", "not"])
    assert [[(h.concept, h.start) for h in row] for row in rows] == [[("neg", 0)], [("neg", 1)]]


@given(st.text(max_size=200))
def test_folding_never_moves_an_offset(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="abcàèßŁ", max_size=30))
def test_squeezing_leaves_no_doubled_letter(word: str) -> None:
    short = squeeze(word)
    assert all(a != b for a, b in pairwise(short))


@given(st.permutations(["power off", "power", "off", "no power off", "no"]))
def test_the_order_of_rules_does_not_matter(phrases: list[str]) -> None:
    built = Lexicon(["xx"])
    for phrase in phrases:
        built.add("xx", phrase.replace(" ", "_"), [phrase])
    assert sorted(concepts(built, "please no power off")) == [("no_power_off", 1, 4)]
