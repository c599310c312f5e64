"""Time windows: what people of eight languages write, what never is a window, and the laws that hold for all."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.extract.windows import OfficeHours, TimeWordsError, find_windows, time_words
from checker.model import TimeWindow

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / ".." / "shared" / "corpus"
LANGUAGES = ("it", "en", "de", "fr", "es", "pl", "hr", "sl")
WORDS = time_words(
    {x: tomllib.loads((ROOT / "rules" / "lang" / x / "time.toml").read_text(encoding="utf-8")) for x in LANGUAGES}
)
ROME = ZoneInfo("Europe/Rome")
SENT = datetime(2026, 11, 24, 10, 0, tzinfo=timezone(timedelta(hours=1)))  # a Tuesday


def windows(text: str, sent: datetime | None = SENT, *, language: str = "", zone: ZoneInfo = ROME) -> list[TimeWindow]:
    return list(find_windows(text, 0, len(text), 1, "body", sent, zone, WORDS, None, language))


def only(text: str, sent: datetime | None = SENT, *, language: str = "", zone: ZoneInfo = ROME) -> TimeWindow:
    found = windows(text, sent, language=language, zone=zone)
    assert len(found) == 1, [w.text for w in found]
    return found[0]


def at(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


RESOLVED = [
    # text, start, end
    ("Riavviate pure sabato tra le 2 e le 4.", "2026-11-28T02:00+01:00", "2026-11-28T04:00+01:00"),
    ("Da venerdì 27/11 alle 19:00 a lunedì 30/11 alle 07:00.", "2026-11-27T19:00+01:00", "2026-11-30T07:00+01:00"),
    ("Il 29/11 dalle 01:00 alle 05:00 UTC può stare giù.", "2026-11-29T01:00+00:00", "2026-11-29T05:00+00:00"),
    ("Fate il riavvio stanotte fra l'una e le tre.", "2026-11-25T01:00+01:00", "2026-11-25T03:00+01:00"),
    ("Potete fermarlo dalle 20:30 di lunedì alle 9 di martedì.", "2026-11-30T20:30+01:00", "2026-12-01T09:00+01:00"),
    ("Thu 3 Dec, 23:30 to 01:30 UK time works for us.", "2026-12-03T23:30+00:00", "2026-12-04T01:30+00:00"),
    ("You can take it down on Thursday from 7 to 9 pm.", "2026-11-26T19:00+01:00", "2026-11-26T21:00+01:00"),
    ("Friday 11 pm to 2 am is fine with us.", "2026-11-27T23:00+01:00", "2026-11-28T02:00+01:00"),
    ("19.09.2027, 22:00, two hours.", "2027-09-19T22:00+02:00", "2027-09-20T00:00+02:00"),
    ("From Dec 3, 10 pm until Dec 4, 4 am please.", "2026-12-03T22:00+01:00", "2026-12-04T04:00+01:00"),
    ("2026-11-28 22:00 - 2026-11-29 02:00 UTC", "2026-11-28T22:00+00:00", "2026-11-29T02:00+00:00"),
    ("Ihr dürft am Samstag zwischen 2 und 4 neu starten.", "2026-11-28T02:00+01:00", "2026-11-28T04:00+01:00"),
    ("Bitte heute Nacht von eins bis drei.", "2026-11-25T01:00+01:00", "2026-11-25T03:00+01:00"),
    ("Der Umbau passt am 2. Dezember von 22 bis 24 Uhr.", "2026-12-02T22:00+01:00", "2026-12-03T00:00+01:00"),
    ("Vous pouvez l'arrêter vendredi de 22 h 30 à 1 h.", "2026-11-27T22:30+01:00", "2026-11-28T01:00+01:00"),
    ("Le week-end est libre : du vendredi 21 h au lundi 5 h.", "2026-11-27T21:00+01:00", "2026-11-30T05:00+01:00"),
    ("Intervention dans la nuit du 3 au 4 décembre, 01h00-04h00.", "2026-12-04T01:00+01:00", "2026-12-04T04:00+01:00"),
    ("El jueves de siete y media a ocho y media de la tarde.", "2026-11-26T19:30+01:00", "2026-11-26T20:30+01:00"),
    ("Les damos de 1 a 3 a. m. del 5 de diciembre.", "2026-12-05T01:00+01:00", "2026-12-05T03:00+01:00"),
    ("Można restartować: sobota 2-4 rano.", "2026-11-28T02:00+01:00", "2026-11-28T04:00+01:00"),
    ("Proszę dziś w nocy, od północy do czwartej.", "2026-11-25T00:00+01:00", "2026-11-25T04:00+01:00"),
    ("Smijete ga gasiti od petka u 20:00 do nedjelje u podne.", "2026-11-27T20:00+01:00", "2026-11-29T12:00+01:00"),
    ("Molim sutra iza 20 h, do ponoći.", "2026-11-25T20:00+01:00", "2026-11-26T00:00+01:00"),
    ("Odobreno za noč s 7. na 8. december, 00:30–03:00.", "2026-12-08T00:30+01:00", "2026-12-08T03:00+01:00"),
    ("Lahko ga ugasnete v torek, 1. 12., 21.30–23.30.", "2026-12-01T21:30+01:00", "2026-12-01T23:30+01:00"),
    ("In der Nacht von Samstag auf Sonntag von 2 bis 4 Uhr.", "2026-11-29T02:00+01:00", "2026-11-29T04:00+01:00"),
    ("In der Nacht auf Samstag von 1 bis 3 Uhr.", "2026-11-28T01:00+01:00", "2026-11-28T03:00+01:00"),
    ("Nella notte tra sabato e domenica, dalle 2 alle 4.", "2026-11-29T02:00+01:00", "2026-11-29T04:00+01:00"),
    ("En la noche del sábado al domingo, de 2 a 4.", "2026-11-29T02:00+01:00", "2026-11-29T04:00+01:00"),
    ("U noći na subotu, 28. studenoga od 01:00 do 04:00.", "2026-11-28T01:00+01:00", "2026-11-28T04:00+01:00"),
    ("31.12. 23:00 - 1.1. 02:00", "2026-12-31T23:00+01:00", "2027-01-01T02:00+01:00"),
    ("Good morning, you can reboot Friday 20:00-22:00.", "2026-11-27T20:00+01:00", "2026-11-27T22:00+01:00"),
    ("Jeudi 26 novembre, de 22h00 à 23h30 (heure de Genève).", "2026-11-26T22:00+01:00", "2026-11-26T23:30+01:00"),
    ("Please do it tonight after 23.", "2026-11-24T23:00+01:00", ""),
    ("Heute ab 19 Uhr darf er aus sein.", "2026-11-24T19:00+01:00", ""),
    ("Domani dopo le 22 lo spegnete.", "2026-11-25T22:00+01:00", ""),
    ("It has to be over before 5:30 on Monday morning.", "", "2026-11-30T05:30+01:00"),
    ("Do danas u 16 sati smijete ga gasiti.", "", "2026-11-24T16:00+01:00"),
    ("On Saturday 5 December you may do what you want.", "2026-12-05T00:00+01:00", "2026-12-06T00:00+01:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "end"), RESOLVED)
def test_resolves(text: str, start: str, end: str) -> None:
    window = only(text)
    assert (window.start, window.end) == (at(start), at(end))
    assert window.ambiguous == ()
    assert window.has_time


def test_evening_said_once_holds_for_both_ends() -> None:
    window = only("Spegnetelo domani dalle 9 alle 11 di sera.")
    assert (window.start, window.end) == (at("2026-11-25T21:00+01:00"), at("2026-11-25T23:00+01:00"))


@pytest.mark.parametrize(
    ("text", "recurring", "start"),
    [
        ("Solo la domenica dalle 5 alle 7.", "weekly:6", "2026-11-29T05:00+01:00"),
        ("Weekdays 18–22 are fine.", "weekly:0,1,2,3,4", "2026-11-24T18:00+01:00"),
        ("Every night 01:00-03:00.", "daily", "2026-11-25T01:00+01:00"),
        ("Freitags nach 16 Uhr ist hier Ruhe.", "weekly:4", "2026-11-27T16:00+01:00"),
        ("Le week-end non ; tous les jeudis de 2 h à 4 h oui.", "weekly:3", "2026-11-26T02:00+01:00"),
        ("reboot: lun-vie 00:30-05:00, por favor", "weekly:0,1,2,3,4", "2026-11-25T00:30+01:00"),
        ("restart: pn-pt 4:00-5:00, proszę", "weekly:0,1,2,3,4", "2026-11-25T04:00+01:00"),
        ("Zeleno svjetlo imate nedjeljom od 5 do 7.", "weekly:6", "2026-11-29T05:00+01:00"),
        ("Ob nedeljah od 5. do 7. ure ga lahko ugasnete.", "weekly:6", "2026-11-29T05:00+01:00"),
    ],
)
def test_recurring_windows_show_the_next_time(text: str, recurring: str, start: str) -> None:
    window = next(w for w in windows(text) if w.recurring == recurring)
    assert window.start == at(start)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Riavviate pure dopo le 22.", "date"),
        ("Reboot between 22:00 and 05:00.", "date"),
        ("You may restart it on Sunday between 5 and 6.", "hour"),
        ("Riavviatelo domani alle otto.", "hour"),
        ("Please reboot on 03/12 from 22:00 to 23:00.", "order"),
        ("Am Donnerstag, 24.12., von 20 bis 22 Uhr geht es.", ""),
        ("Am Montag, 24.12., von 20 bis 22 Uhr geht es.", "weekday"),
        ("On Tuesday from 20:00 to 22:00 you may stop it.", "date"),  # said on a Tuesday
        ("L'aggiunta la facciamo il primo mercoledì di marzo, dalle 6 alle 8.", "date"),
        ("Il 25/10/2026 alle 02:30 riavviatelo.", "dst"),
        ("Il 28/03/2027 alle 02:30 riavviatelo.", "dst"),
        ("On 14 June from 01:00 to 03:00 CET.", "zone"),
        ("On 26 November from 04:00 till 06:00 Novosibirsk time.", "zone"),
        ("Riavviatelo domani a mezzanotte.", "date"),
        ("Il 31/04 dalle 10:00 alle 11:00.", "date"),
        ("Ajoutez-le jeudi entre minuit et 2 h, merci.", "date"),
    ],
)
def test_does_not_guess(text: str, reason: str) -> None:
    window = only(text)
    assert window.ambiguous == ((reason,) if reason else ())
    assert (window.start is None) == bool(reason)
    assert window.has_time


def test_hours_are_kept_when_no_day_is_known() -> None:
    assert only("Riavvio permesso tra le 22:00 e le 05:00.").hours == ("22:00", "05:00")


@pytest.mark.parametrize(
    "text",
    [
        "You may do it Saturday night.",
        "During the night of the 22nd.",
        "Any time outside 8–18.",
        "Sabato notte va bene.",
    ],
)
def test_part_of_a_named_day_is_a_time(text: str) -> None:
    assert [w.has_time for w in windows(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "Only in a maintenance window, please.",
        "Solo in certi orari.",
        "Nur außerhalb unserer Stoßzeiten.",
        "When we are closed, at night.",
        "Uniquement en heures creuses.",
        "Solo en nuestra ventana de mantenimiento.",
        "Tylko w naszym oknie serwisowym.",
        "Samo u dogovorenom terminu.",
        "Samo ob uri, ki jo še določimo.",
        "We will tell you today.",
    ],
)
def test_a_window_without_its_time_has_none(text: str) -> None:
    assert not any(w.has_time for w in windows(text))


@pytest.mark.parametrize(
    "text",
    [
        "The server has been unreachable since 11:20.",
        "It is down from 02:47, please help.",
        "Ieri alle 22 il server è caduto.",
        "Il server 48213 dalle 02:47 non dà segni di vita.",
        "Our server is not accessible from 14:10.",
        "Strežnik je od 4:55 brez odziva.",
        "Gestern um 22 Uhr ist er abgestürzt.",
        "Hier à 22 h il a planté.",
        "Anoche a las 23:00 se cayó.",
        "Wczoraj o 22:00 padł.",
        "Jučer u 22:00 se srušio.",
        "Včeraj ob 22.00 se je sesul.",
        "The backup of last night 03:00 is fine.",
        "Il backup Veeam delle 04:00 è andato bene.",
        "We run Ubuntu 22.04 and Rocky 9.4, kernel 6.8.0-45.",
        "Its address is 192.0.2.10, gateway 192.0.2.1:8080, and 2001:db8::12:30.",
        "From 16 to 32 GB of RAM, 2 disks of 960 GB, 16:9 screens.",
        "Call us: +39 02 1234 5678, 091 555 0142.",
        "It costs 22.50 euro, from 20 to 30 euro a month.",
        "As in your letter of 12 March 2026.",
        "MAC 00:1b:44:11:3a:b7, port 22, ratio 3:2, 24/7 service.",
        "Invoice 2026/11 of 03.11.2026.",
        "Good morning, have a good weekend!",
        "Guten Morgen zusammen",
        "Due dischi da 1,92 TB, ventola a 16,800 rpm.",
        "Vorrei Rocky Linux 9.4. Grazie",
        "Abrid el 22, por favor; llevo 5 horas así.",
        "",
        "::::",
    ],
)
def test_never_a_window(text: str) -> None:
    assert windows(text) == []


def test_a_version_before_a_time_is_no_date() -> None:
    window = only("Install Ubuntu 22.04 from 20:00 to 22:00 today.")
    assert window.start == at("2026-11-24T20:00+01:00")


def test_zones_of_the_sender() -> None:
    text = "Reboot it tomorrow from 20:00 to 22:00."
    assert only(text, SENT.astimezone(ROME)).start == at("2026-11-25T20:00+01:00")
    new_york = SENT.astimezone(timezone(timedelta(hours=-5)))
    assert only(text, new_york).start == at("2026-11-25T20:00-05:00")
    # +0000 is what large services write for everybody
    assert only(text, SENT.astimezone(UTC)).ambiguous == ("zone",)
    assert only("Reboot it tomorrow, 20:00-22:00 CET.", SENT.astimezone(UTC)).start == at("2026-11-25T20:00+01:00")
    assert only(text, SENT.astimezone(UTC), zone=ZoneInfo("UTC")).start == at("2026-11-25T20:00+00:00")


def test_summer_time_is_followed_where_the_zone_is_known() -> None:
    assert only("Il 15/05/2027 dalle 20:00 alle 22:00.").start == at("2027-05-15T20:00+02:00")


def test_without_a_date_header_only_full_dates_resolve() -> None:
    assert only("Domani dalle 20 alle 22 va bene.", None).ambiguous == ("date",)
    assert only("Il 03/12/2026 dalle 20 alle 22 va bene.", None).start == at("2026-12-03T20:00+01:00")


@pytest.mark.parametrize("sent", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_an_absurd_date_header_says_nothing(sent: datetime) -> None:
    assert only("Domani dalle 20 alle 22 va bene.", sent).ambiguous == ("date",)


def test_language_hint_decides_the_order_of_day_and_month() -> None:
    text = "03/12 22:00-23:00"
    assert only(text, language="it").start == at("2026-12-03T22:00+01:00")
    assert only(text, language="en").ambiguous == ("order",)


def test_advisories() -> None:
    assert only("Il 02/11/2026 dalle 06:00 alle 09:00.").advisories == ("past",)
    assert "reversed" in only("Dal 05/12/2026 alle 10:00 al 04/12/2026 alle 09:00.", language="it").advisories
    office = OfficeHours(ROME, ((time(8), time(18)),) * 5 + (None, None))
    for text, expected in (
        ("Sabato dalle 10 alle 12 va bene.", ("outside-hours",)),
        ("Venerdì dalle 22 alle 23 va bene.", ("outside-hours",)),
        ("Venerdì dalle 17 alle 23 va bene.", ()),
        ("Venerdì alle 9:30 va bene.", ()),
    ):
        found = find_windows(text, 0, len(text), 1, "body", SENT, ROME, WORDS, office)
        assert [w.advisories for w in found] == [expected]


def test_office_hours_need_a_week() -> None:
    with pytest.raises(ValueError, match="seven days"):
        OfficeHours(ROME, (None,))


def test_spans_are_absolute() -> None:
    text = "Buongiorno,\nriavviate sabato dalle 2 alle 4.\n> dalle 5 alle 6"
    (window,) = find_windows(text, 12, text.index("\n>"), 3, "subject", SENT, ROME, WORDS, None)
    assert (window.span.message, window.span.part) == (3, "subject")
    assert text[window.span.start : window.span.end] == window.span.text == window.text == "sabato dalle 2 alle 4"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"wordz": {}}, "unknown key 'wordz'"),
        ({"words": {"form": ["da"]}}, "unknown key 'words.form'"),
        ({"words": {"from": "da"}}, "must be a list"),
        ({"months": []}, "must be a table"),
        ({"words": {"from": ["da{l"]}}, "unclosed or nested brace"),
        ({"words": {"from": ["-"]}}, "has no letters"),
        (
            {"words": {"from": ["{" + ",".join("abcdefghij") + "}" + "{" + ",".join("abcdefghij") + "}"]}},
            "more than 64",
        ),
        ({"zones": {"Europe/Atlantis": ["x"]}}, "is no zone"),
        ({"stop": [1]}, "must be a list"),
    ],
)
def test_broken_packs_say_what_to_do(data: dict[str, object], message: str) -> None:
    with pytest.raises(TimeWordsError, match=r"rules/lang/it/time\.toml.*") as caught:
        time_words({"it": data})
    assert message in str(caught.value)


# --- laws --------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(
            "dalle",
            "alle",
            "sabato",
            "22",
            "22:00",
            "4",
            "-",
            "–",
            ".",
            ":",
            "/",
            ",",
            "(",
            ")",
            "from",
            "to",
            "between",
        ),
        *("and", "after", "until", "Saturday", "27/11", "12.", "3", "Dec", "am", "pm", "h", "Uhr", "zwischen", "und"),
        *("bis", "nachts", "heute", "do", "od", "po", "w", "nocy", "godz.", "med", "in", "uri", "de", "la", "mañana"),
        *("y", "media", "à", "minuit", "UTC", "CET", "ieri", "backup", "203.0.113.9", "every", "\n", "three", "halb"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_and_spans_point_at_its_words(text: str) -> None:
    before = -1
    for window in windows(text):
        assert text[window.span.start : window.span.end] == window.text != ""
        assert window.span.start >= before
        before = window.span.start
        for moment in (window.start, window.end):
            assert moment is None or moment.tzinfo is not None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["Sabato dalle 2 alle 4 va bene.", "Friday 22:00 to 23:30.", "Freitags ab 20 Uhr.", "sobota 2-4 rano, proszę"]
    ),
    st.integers(min_value=0, max_value=52),
)
def test_weeks_later_it_is_weeks_later(text: str, weeks: int) -> None:
    sent = datetime(2026, 11, 24, 10, 0, tzinfo=ROME)
    one, two = only(text, sent), only(text, sent + timedelta(weeks=weeks))
    assert one.start is not None
    if two.ambiguous == ("dst",):
        return  # that night the hour is repeated or skipped
    assert two.start is not None
    assert two.start.replace(tzinfo=None) - one.start.replace(tzinfo=None) == timedelta(weeks=weeks)


@pytest.mark.parametrize(
    "hostile",
    [
        *("1:" * 5000, "1" * 10_000, "1.1." * 3000, "dalle " * 3000, "sabato " * 3000, ":" * 10_000),
        *("from 1 to " * 2000, "2 - " * 4000, "lun-mar-" * 2000, "( , " * 4000, "9" * 9 + "/9" * 4000),
    ],
)
def test_hostile_text_is_bounded(hostile: str) -> None:
    assert len(windows(hostile)) <= 200


# --- how people speak --------------------------------------------------------------------------------


def statements(language: str) -> Iterator[tuple[str, bool]]:
    """Statements that speak of a window and whether its time is in them."""
    for kind in ("statements", "contrast"):
        path = CORPUS / f"{kind}-{language}.jsonl"
        assert path.is_file(), f"{path} is missing; the corpus lies beside the project"
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            labels = [x for x in entry["labels"] if "window" in x]
            if labels:
                yield entry["text"], any(not x.endswith("missing") for x in labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_statements_of_the_corpus(language: str) -> None:
    wrong = [
        text for text, timed in statements(language) if any(w.has_time for w in windows(text)) is not timed
    ]  # fmt: skip
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_passed_over_as_holding_no_time_holds_none(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = tomllib.loads((ROOT / "rules" / "lang" / language / "samples.toml").read_text(encoding="utf-8"))
    texts = [sample["text"] for sample in pack["sample"]]
    without = [t for t in texts if not windows(t, language=language)]
    monkeypatch.setattr("checker.extract.windows._worthwhile", lambda *_: True)
    assert [t for t in texts if not windows(t, language=language)] == without
    assert len(without) > 100
