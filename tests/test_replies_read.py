"""Our replies as they come back: quoted whole they consent to nothing, and a "yes" under a question answers just it.

The real rules read; only the pack of a ticket's language is compiled, so each language costs little.
"""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from answer_support import LANGUAGES, env, texts

from checker.answer import reply, samples
from checker.answer.model import ROUNDS, Missing, ReplyKind, ReplyRequest, Understood
from checker.edges.files import read_rules
from checker.mail.parse import parse
from checker.model import Findings, Message, Verdict
from checker.pipeline import Engine, build_engine
from checker.settings import HosterSettings

US: Final = "support@hoster.example"
HER: Final = "Ada <ada@kunde.example>"
CONSENTS: Final = ("power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact")
ASKED: Final = ("power_authorization", "backup", "data_loss_consent", "hardware_acknowledgement", "impact")
GRANTED: Final = ("granted", "confirmed", "given", "given", "downtime_ok")
OK_THANKS: Final = {
    "de": "ok, danke", "en": "ok thanks", "es": "ok, gracias", "fr": "ok, merci", "hr": "ok, hvala",
    "it": "ok, grazie", "pl": "ok, dziękuję", "sl": "ok, hvala",
}  # fmt: skip
YES: Final = {"de": "Ja", "en": "Yes", "es": "Sí", "fr": "Oui", "hr": "Da", "it": "Sì", "pl": "Tak", "sl": "Da"}
FIRST: Final = {
    "de": "bitte installieren Sie auf Server 48213 das Betriebssystem neu und tauschen Sie die Festplatte in Slot 3.",
    "en": "please reinstall server 48213 and replace the drive in slot 3.",
    "es": "por favor, reinstalen el servidor 48213 y cambien el disco de la ranura 3.",
    "fr": "merci de réinstaller le serveur 48213 et de remplacer le disque de l’emplacement 3.",
    "hr": "molim ponovno instalirajte poslužitelj 48213 i zamijenite disk u utoru 3.",
    "it": "vi prego di reinstallare il server 48213 e di sostituire il disco nello slot 3.",
    "pl": "proszę o ponowną instalację serwera 48213 i wymianę dysku w gnieździe 3.",
    "sl": "prosim za ponovno namestitev strežnika 48213 in zamenjavo diska v reži 3.",
}
WROTE: Final = {
    "de": "Am 23.11.2026 um 10:00 schrieb INTROSERV Support:",
    "en": "On Mon, Nov 23, 2026 at 10:00 AM INTROSERV Support wrote:",
    "es": "El lun, 23 nov 2026 a las 10:00, INTROSERV Support escribió:",
    "fr": "Le lun. 23 nov. 2026 à 10:00, INTROSERV Support a écrit :",
    "hr": "Dana 23. 11. 2026. u 10:00 INTROSERV Support je napisao:",
    "it": "Il giorno lun 23 nov 2026 alle ore 10:00 INTROSERV Support ha scritto:",
    "pl": "W dniu 23.11.2026 o 10:00, INTROSERV Support pisze:",
    "sl": "Dne 23. 11. 2026 ob 10:00 je INTROSERV Support napisal/-a:",
}
OUTLOOK: Final = (
    f"From: INTROSERV Support <{US}>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Ada\nSubject: Re: server\n"
)


@cache
def engine() -> Engine:
    return build_engine(read_rules(Path(__file__).resolve().parents[1] / "rules"), HosterSettings(), whole=False)


def received(body: str, n: int) -> Message:
    made = EmailMessage(policy=SMTP.clone(max_line_length=998))
    made["From"], made["To"], made["Subject"] = HER, US, "server 48213"
    made["Date"], made["Message-ID"] = f"Mon, 23 Nov 2026 1{n}:00:00 +0100", f"<{n}@kunde.example>"
    made.set_content(body)
    return parse(made.as_bytes(), n, frozenset({US}), engine().mail)


def request(language: str, *missing: str, number: int = 1) -> ReplyRequest:
    known = Understood(request_kinds=("os_reinstall", "hardware"), service_ids=("48213",))
    return replace(
        samples.request(language, ReplyKind.ASK, number=number),
        understood=known,
        missing=tuple(Missing(m) for m in missing),
        advisories=(),
    )


def after(language: str, asked: ReplyRequest, body: str) -> Verdict:
    """The verdict once a customer answered ``asked`` with ``body``."""
    first = engine().read(received(FIRST[language] + "\n", 1), ())
    ours = Findings(2, first.language, from_us=True, questions=reply.questions(asked, texts()))
    thread = (first, ours)
    verdict = engine().judge((*thread, engine().read(received(body, 3), thread)))
    assert verdict.request_kinds  # else nothing would be a consent, whatever is said
    return verdict


def consents(verdict: Verdict) -> dict[str, str | None]:
    return {field: getattr(verdict, field) for field in CONSENTS}


def quoted(language: str, text: str, words: str = "") -> str:
    """``text`` quoted, with ``words`` on a line of their own under each example."""
    mark = texts().example_marks(language)[0]
    lines = [WROTE[language], ""]
    for line in text.splitlines():
        lines.append(f"> {line}".rstrip())
        if words and line.strip().startswith(mark):
            lines += ["", words, ""]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_quoted_whole_consents_to_nothing(language: str) -> None:
    nothing = dict.fromkeys(CONSENTS)
    for number in range(1, ROUNDS + 1):
        asked = request(language, *ASKED, "os_choice", "credentials", number=number)
        text = reply.compose(asked, env(), texts()).text
        ok = OK_THANKS[language]
        for body in (
            f"{ok}\n\n{quoted(language, text)}",
            f"{quoted(language, text)}\n{ok}\n",
            quoted(language, text, ok),
            f"{ok}\n\n{OUTLOOK}\n{text}",  # a mail program that marks no quotation
        ):
            assert consents(after(language, asked, body)) == nothing, (number, body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_under_each_quoted_question_answers_it(language: str) -> None:
    asked = request(language, *ASKED)
    body = quoted(language, reply.compose(asked, env(), texts()).text, f"{YES[language]}.")
    assert consents(after(language, asked, body)) == dict(zip(CONSENTS, GRANTED, strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_by_number_answers_it(language: str) -> None:
    asked = request(language, *ASKED)
    body = "".join(f"{n}. {YES[language]}\n" for n in range(1, len(ASKED) + 1))
    assert consents(after(language, asked, body)) == dict(zip(CONSENTS, GRANTED, strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_to_one_question_is_no_answer_to_another(language: str) -> None:
    for number, (requirement, field, value) in enumerate(zip(ASKED, CONSENTS, GRANTED, strict=True), start=1):
        asked = request(language, *ASKED)
        found = consents(after(language, asked, f"{number}. {YES[language]}\n"))
        assert found == {**dict.fromkeys(CONSENTS), field: value}, requirement


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_to_the_loss_of_data_is_no_backup(language: str) -> None:
    asked = replace(request(language, "backup"), missing=(Missing("backup", "absent"),))
    (question,) = reply.questions(asked, texts())
    assert question.requirements == ("loss",)
    body = quoted(language, reply.compose(asked, env(), texts()).text, f"{YES[language]}.")
    assert after(language, asked, body).backup != "confirmed"
