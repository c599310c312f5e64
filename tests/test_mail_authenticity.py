"""Authentication-Results: believed from the named server, topmost, in its place, for the From domain; else not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_helpers import OURS, words

from checker.mail.authenticity import Authenticity, Outcome, authenticity, parse_results
from checker.mail.parse import parse

TRUSTED = ("mx.hoster.example",)
OURS_RECEIVED = "Received: from client.example by mx.hoster.example with ESMTPS; Thu, 19 Nov 2026 10:00:00 +0100\r\n"
LATER = "Received: from mx.hoster.example by imap.internal.example with LMTP; Thu, 19 Nov 2026 10:00:01 +0100\r\n"
PASSED = "Authentication-Results: mx.hoster.example; dmarc=pass header.from=client.example\r\n"


def judge(*header: str, sender: str = "mario@client.example", trusted: tuple[str, ...] = TRUSTED) -> Authenticity:
    raw = "".join(header) + f"From: {sender}\r\nSubject: x\r\n\r\nx\r\n"
    return authenticity(parse(raw.encode(), 1, OURS, words()), trusted)


@pytest.mark.parametrize(
    ("results", "dmarc", "spf", "dkim"),
    [
        ("dmarc=pass (p=reject) header.from=client.example", "pass", "none", "none"),
        ("dmarc=pass header.from=other.example", "none", "none", "none"),
        ("dmarc=pass", "none", "none", "none"),
        ("dmarc=fail header.from=client.example", "fail", "none", "none"),
        ("spf=pass smtp.mailfrom=mario@client.example", "none", "pass", "none"),
        ("spf=pass smtp.mailfrom=client.example", "none", "pass", "none"),
        ("spf=pass smtp.mailfrom=evil.example", "none", "none", "none"),
        ("spf=softfail smtp.mailfrom=client.example", "none", "fail", "none"),
        ("dkim=pass header.d=client.example header.i=@client.example", "none", "none", "pass"),
        ("dkim=pass header.d=mail.client.example", "none", "none", "pass"),
        ("dkim=pass header.d=example", "none", "none", "none"),
        ("dkim=pass header.d=evil-client.example", "none", "none", "none"),
        ("dkim=fail header.d=client.example; dkim=pass header.d=client.example", "none", "none", "pass"),
        ('dmarc=pass header.from="client.example"; spf=none', "pass", "none", "none"),
        ("DMARC=Pass Header.From=Client.Example", "pass", "none", "none"),
        ("none", "none", "none", "none"),
        ("spf=fail (dmarc=pass header.from=client.example) smtp.mailfrom=client.example", "none", "fail", "none"),
        (
            'spf=fail reason="; dmarc=pass header.from=client.example" smtp.mailfrom=client.example',
            "none",
            "fail",
            "none",
        ),
    ],
)
def test_results(results: str, dmarc: str, spf: str, dkim: str) -> None:
    found = judge(f"Authentication-Results: mx.hoster.example; {results}\r\n", OURS_RECEIVED)
    assert (found.dmarc, found.spf, found.dkim) == (dmarc, spf, dkim)


@pytest.mark.parametrize(
    ("found", "confirmed"),
    [
        (Authenticity(), False),
        (Authenticity(dmarc=Outcome.PASS), True),
        (Authenticity(dmarc=Outcome.FAIL, dkim=Outcome.PASS), False),
        (Authenticity(dkim=Outcome.PASS), True),
        (Authenticity(spf=Outcome.PASS), False),
    ],
)
def test_confirmed(found: Authenticity, confirmed: bool) -> None:
    assert found.confirmed is confirmed


def test_forged_result_below_our_received_is_ignored() -> None:
    assert judge(PASSED, OURS_RECEIVED).confirmed
    assert not judge(OURS_RECEIVED, PASSED).confirmed
    assert not judge(LATER, OURS_RECEIVED, PASSED).confirmed


def test_result_between_a_later_hop_and_our_received_counts() -> None:
    assert judge(LATER, PASSED, OURS_RECEIVED).confirmed


def test_result_below_foreign_hops_without_ours_is_ignored() -> None:
    foreign = "Received: from x by relay.elsewhere.example; Thu, 19 Nov 2026 10:00:00 +0100\r\n"
    assert not judge(foreign, PASSED).confirmed


def test_only_the_topmost_of_ours_counts() -> None:
    failed = PASSED.replace("pass", "fail")
    assert judge(failed, PASSED, OURS_RECEIVED).dmarc is Outcome.FAIL
    other = PASSED.replace("mx.hoster.example", "other.example")
    assert judge(other, PASSED, OURS_RECEIVED).dmarc is Outcome.PASS


def test_nobody_is_trusted_by_default() -> None:
    assert judge(PASSED, OURS_RECEIVED, trusted=()) == Authenticity()
    assert judge(PASSED, OURS_RECEIVED, trusted=("hoster.example",)) == Authenticity()
    assert judge(PASSED, OURS_RECEIVED, trusted=("MX.Hoster.Example.",)).confirmed


def test_without_a_sender_nothing_is_confirmed() -> None:
    assert judge(PASSED, OURS_RECEIVED, sender="undisclosed") == Authenticity()


@pytest.mark.parametrize(
    "value",
    ["", ";", "mx.hoster.example (unclosed; dmarc=pass", "a) b; dmarc=pass", 'mx.hoster.example; x="open', "x" * 9_000],
)
def test_malformed_values_are_no_results(value: str) -> None:
    assert parse_results(value) is None


def test_version_and_comments() -> None:
    parsed = parse_results("mx.hoster.example 1 (c (nested) c); spf/1 = pass smtp.mailfrom = a@b.example")
    assert parsed is not None
    assert parsed[0] == "mx.hoster.example"
    assert [(r.method, r.result, r.value("smtp.mailfrom")) for r in parsed[1]] == [("spf", "pass", "a@b.example")]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='abc.;=() "\\/@-', max_size=80))
def test_any_value_is_read_or_refused(value: str) -> None:
    parsed = parse_results(value)
    assert parsed is None or parsed[0] == parsed[0].lower()
