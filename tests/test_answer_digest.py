"""The digest: grouping, sums that reconcile, times in two clocks, and nothing foreign that gets loose."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from answer_support import LANGUAGES, NOW, ROME, env, golden, templates, texts
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from checker.answer import notice, samples, times
from checker.answer.digest import compose
from checker.answer.environment import TemplateFault, environment
from checker.answer.model import (
    AnswerError,
    Correction,
    Counts,
    Delivery,
    DigestView,
    Entry,
    Figures,
    Group,
    Missing,
    NoticeKind,
    NoticeView,
    Part,
    Quarantined,
    Quote,
    Rendered,
    SheetWindow,
    Suppressed,
    System,
    Way,
    WorkSheet,
)

VIEW = samples.view("en", NOW, ROME)


def send(view: DigestView) -> Rendered:
    return compose(view, env(), texts())


def words(rendered: Rendered) -> tuple[list[str], list[str]]:
    """The words of both twins, sorted: the text twin sets some in capitals and draws its bars."""
    body = HTMLParser(rendered.html).body
    assert body is not None

    def split(text: str) -> list[str]:
        return sorted(re.findall(r"[^\W_]+", text.casefold()))

    link = "|".join(map(re.escape, re.findall(r'href="([^"]+)"', rendered.html))) or "$^"
    return split(re.sub(link, "", rendered.text)), split(body.text(separator=" "))


@pytest.mark.parametrize("language", LANGUAGES)
def test_golden_digest(language: str) -> None:
    rendered = send(samples.view(language, NOW, ROME))
    golden(f"digest/{language}.txt", f"{rendered.subject}\n\n{rendered.text}")
    golden(f"digest/{language}.html", rendered.html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_twins_hold_the_same_words(language: str) -> None:
    rendered = send(samples.view(language, NOW, ROME))
    text, html = words(rendered)
    for word in set(text) | set(html):
        # The page's counts stand in tiles and headings in both; nothing stands in one twin only.
        assert (word in text) == (word in html), word


def test_nothing_is_loaded_and_nothing_runs() -> None:
    html = send(VIEW).html
    tree = HTMLParser(html)
    assert tree.css("script, img, iframe, link, svg, object, form") == []
    assert not re.search(r"url\(|@import|src=|http-equiv", html)
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert len(html.encode()) < 60_000


def test_groups_are_in_order_urgent_first_then_oldest() -> None:
    text = send(VIEW).text
    heads = ["READY (2)", "NEEDS YOU (1)", "WAITING FOR THE CUSTOMER (1)", "GONE QUIET (1)", "QUARANTINE (1)"]
    places = [text.index(h) for h in heads]
    assert places == sorted(places)
    assert text.index("* [new] [soon] T-1042") < text.index("* [new] T-1039")


def test_the_work_sheet_gives_local_time_and_utc() -> None:
    text = " ".join(send(VIEW).text.split())
    assert "Window: “sabato tra le 2 e le 4” Sat 2026-11-28 02:00 – 04:00 CET = 01:00 – 03:00 UTC" in text
    assert "Component: drive (slot 3, serial number S3Z8NB0K)" in text
    assert "Restart, power-off: allowed" in text
    assert "Layout: “RAID 1, /var separate”" in text


def test_a_window_that_cannot_be_meant_so_is_marked() -> None:
    past = datetime(2026, 11, 20, 22, 0, tzinfo=ROME)
    window = SheetWindow("venerdì alle 22", past, past, ("zone", "meteor"), ("past", "outside-hours", "eclipse"))
    assert (
        "CET = 21:00 – 21:00 UTC (already past; outside office hours; eclipse; not certain: the time zone, meteor)"
        in (sheet(windows=(window,)))
    )


def test_the_work_sheet_says_what_was_asked_in_the_customers_words() -> None:
    assert "Server: 48213 Asked for: “Prego cambiare il disco.”, “Grazie, quello nello slot 3.” Backup" in sheet(
        service_ids=("48213",), asked=("Prego cambiare il disco.", "Grazie, quello nello slot 3."), backup="confirmed"
    )


def test_a_correction_names_who_and_why_in_the_staffs_language() -> None:
    made = (
        Correction("backup", "absent_accepted", "Piero Gallo", "told on the phone"),
        Correction("request_kinds", "hardware,os_reinstall", "Piero Gallo", "both"),
        Correction("power", "none", "Piero Gallo", "another server"),
    )
    text = " ".join(send(replace(VIEW, entries=(replace(VIEW.entries[3], corrections=made),))).text.split())
    assert (
        "Set by hand: backup: none, loss accepted (by Piero Gallo: told on the phone); "
        "Request: adding or replacing a component, a new installation of the operating system (by Piero Gallo: both); "
        "restart and power-off: not said (by Piero Gallo: another server) Missing:"
    ) in text


def test_words_that_two_fields_rest_on_stand_once() -> None:
    quote = Quote("hardware_acknowledgement", "Ein Ausfall ist uns bewusst.", 1, ("impact",))
    text = send(replace(VIEW, entries=(replace(VIEW.entries[0], quotes=(quote,)),))).text
    assert "“Ein Ausfall ist uns bewusst.” (risk of the work, downtime, message 1)" in " ".join(text.split())


def test_a_link_or_else_the_message_id() -> None:
    text = send(VIEW).text
    assert "Open: https://desk.hoster.example/tickets/1042" in text
    assert "<48213.a1@studiobellini.example>" not in text
    assert "Message-ID: <q9.1@autohaus.example>" in text


def test_a_teams_digest_is_named_and_counts_no_mails() -> None:
    team = send(replace(VIEW, team="hardware", counts=None, quarantined=()))
    assert team.subject.startswith("INTROSERV · hardware digest 2026-11-27")
    assert "<title>INTROSERV · hardware: interventions</title>" in team.html
    assert "Where every mail went" not in team.text + team.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_hold_the_card_and_say_when_it_begins(language: str) -> None:
    ready, urgent = (notice.compose(n, env(), texts()) for n in samples.notices(samples.view(language, NOW, ROME)))
    for rendered in (ready, urgent):
        text, html = words(rendered)
        assert set(text) == set(html)
        assert "48213 (203.0.113.7) (T-1042)" in rendered.subject
        assert "https://desk.hoster.example/tickets/1042" in rendered.text
        assert "S3Z8NB0K" in rendered.text
    assert "2026-11-28 02:00 CET = 01:00 UTC" in " ".join(urgent.text.split())
    assert ready.subject != urgent.subject


def test_golden_notices() -> None:
    for n in samples.notices(VIEW):
        rendered = notice.compose(n, env(), texts())
        golden(f"digest/notice-{n.kind}.txt", f"{rendered.subject}\n\n{rendered.text}")


def test_an_urgent_notice_without_a_time_is_refused() -> None:
    with pytest.raises(AnswerError, match="needs to say when its window begins"):
        NoticeView(NoticeKind.URGENT, "en", samples.HOSTER, NOW, ROME, VIEW.entries[0])


def sheet(**values: object) -> str:
    """The text twin of a digest with one ready ticket whose sheet holds ``values``."""
    entry = replace(VIEW.entries[0], sheet=replace(WorkSheet(), **values))  # type: ignore[arg-type]  # fields that exist
    return " ".join(send(replace(VIEW, entries=(entry,))).text.split())


def test_a_way_in_is_named_without_its_secret() -> None:
    assert "Access: operating system (user root), console, other way in (user 123 456)" in sheet(
        ways=(Way("os", "root"), Way("console"), Way("other", "123 456"))
    )


def test_values_that_limit_the_technician_are_plain() -> None:
    assert "Restart, power-off: NOT allowed" in sheet(power="denied")
    assert "Restart, power-off: only in part, see the words" in sheet(power="partial")
    assert "Downtime: refused" in sheet(impact="refused")
    assert "Backup: none, loss accepted" in sheet(backup="absent_accepted")
    assert "Backup: something-new" in sheet(backup="something-new")
    assert "System: Windows Server 2022 Standard Layout: default" in sheet(
        system=System("Windows Server", "2022", "Standard")
    )


def test_open_and_uncertain_windows_stay_what_they_are() -> None:
    start = datetime(2026, 11, 28, 22, 0, tzinfo=ROME)
    assert "“dopo le 22” Sat 2026-11-28 22:00 – … CET = Sat 2026-11-28 21:00 – … UTC" in sheet(
        windows=(SheetWindow("dopo le 22", start),)
    )
    assert "Window: “di notte” (not certain: the date, the hour)" in sheet(
        windows=(SheetWindow("di notte", ambiguous=("date", "hour")),)
    )
    late = start.replace(hour=23, minute=30)
    assert "Sat 2026-11-28 23:30 – Sun 2026-11-29 01:00 CET = Sat 2026-11-28 22:30 – Sun 2026-11-29 00:00 UTC" in sheet(
        windows=(SheetWindow("x", late, late + timedelta(minutes=90)),)
    )
    early = start.replace(hour=0, minute=15)
    assert "Sat 2026-11-28 00:15 – 00:45 CET = Fri 2026-11-27 23:15 – 23:45 UTC" in sheet(
        windows=(SheetWindow("x", early, early + timedelta(minutes=30)),)
    )


def test_missing_says_why_and_how_often_it_was_asked() -> None:
    text = " ".join(send(VIEW).text.split())
    assert "Missing: access, backup (old, partial or uncertain)" in text
    assert (
        "Since: Wed 2026-11-25 03:00 (2 d), asked\u00a01\u00a0×, reminded\u00a01\u00a0×".replace("\u00a0", " ") in text
    )


def test_reasons_are_words_and_unknown_ones_stay_as_they_are() -> None:
    entry = replace(VIEW.entries[2], why=("conflict:backup", "unverified-sender", "stranger:T-7", "meteor-strike:x"))
    text = " ".join(send(replace(VIEW, entries=(entry,))).text.split())
    assert (
        "Why: contradicts itself: backup, sender not verified, someone else wrote into the ticket T-7, meteor-strike:x"
        in text
    )


def test_the_sums_reconcile_or_it_says_so_loudly() -> None:
    good = send(VIEW)
    assert "31 seen = 17 in tickets + 8 automatic + 1 doubled + 4 no request + 1" in good.text
    assert "!!" not in good.text
    assert VIEW.counts is not None
    bad = send(replace(VIEW, counts=replace(VIEW.counts, seen=33)))
    assert "33 seen ≠ 17 in tickets" in bad.text
    assert "!! The sums differ by 2: a mail was lost or counted twice." in " ".join(bad.text.split())
    assert "The sums differ by 2" in bad.html


def test_an_empty_day_is_a_digest_too() -> None:
    empty = send(DigestView("en", samples.HOSTER, NOW, NOW - timedelta(days=1), ROME))
    assert "Nothing here." in empty.text
    assert "Nothing here." in empty.html
    assert "READY" not in empty.text
    assert "0 seen = 0 in tickets" in empty.text
    assert empty.subject == "INTROSERV digest 2026-11-27: 0 ready, 0 for you"


def test_failed_mail_and_stopped_replies_are_listed() -> None:
    view = replace(
        VIEW,
        deliveries=(Delivery("a@x.example", "failed", "T-1", "550 no"), Delivery("b@x.example", "unknown")),
        suppressed=(Suppressed("c@x.example", "per-sender", "T-2"),) * 25,
        held_back=60,
    )
    text = send(view).text
    assert "  - failed · a@x.example · T-1 · 550 no\n  - unknown, may have arrived · b@x.example\n" in text
    assert text.count("  - limit per sender and day · c@x.example · T-2\n") == 20
    assert "… and 5 more: checker tickets" in text
    assert "Stopped by a limit\n  - 60 replies were held back\n" in text


def test_a_long_group_is_cut_and_says_so() -> None:
    many = tuple(replace(VIEW.entries[3], ticket=f"T-{n}") for n in range(100))
    rendered = send(replace(VIEW, entries=many))
    assert "WAITING FOR THE CUSTOMER (100)" in rendered.text
    assert rendered.text.count("* T-") == 40
    assert "… and 60 more: checker tickets" in rendered.text
    assert len(rendered.html.encode()) < 102_000


def test_bars_are_in_proportion_and_a_small_number_is_seen() -> None:
    figures = Figures(received=1000, complete_at_first=500, complete_after_one=1)
    rendered = send(replace(VIEW, figures=figures))
    rows = {x.rsplit("  ", 1)[0].strip(): x.count("█") for x in rendered.text.splitlines() if "█" in x}
    assert list(rows.values()) == [20, 10, 1]
    assert re.findall(r'width="(\d+)%" height="12"', rendered.html) == ["100", "50", "2"]


def test_the_most_forgotten_stands_first() -> None:
    forgotten = (("credentials", 1), ("backup", 6), ("no_such_thing", 3))
    text = send(replace(VIEW, figures=replace(VIEW.figures, forgotten=forgotten))).text
    part = text[text.index("Forgotten most") :]
    assert part.index("backup") < part.index("no_such_thing") < part.index("access")


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=-5), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_durations(span: timedelta, shown: str) -> None:
    assert times.duration(span, texts(), "en") == shown


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 27, 7, 0)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(AnswerError, match="digest: 'now' has no time zone"):
        replace(VIEW, now=naive)
    with pytest.raises(AnswerError, match="a time without a zone cannot be shown"):
        times.stamp(naive, UTC, texts(), "en")


def test_a_wrong_name_in_a_template_is_a_sentence_with_file_and_line() -> None:
    source = templates()["digest.html"].replace("{{ period }}", "{{ perjod }}")
    line = source[: source.index("perjod")].count("\n") + 1
    with pytest.raises(TemplateFault, match=rf"replies/digest\.html, line {line}: 'perjod' is undefined"):
        compose(VIEW, environment(templates() | {"digest.html": source}), texts())


EVIL = "{{7*7}}<script>alert(1)</script>\r\nBcc: x\u202egnol\u2028" + "A" * 10_000


def test_hostile_words_stay_words() -> None:
    view = replace(
        VIEW,
        hoster=replace(VIEW.hoster, name=EVIL),
        entries=(
            Entry(
                ticket=EVIL,
                group=Group.READY,
                who=EVIL,
                server=EVIL,
                request_kinds=(EVIL,),
                since=NOW,
                why=(EVIL, "conflict:" + EVIL),
                missing=(Missing(EVIL, EVIL),),
                quotes=(Quote(EVIL, EVIL, 1),) * 50,
                link="javascript:alert(1)",
                message_id=EVIL,
                sheet=WorkSheet(
                    service_ids=(EVIL,) * 50,
                    ways=(Way(EVIL, EVIL),),
                    power=EVIL,
                    windows=(SheetWindow(EVIL, ambiguous=(EVIL,), cautions=(EVIL,)),),
                    parts=(Part(EVIL, EVIL, EVIL),),
                    system=System(EVIL, EVIL, EVIL),
                    layout=EVIL,
                    asked=(EVIL,),
                ),
                corrections=(Correction(EVIL, EVIL, EVIL, EVIL),),
            ),
        ),
        quarantined=(Quarantined(EVIL, EVIL, EVIL, EVIL),),
        suppressed=(Suppressed(EVIL, EVIL, EVIL),),
        deliveries=(Delivery(EVIL, EVIL, EVIL, EVIL),),
        team=EVIL,
        counts=Counts(1, 1, 0, 0, 0, 0),
        figures=Figures(forgotten=((EVIL, 3),)),
    )
    rendered = send(view)
    tree = HTMLParser(rendered.html)
    assert tree.css("script, a") == []
    assert "{{7*7}}&lt;script&gt;" in rendered.html
    assert not re.search(r"[\r\u2028\u202a-\u202e]", rendered.text + rendered.subject)
    assert "\nBcc" not in rendered.text
    assert len(rendered.subject) < 200
    assert len(rendered.text) < 20_000
