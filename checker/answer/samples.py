"""Made-up requests and a made-up digest: what ``replies preview`` shows, and a check that every template renders.

Templates and texts are edited by people; trying them all on these before the service starts finds a wrong
name in a template on the day it is written, not when the first mail of its kind is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import jinja2

from . import digest, notice, reply
from .model import (
    ADVISORIES,
    REASONS,
    ROUNDS,
    AnswerError,
    Contradiction,
    Correction,
    Counts,
    Delivery,
    DigestView,
    Entry,
    Figures,
    Group,
    Hoster,
    Link,
    Missing,
    NoticeKind,
    NoticeView,
    Part,
    Quarantined,
    Quote,
    ReplyKind,
    ReplyRequest,
    SheetWindow,
    Suppressed,
    System,
    Understood,
    WorkSheet,
)
from .texts import Texts

HOSTER = Hoster("INTROSERV", (Link("INTROSERV", "https://hoster.example/help"),))


def request(language: str, kind: ReplyKind = ReplyKind.ASK, hoster: Hoster = HOSTER, number: int = 1) -> ReplyRequest:
    """A hardware ticket with two open points; ``number`` is the round."""
    return ReplyRequest(
        kind=kind,
        language=language,
        hoster=hoster,
        understood=Understood(
            request_kinds=("hardware",),
            service_ids=("48213",),
            ip_addresses=("203.0.113.7",),
            impact="downtime_ok",
            parts=(Part("drive", "3", "S3Z8NB0K"),),
        ),
        missing=(Missing("backup", "inadequate"), Missing("hardware_acknowledgement"))
        if kind in (ReplyKind.ASK, ReplyKind.REMINDER)
        else (),
        advisories=("hot_swap", "data_safety"),
        name="Marta Bellini",
        subject="Server 48213",
        tag="T-1042",
        round=number,
    )


def requests(language: str, hoster: Hoster = HOSTER) -> Iterator[ReplyRequest]:
    """Every kind, round, requirement, reason and advisory once: whatever a template or a text can be asked for."""
    full = Understood(
        request_kinds=("intervention", "os_reinstall", "hardware"),
        service_ids=("48213",),
        ip_addresses=("203.0.113.7",),
        hostnames=("db1.hoster.example",),
        access=True,
        power="window",
        backup="absent_accepted",
        data_loss_consent="given",
        hardware_acknowledgement="given",
        impact="window",
        windows=("02:00–04:00",),
        system=System("Ubuntu"),
        parts=(Part("drive", "3", "S3Z8NB0K"), Part("ram")),
    )
    base = replace(request(language, hoster=hoster), understood=full, advisories=ADVISORIES)
    for requirement, reasons in REASONS.items():
        for reason in reasons:
            pair = (Contradiction(requirement, "…", "…"),) if reason == "conflict" else ()
            for number in range(1, ROUNDS + 1):
                yield replace(base, missing=(Missing(requirement, reason),), contradictions=pair, round=number)
    several = tuple(Missing(requirement) for requirement in REASONS)
    for number in range(1, ROUNDS + 1):
        yield replace(base, missing=several, round=number)
        yield replace(base, kind=ReplyKind.REMINDER, missing=several[:1], round=number)
        yield replace(base, kind=ReplyKind.REMINDER, missing=several, round=number)
    for understood in (full, replace(full, windows=(), power="granted", impact="downtime_ok")):
        yield replace(base, kind=ReplyKind.CONFIRMATION, missing=(), understood=understood)
    yield replace(base, kind=ReplyKind.HANDOVER, missing=(), name=None)


def view(language: str, now: datetime, zone: tzinfo, hoster: Hoster = HOSTER) -> DigestView:
    """A day with something in every group. The figures reconcile."""
    entries = (
        Entry(
            ticket="T-1042",
            group=Group.READY,
            who="Marta Bellini <marta.bellini@studiobellini.example>",
            server="48213 (203.0.113.7)",
            request_kinds=("hardware",),
            since=now - timedelta(hours=3),
            quotes=(
                Quote("impact", "Sabato tra le 2 e le 4 il server può stare fermo.", 1),
                Quote("backup", "Stanotte ho copiato tutto sul NAS.", 3),
            ),
            link="https://desk.hoster.example/tickets/1042",
            message_id="<48213.a1@studiobellini.example>",
            new=True,
            urgent=True,
            sheet=WorkSheet(
                service_ids=("48213",),
                ip_addresses=("203.0.113.7",),
                impact="window",
                windows=(SheetWindow("sabato tra le 2 e le 4", now + timedelta(hours=19), now + timedelta(hours=21)),),
                backup="confirmed",
                hardware_acknowledgement="given",
                parts=(Part("drive", "3", "S3Z8NB0K"),),
                asked=("Il disco nello slot 3 è guasto, sostituitelo.",),
            ),
        ),
        Entry(
            ticket="T-1039",
            group=Group.READY,
            who="Jan Kowalski <jan@sklep.example>",
            server="SRV-20417",
            request_kinds=("os_reinstall",),
            since=now - timedelta(hours=7),
            quotes=(Quote("data_loss_consent", "Wszystko na dyskach można skasować.", 2),),
            link="https://desk.hoster.example/tickets/1039",
            message_id="<re.77@sklep.example>",
            new=True,
            sheet=WorkSheet(
                service_ids=("SRV-20417",),
                power="granted",
                data_loss_consent="given",
                system=System("Debian", "12"),
                layout="RAID 1, /var separate",
                asked=("Proszę o ponowną instalację systemu.",),
            ),
        ),
        Entry(
            ticket="T-1041",
            group=Group.NEEDS_YOU,
            who="it@autohaus.example",
            server="51877",
            request_kinds=("intervention",),
            since=now - timedelta(hours=5),
            why=("conflict:power",),
            quotes=(
                Quote("power", "Sie können jederzeit neu starten.", 1),
                Quote("power", "Vor Freitag bitte kein Neustart.", 1),
            ),
            message_id="<q9.1@autohaus.example>",
            new=True,
        ),
        Entry(
            ticket="T-1021",
            group=Group.WAITING,
            who="Claire Morel <claire@atelier-morel.example>",
            server="198.51.100.24",
            request_kinds=("intervention",),
            since=now - timedelta(days=2, hours=4),
            missing=(Missing("credentials"), Missing("backup", "inadequate")),
            asked=1,
            reminded=1,
            message_id="<m5@atelier-morel.example>",
            corrections=(Correction("power", "granted", "Piero Gallo", "said so on the phone"),),
        ),
        Entry(
            ticket="T-1007",
            group=Group.GONE_QUIET,
            who="Ana Horvat <ana@otok.example>",
            server="tfz1cvkr",
            request_kinds=("os_reinstall",),
            since=now - timedelta(days=9),
            missing=(Missing("os_choice", "version"),),
            asked=2,
            reminded=2,
            message_id="<z2@otok.example>",
        ),
    )
    return DigestView(
        language=language,
        hoster=hoster,
        now=now,
        since=now - timedelta(days=1),
        zone=zone,
        entries=entries,
        quarantined=(
            Quarantined("no message boundary found", "INBOX, UID 90314", "noreply@shop.example", since=now, new=True),
        ),
        counts=Counts(seen=31, tickets=17, automatic=8, duplicates=1, not_requests=4, quarantined=1),
        figures=Figures(
            received=12,
            complete_at_first=5,
            complete_after_one=4,
            complete_later=1,
            waiting=2,
            median_to_complete=timedelta(hours=6, minutes=20),
            forgotten=(("backup", 6), ("power_authorization", 4), ("credentials", 2)),
        ),
        suppressed=(
            Suppressed("pia@mlin.example", "address-bounced", "T-1030"),
            Suppressed("", "automatic:list", count=5),
        ),
        deliveries=(Delivery("pia@mlin.example", "failed", "T-1030", "550 no such user"),),
    )


def notices(told: DigestView) -> tuple[NoticeView, NoticeView]:
    """A notice of each kind, about the first ticket of a made-up digest."""
    ready = NoticeView(NoticeKind.READY, told.language, told.hoster, told.now, told.zone, told.entries[0])
    return ready, replace(ready, kind=NoticeKind.URGENT, start=told.now + timedelta(hours=19))


def check(env: jinja2.Environment, texts: Texts, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    """Renders everything in every language; the sentences of what failed, none when all is well."""
    faults: list[str] = []
    for language in texts.languages:
        for one in requests(language):
            try:
                reply.compose(one, env, texts)
            except AnswerError as error:
                faults.append(str(error))
        whole = view(language, now, zone)
        for told in (whole, *(notices(whole))):
            try:
                digest.compose(told, env, texts) if isinstance(told, DigestView) else notice.compose(told, env, texts)
            except AnswerError as error:
                faults.append(str(error))
    return tuple(dict.fromkeys(faults))
