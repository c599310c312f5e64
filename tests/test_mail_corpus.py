"""Over the whole development corpus, built as real mail: our words are never taken for the customer's, and
the customer's never for ours, whatever MIME shape carries them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from mail_helpers import OURS, Sent, corpus, covers, own, own_of, parts_of, shared, words, zones_of

from checker.mail.clean import visible
from checker.mail.parse import parse
from checker.model import Message, ZoneKind

# A form of ours that the customer filled in and sent back unquoted: its lines are then the customer's.
FILLED_FORMS = {("hr-d-024", 3)}
NOT_OURS = ("no-request", "ooo", "bounce", "newsletter", "spam")


@pytest.fixture(scope="module")
def mails() -> list[tuple[Sent, Message]]:
    shared("corpus")
    return [(sent, parse(sent.raw, sent.n, OURS, words())) for sent in corpus()]


def squeeze(text: str) -> str:
    return " ".join(text.replace(">", " ").split())


def customers(mails: Sequence[tuple[Sent, Message]]) -> list[tuple[Sent, Message]]:
    found = [(s, m) for s, m in mails if s.spec["sender"] == "customer"]
    assert len(found) > 600, "the corpus has shrunk; is it complete?"
    return found


def test_zones_cover_every_text(mails: list[tuple[Sent, Message]]) -> None:
    assert [(s.ticket["id"], s.n) for s, m in mails if not covers(m.text, m.zones)] == []


def test_our_sentences_are_never_the_customers(mails: list[tuple[Sent, Message]]) -> None:
    leaks = []
    ours: list[str] = []
    ticket = ""
    for sent, message in mails:
        if sent.ticket["id"] != ticket:
            ticket, ours = sent.ticket["id"], []
        if sent.spec["sender"] == "support":
            ours += [q for line in visible(sent.spec["body"]).split("\n") if len(q := squeeze(line)) >= 22]
        elif (ticket, sent.n) not in FILLED_FORMS:
            words_of_customer = squeeze(own_of(message))
            leaks += [(ticket, sent.n, line) for line in ours if line in words_of_customer]
    assert leaks == []


def test_lines_above_a_quote_stay_the_customers(mails: list[tuple[Sent, Message]]) -> None:
    """Every line of a body with ``>`` quotes that is not quoted is own, signature or attribution; none is quoted."""
    lost = []
    for sent, _ in customers(mails):
        body = sent.spec["body"]
        if sent.spec.get("html") or not any(line.startswith(">") for line in body.split("\n")):
            continue
        text, zones = zones_of(body, sent.spec.get("subject", ""))
        for zone in zones:
            if zone.kind in (ZoneKind.QUOTED, ZoneKind.FORWARDED):
                part = text[zone.start : zone.end].split("\n")
                lost += [(sent.ticket["id"], sent.n, n) for n in part if n and not n.startswith(">")]
    # Third parties' mails that were passed on without ">", and one block of ours below such a mail.
    assert {(t, n) for t, n, _ in lost} == {("pl-d-021", 3)}


def test_mails_without_any_quote_have_none(mails: list[tuple[Sent, Message]]) -> None:
    wrong = []
    for sent, message in customers(mails):
        quoting = any(
            mark in sent.spec["body"]
            for mark in (">", "<blockquote", "---", "___", "<hr", "Von:", "Da:", "De:", "De :", "Od:", "From:")
        )
        kinds = {z.kind for z in message.zones}
        if not quoting and kinds & {ZoneKind.QUOTED, ZoneKind.FORWARDED, ZoneKind.ATTRIBUTION}:
            wrong.append((sent.ticket["id"], sent.n))
    assert wrong == []


def test_the_mime_shape_does_not_change_the_words(mails: list[tuple[Sent, Message]]) -> None:
    differing = []
    for sent, message in customers(mails):
        if sent.spec.get("html"):
            continue
        if squeeze(own_of(message)) != squeeze(own(sent.spec["body"], sent.spec.get("subject", ""))):
            differing.append((sent.ticket["id"], sent.n))
    # HTML strips the blank of "-- ": a line of its signature is then kept, which does no harm.
    assert set(differing) <= {("hr-d-012", 1)}


def test_customers_mail_is_no_machines(mails: list[tuple[Sent, Message]]) -> None:
    machines = [(s, m) for s, m in customers(mails) if m.automatic is not None]
    assert [s.ticket["id"] for s, _ in machines if not s.spec.get("headers")] == []
    tagged = [s for s, m in customers(mails) if s.spec.get("headers") and m.automatic is None]
    assert tagged == []
    assert len(machines) >= 25


def test_our_mail_is_ours(mails: list[tuple[Sent, Message]]) -> None:
    ours = [m for s, m in mails if s.spec["sender"] == "support"]
    assert len(ours) > 100
    assert all(m.from_us and str(m.automatic) == "own-mail" for m in ours)
    assert all(ZoneKind.QUOTED not in {z.kind for z in m.zones} for m in ours)


def test_credentials_stay_where_they_can_be_read(mails: list[tuple[Sent, Message]]) -> None:
    """Each expected secret stands in own words, or in a passed-on mail, never in a log or a signature."""
    lost = []
    by_ticket: dict[str, list[tuple[Sent, Message]]] = {}
    for sent, message in mails:
        by_ticket.setdefault(sent.ticket["id"], []).append((sent, message))
    total = 0
    for ticket, thread in by_ticket.items():
        read = "\n".join(own_of(m) + "\n" + "\n".join(parts_of(m.text, m.zones, ZoneKind.FORWARDED)) for _, m in thread)
        for credential in thread[0][0].ticket["expected"]["credentials"]:
            if credential["secret"]:
                total += 1
                if credential["secret"] not in read:
                    lost.append((ticket, credential["secret"]))
    assert total > 70
    assert lost == []


def test_everything_expected_can_be_read(mails: list[tuple[Sent, Message]]) -> None:
    """Service ids, names, addresses, serials and slots stand in a subject, in own words or in a passed-on mail."""
    read: dict[str, str] = {}
    expected: dict[str, list[str]] = {}
    for sent, message in customers(mails):
        parts = (message.subject, own_of(message), *parts_of(message.text, message.zones, ZoneKind.FORWARDED))
        read[sent.ticket["id"]] = "\n".join([read.get(sent.ticket["id"], ""), *parts]).lower()
        wanted = sent.ticket["expected"]
        values = [*wanted["service_ids"], *wanted["hostnames"], *(a for a in wanted["ip_addresses"] if ":" not in a)]
        values += [c[key] for c in wanted["components"] for key in ("serial", "slot") if c[key]]
        expected[sent.ticket["id"]] = values
    lost = [(t, v) for t, values in expected.items() for v in values if v.lower() not in read[t]]
    assert sum(map(len, expected.values())) > 400
    assert lost == []


@pytest.mark.parametrize("frame", ["{}", "Hallo,\n\n{}\n\nGruß\nMax", "{}\nTel. 0331 5550 447"])
def test_every_labelled_statement_is_own(frame: str) -> None:
    paths = sorted(p for name in ("statements-*", "contrast-*") for p in shared("corpus").glob(f"{name}.jsonl"))
    entries = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [entry["text"] for entry in entries if entry["labels"]]
    assert len(texts) > 4_000
    lost = [text for text in texts if squeeze(visible(text)) not in squeeze(own(frame.format(text)))]
    assert lost == []
