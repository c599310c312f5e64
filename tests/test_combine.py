"""What rules and second reader say together: each case of the table, and what the reader may never do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker.comply.combine import ALWAYS, Case, Combined, Outcome, Table, combined, requirement_of
from checker.comply.procedure import ProcedureError, build_procedure
from checker.model import Findings, Heard, Hearing, Label, Span, Statement, Status, TimeWindow, Unread

ROOM = 100


def span(place: int, start: int = 0, end: int = 50) -> Span:
    return Span(1, place * ROOM + start, place * ROOM + end, f"sentence {place}")


def stated(label: Label, place: int, status: Status = Status.ASSERTED, answers: str | None = None) -> Statement:
    return Statement(label, status, span(place, 5, 20), "en/rule", answers=answers)


def heard(place: int, *hearings: tuple[Label, float], question: bool = False) -> Heard:
    found = tuple(Hearing(label, p, p >= 0.6, p >= 0.9) for label, p in hearings)
    return Heard(span(place), found, question)


def table(**outcomes: Outcome) -> Table:
    rows = ("power_authorization", "backup", "data_loss_consent", "request")
    return Table(0.02, {(row, Case(case)): o for row in rows for case, o in outcomes.items()})


def read(
    statements: list[Statement],
    hearings: list[Heard],
    rules: Table,
    windows: tuple[TimeWindow, ...] = (),
    topics: tuple[str, ...] = ("power", "backup", "erase"),
) -> Combined:
    """Combined findings; every sentence that the second reader heard touches ``topics`` and was read by no rule."""
    unread = tuple(Unread(h.span, topics) for h in hearings)
    found = Findings(1, "en", statements=tuple(statements), heard=tuple(hearings), windows=windows, unread=unread)
    return combined(found, rules)


def counting(c: Combined) -> list[tuple[Label, str]]:
    return [(s.label, s.reader) for s in c.findings.statements if s.counts]


def test_both_agree() -> None:
    c = read([stated(Label.POWER_GRANTED, 0)], [heard(0, (Label.POWER_GRANTED, 0.4))], table(agree=Outcome.GIVEN))
    assert counting(c) == [(Label.POWER_GRANTED, "rules")]
    assert c.doubts == ()


def test_the_second_reader_hears_nothing_of_it() -> None:
    silent = [heard(0, (Label.REQUEST_INTERVENTION, 0.8), (Label.POWER_GRANTED, 0.01))]
    granted = [stated(Label.POWER_GRANTED, 0)]
    assert counting(read(granted, silent, table(rules_only=Outcome.ASK))) == []
    assert counting(read(granted, silent, table(rules_only=Outcome.GIVEN))) == [(Label.POWER_GRANTED, "rules")]
    c = read(granted, silent, table(rules_only=Outcome.CONFIRM))
    assert counting(c) == []
    assert [(d.requirement, d.span.text) for d in c.doubts] == [("power_authorization", "sentence 0")]


def test_a_refusal_in_the_same_sentence_opposes() -> None:
    opposed = [heard(0, (Label.POWER_DENIED, 0.95), (Label.POWER_GRANTED, 0.05))]
    assert counting(read([stated(Label.POWER_GRANTED, 0)], opposed, table(opposed=Outcome.ASK))) == []
    c = read([stated(Label.POWER_GRANTED, 0)], opposed, table(opposed=Outcome.PERSON))
    assert c.persons == ("power_authorization",)
    assert counting(c) == [(Label.POWER_GRANTED, "rules")]


def test_a_sentence_that_is_heard_both_ways_is_not_opposed() -> None:
    both = [heard(0, (Label.POWER_DENIED, 0.95), (Label.POWER_GRANTED, 0.3))]
    assert counting(read([stated(Label.POWER_GRANTED, 0)], both, table(opposed=Outcome.ASK, agree=Outcome.GIVEN))) == [
        (Label.POWER_GRANTED, "rules")
    ]


def test_a_limit_that_no_rule_read_opposes_from_another_sentence_and_is_shown() -> None:
    c = read(
        [stated(Label.BACKUP_CONFIRMED, 0)],
        [heard(0, (Label.BACKUP_CONFIRMED, 0.97)), heard(1, (Label.BACKUP_INADEQUATE, 0.95))],
        table(opposed=Outcome.CONFIRM),
    )
    assert counting(c) == []
    assert [d.span.text for d in c.doubts] == ["sentence 1"]


def test_a_limit_alone_counts_whatever_the_table_says() -> None:
    c = read([], [heard(0, (Label.POWER_DENIED, 0.95))], table(reader_only=Outcome.ASK))
    assert counting(c) == [(Label.POWER_DENIED, "second")]


def test_a_consent_that_only_the_second_reader_hears() -> None:
    sure = [heard(0, (Label.POWER_GRANTED, 0.95))]
    assert counting(read([], sure, table(reader_only=Outcome.GIVEN))) == [(Label.POWER_GRANTED, "second")]
    c = read([], sure, table(reader_only=Outcome.CONFIRM))
    assert counting(c) == []
    assert [(d.requirement, d.span.text) for d in c.doubts] == [("power_authorization", "sentence 0")]
    assert counting(read([], [heard(0, (Label.POWER_GRANTED, 0.7))], table(reader_only=Outcome.GIVEN))) == []


def test_the_second_reader_alone_is_not_believed_where_no_word_of_the_matter_stands() -> None:
    sure = [heard(0, (Label.POWER_GRANTED, 0.95))]
    rules = table(reader_only=Outcome.GIVEN)
    assert counting(read([], sure, rules, topics=())) == []
    assert counting(read([], sure, rules, topics=("backup",))) == []
    assert counting(read([], sure, rules, topics=("backup", "power"))) == [(Label.POWER_GRANTED, "second")]


def test_a_ban_that_only_the_second_reader_hears_has_to_be_heard_surely() -> None:
    rules = table()
    assert counting(read([], [heard(0, (Label.POWER_DENIED, 0.8))], rules)) == []
    assert counting(read([], [heard(0, (Label.BACKUP_INADEQUATE, 0.8))], rules)) == [
        (Label.BACKUP_INADEQUATE, "second")
    ]
    assert counting(read([], [heard(0, (Label.BACKUP_INADEQUATE, 0.6))], rules)) == []


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.ASSERTED])
def test_what_a_rule_rejected_stays_rejected(status: Status) -> None:
    c = read([stated(Label.POWER_GRANTED, 0, status)], [heard(0, (Label.POWER_GRANTED, 0.99))],
             table(reader_only=Outcome.GIVEN))  # fmt: skip
    assert counting(c) == []


def test_a_question_is_no_consent_however_sure_the_reader_is() -> None:
    c = read([], [heard(0, (Label.ERASE_CONSENT, 0.99), question=True)], table(reader_only=Outcome.GIVEN))
    assert counting(c) == []


def test_a_refusal_by_rules_is_not_outvoted() -> None:
    c = read(
        [stated(Label.ERASE_REFUSED, 0)], [heard(1, (Label.ERASE_CONSENT, 0.99))], table(reader_only=Outcome.GIVEN)
    )
    assert counting(c) == [(Label.ERASE_REFUSED, "rules")]


def test_a_window_needs_a_time() -> None:
    said = [heard(0, (Label.POWER_WINDOW, 0.99))]
    rules = table(reader_only=Outcome.GIVEN)
    assert counting(read([], said, rules)) == []
    window = TimeWindow("after 22", None, None, span(0, 30, 38))
    assert counting(read([], said, rules, (window,))) == [(Label.POWER_WINDOW, "second")]
    assert counting(read([], said, rules, (replace(window, has_time=False),))) == []


def test_answers_to_our_questions_are_the_rules_alone() -> None:
    answer = stated(Label.BACKUP_CONFIRMED, 0, answers="backup")
    c = read([answer], [heard(0, (Label.REQUEST_HARDWARE, 0.9))], table(rules_only=Outcome.ASK))
    assert counting(c) == [(Label.BACKUP_CONFIRMED, "rules")]


def test_requests_may_be_added() -> None:
    c = read([], [heard(0, (Label.REQUEST_HARDWARE, 0.99))], table(reader_only=Outcome.GIVEN))
    assert [s.label for s in c.asked] == [Label.REQUEST_HARDWARE]
    assert (
        read([], [heard(0, (Label.REQUEST_HARDWARE, 0.99), question=True)], table(reader_only=Outcome.GIVEN)).asked
        == ()
    )


def test_without_a_second_reader_or_a_table_nothing_changes() -> None:
    findings = Findings(1, "en", statements=(stated(Label.POWER_GRANTED, 0),))
    assert combined(findings, table(rules_only=Outcome.ASK)).findings == findings
    with_reader = replace(findings, heard=(heard(0, (Label.POWER_DENIED, 0.99)), heard(1, (Label.ERASE_CONSENT, 0.99))))
    assert combined(with_reader, ALWAYS).findings.statements == findings.statements


@pytest.mark.parametrize("label", list(Label))
def test_every_label_has_a_row(label: Label) -> None:
    assert requirement_of(label)


REQUIREMENT = [{"id": "backup", "kinds": ["hardware"]}]


@pytest.mark.parametrize(
    ("reader", "sentence"),
    [
        ({"silent": 1.5}, "silent is a probability"),
        ({"silent": True}, "silent is a probability"),
        ({"limit": "often"}, "limit is a probability"),
        ({"coffee": {}}, "use power_authorization, backup"),
        ({"backup": "given"}, "use power_authorization, backup"),
        ({"backup": {"sometimes": "given"}}, "'sometimes' is not one of agree"),
        ({"backup": {"agree": "perhaps"}}, "'perhaps' is not one of given"),
        ("yes", "is a table"),
    ],
)
def test_a_table_that_cannot_be_used(reader: object, sentence: str) -> None:
    with pytest.raises(ProcedureError, match=sentence):
        build_procedure({"requirement": REQUIREMENT, "reader": reader})


def test_a_table() -> None:
    built = build_procedure({"requirement": REQUIREMENT, "reader": {"silent": 0.03, "backup": {"opposed": "person"}}})
    assert built.reader.silent == 0.03
    assert built.reader.outcome("backup", Case.OPPOSED) is Outcome.PERSON
    assert built.reader.outcome("backup", Case.AGREE) is Outcome.GIVEN
    assert built.reader.outcome("backup", Case.READER_ONLY) is Outcome.ASK


def test_a_limit_names_the_matter_but_for_backups() -> None:
    refused, weak = [heard(0, (Label.ERASE_REFUSED, 0.95))], [heard(0, (Label.BACKUP_INADEQUATE, 0.95))]
    assert counting(read([], refused, table(), topics=())) == []
    assert counting(read([], refused, table(), topics=("erase",))) == [(Label.ERASE_REFUSED, "second")]
    assert counting(read([], weak, table(), topics=())) == [(Label.BACKUP_INADEQUATE, "second")]


def test_an_opposite_that_is_not_clear_does_not_oppose() -> None:
    unclear = [Heard(span(0), (Hearing(Label.POWER_WINDOW_MISSING, 0.7, True, True),))]
    found = read([stated(Label.POWER_GRANTED, 0)], unclear, table(opposed=Outcome.ASK, rules_only=Outcome.GIVEN))
    assert counting(found) == [(Label.POWER_GRANTED, "rules")]
