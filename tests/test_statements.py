"""Frames and cues over a small pack of its own: parts combine, and only what is asserted counts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from checker.extract.frames import FrameError, build_frame
from checker.extract.lexicon import Hit
from checker.extract.packs import PackError, Reader, build_reader
from checker.extract.segments import segment
from checker.extract.statements import Given, read_segment
from checker.model import Label, Statement, Status

SHARED: Mapping[str, object] = {
    "abbreviations": [],
    "groups": {"power": ["reboot", "poweroff", "do_power"], "do_power": ["do_reboot"]},
    "frame": [
        {"id": "ok", "label": "power_granted", "all": ["power", "permit"], "negated": "power_denied"},
        {
            "id": "do", "label": "power_granted", "all": ["do_power"], "negated": "power_denied",
            "on": {"question": "polite"},
        },
        {"id": "fine", "label": "power_granted", "all": ["power", "fine|affirm"], "negated": "power_denied"},
        {"id": "no", "label": "power_denied", "all": ["power", "answer_no"], "gap": 3},
        {"id": "none", "label": "power_denied", "all": ["cue.neg", "power"], "ordered": True, "gap": 2},
        {
            "id": "have", "label": "backup_confirmed", "all": ["backup", "have"], "negated": "backup_absent",
            "on": {"past": "keep", "future": "backup_inadequate"},
        },
        {
            "id": "weak", "label": "backup_inadequate", "all": ["backup", "old"], "scope": "segment", "gap": 12,
            "carry": True, "on": {"past": "keep"},
        },
    ],
}  # fmt: skip
LEXICON: Mapping[str, object] = {
    "concepts": {
        "clause.break": ["but"],
        "reboot": ["reboot", "restart", "a reboot"],
        "poweroff": ["power off", "switch off"],
        "do_reboot": ["please reboot", "restart it"],
        "permit": ["may", "allowed"],
        "fine": ["fine", "ok", "no problem"],
        "affirm": ["yes"],
        "answer_no": ["no"],
        "backup": ["backup", "copy"],
        "have": ["have", "exists"],
        "old": ["old", "from march"],
        "unknown_slot": ["in our window"],
        "only": ["only"],
        "cue.neg": ["not", "no", "never"],
        "cue.question": ["do i"],
        "cue.polite": ["could you"],
        "cue.hyp": ["would"],
        "cue.future": ["tomorrow i will"],
        "cue.cond": ["once i"],
        "cue.discretion": ["if necessary"],
        "cue.third": ["my boss"],
        "cue.other": ["the other server"],
        "cue.past": ["last year"],
    },
    "idioms": {"power_granted": ["carte blanche"]},
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return build_reader(SHARED, {"en": {"lexicon": LEXICON}})


def read(reader: Reader, text: str, **given: object) -> list[Statement]:
    topics = given.get("topics", frozenset())
    hits = given.get("hits", ())
    assert isinstance(topics, frozenset)
    assert isinstance(hits, tuple)
    found: list[Statement] = []
    carried: frozenset[str] = frozenset()
    for part in segment(text, 0, len(text), frozenset()):
        result = read_segment(reader, part, 1, "body", "en", Given(hits, topics), carried)
        found += result.statements
        carried = result.topics
    return found


def asserted(reader: Reader, text: str, **given: object) -> set[str]:
    return {s.label.value for s in read(reader, text, **given) if s.status is Status.ASSERTED}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("You may reboot it.", {"power_granted"}),
        ("A reboot is no problem.", {"power_granted"}),
        ("Please reboot.", {"power_granted"}),
        ("You may not reboot it.", {"power_denied"}),
        ("No reboot!", {"power_denied"}),
        ("You must not, all considered, restart it.", {"power_denied"}),
        ("You may not not reboot it.", set()),
        ("You have carte blanche.", {"power_granted"}),
        ("You may restart, if necessary once I say nothing.", {"power_granted"}),
        ("Could you restart it?", {"power_granted"}),
        ("A reboot is fine but you may not power off.", {"power_partial"}),
        ("We have a backup.", {"backup_confirmed"}),
        ("We have a copy. It is old.", {"backup_confirmed", "backup_inadequate"}),
        ("We have an old backup.", {"backup_inadequate"}),
        ("You may reboot in our window.", {"power_window_missing"}),
    ],
)
def test_parts_combine(reader: Reader, text: str, labels: set[str]) -> None:
    assert asserted(reader, text) == labels


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("May you reboot it?", Status.QUESTION),
        ("Do I say that you may reboot", Status.QUESTION),
        ("I would say that you may reboot.", Status.HYPOTHETICAL),
        ("Tomorrow I will say that you may reboot.", Status.FUTURE),
        ("You may reboot once I call.", Status.CONDITION),
        ("My boss says you may reboot.", Status.THIRD_PARTY),
        ("You may reboot the other server.", Status.OTHER_SYSTEM),
        ("Last year you may reboot it.", Status.PAST),
        ('You wrote "you may reboot" to me.', Status.TEMPLATE),
    ],
)
def test_what_is_not_asserted_does_not_count_and_says_why(reader: Reader, text: str, status: Status) -> None:
    assert asserted(reader, text) == set()
    assert status in {s.status for s in read(reader, text)}


def test_an_answer_is_read_with_the_topic_of_its_question(reader: Reader) -> None:
    power = frozenset({"reboot"})
    assert asserted(reader, "Yes.", topics=power) == {"power_granted"}
    assert asserted(reader, "No.", topics=power) == {"power_denied"}
    assert asserted(reader, "I do not know.", topics=power) == set()
    assert asserted(reader, "Yes.") == set()


def test_a_named_time_makes_a_window(reader: Reader) -> None:
    window = (Hit("window", 3, 5),)
    assert asserted(reader, "You may reboot between 2", hits=window) == {"power_window"}


def test_spans_and_cues_point_at_the_words(reader: Reader) -> None:
    text = "Hello. You may not reboot it."
    (statement,) = [s for s in read(reader, text) if s.status is Status.ASSERTED]
    assert statement.label is Label.POWER_DENIED
    assert text[statement.span.start : statement.span.end] == statement.span.text
    assert statement.span.text in ("not reboot", "may not reboot")


def test_cues_point_at_their_words(reader: Reader) -> None:
    text = "Hello. May you reboot it, my boss wonders."
    (statement,) = [s for s in read(reader, text) if s.rule == "en/ok"]
    assert statement.status is Status.THIRD_PARTY
    assert [(c.name, text[c.start : c.end]) for c in statement.cues] == [("third", "my boss")]


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ({"id": "x", "label": "nonsense", "all": ["a"]}, "is no label"),
        ({"id": "x", "label": "power_granted"}, "'all' is missing"),
        ({"id": "x", "label": "power_granted", "all": ["a"], "scope": "page"}, "is not one of clause"),
        ({"id": "x", "label": "power_granted", "all": ["a"], "gap": 99}, "0 to 30"),
        ({"id": "x", "label": "power_granted", "all": ["a"], "when": 1}, "unknown key 'when'"),
        ({"id": "x", "label": "power_granted", "all": ["a"], "on": {"past": "perhaps"}}, "is no label"),
    ],
)
def test_a_wrong_frame_is_refused_by_name(frame: Mapping[str, object], complaint: str) -> None:
    with pytest.raises(FrameError, match=complaint):
        build_frame(frame, {}, "rules/frames.toml")


@pytest.mark.parametrize(
    ("lexicon", "complaint"),
    [
        ({"concepts": {"rebot": ["x"]}}, "no frame uses 'rebot'"),
        ({"concepts": {"reboot": "x"}}, "must be a list"),
        ({"concepts": {"reboot": ["{a"]}}, "never closed"),
        ({"sayings": {}}, "unknown table"),
        ({"idioms": {"power_given": ["x"]}}, "no frame uses 'idiom.power_given'"),
    ],
)
def test_a_wrong_pack_is_refused_with_its_file(lexicon: Mapping[str, object], complaint: str) -> None:
    with pytest.raises(PackError, match=complaint) as error:
        build_reader(SHARED, {"en": {"lexicon": lexicon}}).lexicons.compile()
    assert "rules/lang/en/lexicon.toml" in str(error.value)
