"""The segmenter: sentences, list items, label lines, tables; offsets that point at the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.extract.segments import Segment, segment

ABBREVIATIONS = frozenset({"sig", "s.p.a", "z.b", "ca", "dr"})


def texts(text: str) -> list[str]:
    return [s.text for s in segment(text, 0, len(text), ABBREVIATIONS)]


def one(text: str) -> Segment:
    found = segment(text, 0, len(text), ABBREVIATIONS)
    assert len(found) == 1
    return found[0]


def test_sentences_end_at_stops_but_not_at_abbreviations() -> None:
    assert texts("Il sig. Rossi della Bit S.p.A. riavvia. Poi basta!") == [
        "Il sig. Rossi della Bit S.p.A. riavvia.",
        "Poi basta!",
    ]


def test_hard_wrapped_prose_is_one_sentence() -> None:
    text = "You may restart the machine whenever your technician thinks it\nhelps, and power it off too."
    assert texts(text) == [text]


def test_label_lines_and_list_items_stand_alone() -> None:
    assert texts("IP 203.0.113.87\nutente: root\npass: x") == ["IP 203.0.113.87", "utente: root", "pass: x"]
    items = segment("1. yes\n2) done yesterday\nb) no", 0, 100, ABBREVIATIONS)
    assert [(i.marker, i.text) for i in items] == [("1", "yes"), ("2", "done yesterday"), ("b", "no")]


def test_a_label_is_known_by_its_head() -> None:
    assert one("Backup: current and complete").head == 1
    assert one("No label here").head == 0


def test_commas_make_clauses_and_dashes_make_groups() -> None:
    found = one("restart it, fine - power off no")
    assert found.clauses == (0, 0, 1, 2, 2, 2)
    assert found.groups == (0, 0, 0, 1, 1, 1)


def test_a_question_is_known_by_its_mark_only_at_the_end() -> None:
    assert one("May you restart it?").question
    assert not one("Restart it").question
    assert [s.question for s in segment("Restart? Yes.", 0, 13, ABBREVIATIONS)] == [True, False]


def test_words_in_quotation_marks_are_marked() -> None:
    found = one('You wrote "all data go" to me')
    assert [w for w, q in zip(found.words, found.quoted, strict=True) if q] == ["all", "data", "go"]


def test_version_numbers_and_addresses_do_not_end_sentences() -> None:
    assert texts("Ubuntu 22.04 on 203.0.113.7 please") == ["Ubuntu 22.04 on 203.0.113.7 please"]


@given(st.text(alphabet="ab .!?\n|:;,-\"'1>*é", max_size=300))
def test_offsets_point_at_the_words(text: str) -> None:
    last = 0
    for part in segment(text, 0, len(text), ABBREVIATIONS):
        assert text[part.start : part.end] == part.text
        assert part.start >= last
        last = part.end
        for word, (start, end) in zip(part.words, part.spans, strict=True):
            assert text[start:end] == word
        assert len(part.words) == len(part.clauses) == len(part.groups) == len(part.quoted)


@given(st.text(max_size=400))
def test_no_word_is_lost(text: str) -> None:
    import re

    words = re.findall(r"[^\W_]+", text)
    found = [w for s in segment(text, 0, len(text), ABBREVIATIONS) for w in s.words]
    markers = [s.marker for s in segment(text, 0, len(text), ABBREVIATIONS) if s.marker]
    assert len(found) + len(markers) <= len(words) + len(markers)
    assert len(words) - len(found) <= sum(1 for _ in text.split("\n"))  # at most a list marker a line


@pytest.mark.parametrize("line", ["2. yes, do", "2) yes, do", "Zu 2: yes, do", "ad 2. yes, do", "Re 2: yes, do"])
def test_answers_name_the_number_of_their_question(line: str) -> None:
    [found] = segment(line, 0, len(line), frozenset())
    assert (found.marker, found.text) == ("2", "yes, do")


def test_the_last_dot_of_a_date_ends_no_sentence_that_goes_on() -> None:
    text = "Work on it on 28.11. between 20:00 and 22:00. We are there on 3.12. Thanks"
    assert [p.text for p in segment(text, 0, len(text), frozenset())] == [
        "Work on it on 28.11. between 20:00 and 22:00.",
        "We are there on 3.12.",
        "Thanks",
    ]
