"""Whose words a line is: the ways of quoting, passing on, signing and pasting, and what must stay own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_helpers import OURS, covers, own, parts_of, words, zones_of

from checker.mail.text import html_text
from checker.mail.zones import is_forward, is_reply, split_zones
from checker.model import ZoneKind

OWN, QUOTED, FORWARDED = ZoneKind.OWN, ZoneKind.QUOTED, ZoneKind.FORWARDED
ATTRIBUTION, SIGNATURE, LOG, DISCLAIMER = (
    ZoneKind.ATTRIBUTION, ZoneKind.SIGNATURE, ZoneKind.LOG, ZoneKind.DISCLAIMER,
)  # fmt: skip


def kinds(text: str, subject: str = "") -> list[ZoneKind]:
    return [z.kind for z in zones_of(text, subject)[1]]


@pytest.mark.parametrize(
    "line",
    [
        "Il giorno mar 17 nov 2026 alle ore 09:12 Supporto <support@hoster.example> ha scritto:",
        "Il 18/11/26 19:03, Assistenza ha scritto:",
        "On Wed, 18 Nov 2026 at 14:22, Support <support@hoster.example> wrote:",
        "On Nov 19, 2026, at 1:22 PM, Support <support@hoster.example> wrote:",
        "Am 19.11.26 um 16:40 schrieb Support:",
        "Am Fr., 20. Nov. 2026 um 08:55 Uhr schrieb Support <support@hoster.example>:",
        "Le jeu. 19 nov. 2026 à 09:27, Support <support@hoster.example> a écrit :",
        "Le mar. 17 nov. 2026, à 16 h 08, Support <support@hoster.example> a écrit :",
        "El mié, 18 nov 2026 a las 12:14, Soporte (<support@hoster.example>) escribió:",
        "W dniu 18.11.2026 o 13:17, Pomoc techniczna pisze:",
        "czw., 19 lis 2026 o 10:44 Pomoc <support@hoster.example> napisał(a):",
        "Wiadomość napisana przez Pomoc <support@hoster.example> w dniu 5 maj 2026, o godz. 11:04:",
        "Dana sri, 18. stu 2026. u 10:20 podrška <support@hoster.example> napisao/la je:",
        "V V pet., 13. nov. 2026 ob 10:18 je oseba podpora <support@hoster.example> napisala:",
        "Dne 20. 11. 2026 ob 12:09 je Podpora napisal(a):",
        # languages without a pack: a date, an address and the colon are enough
        "19.11.2026, 12:40, \"Support\" <support@hoster.example>:",
        "Op do 19 nov. 2026 om 09:27 schreef Support <support@hoster.example>:",
        "pe 20. marraskuuta 2026 klo 17.50 Support <support@hoster.example> kirjoitti:",
        "2026-11-19 16:32 GMT+01:00 Support <support@hoster.example>:",
    ],
)  # fmt: skip
@pytest.mark.parametrize("quote", ["> ", ""])
def test_attribution_starts_the_quote(line: str, quote: str) -> None:
    text, zones = zones_of(f"Sì, riavviate.\n\n{line}\n\n{quote}Possiamo riavviare?\n{quote}Serve un backup.\n")
    assert [z.kind for z in zones] == [OWN, ATTRIBUTION, QUOTED]
    assert parts_of(text, zones, OWN) == ["Sì, riavviate."]


@pytest.mark.parametrize(
    "lines",
    [
        "Il giorno ven 13 nov 2026 alle ore 07:58 Supporto Tecnico <\nsupport@hoster.example> ha scritto:",
        "On Thu, Nov 19, 2026, 16:48 Support <support@hoster.example>\nwrote:",
        "On Nov 21, 2026,\nat 10:18,\nSupport <support@hoster.example> wrote:",
        "Le mar. 17 nov. 2026, à 16 h 08, Support <support@hoster.example> a\nécrit :",
        "tor. 18. nov. 2026 kl. 13:09 skrev Support <support@hoster.example\n>:",
    ],
)
def test_attribution_wrapped_over_lines(lines: str) -> None:
    text, zones = zones_of(f"Va bene.\n\n{lines}\n\n> Possiamo riavviare?\n")
    assert parts_of(text, zones, OWN) == ["Va bene."]
    assert "Possiamo" in "".join(parts_of(text, zones, QUOTED))


def test_an_unknown_verb_after_the_address_counts_before_a_marked_quote() -> None:
    line = "Support <support@hoster.example>, 17 Kas 2026 Sal, 10:02 tarihinde şunu yazdı:"
    assert kinds(f"ok\n\n{line}\n\n> Server?\n") == [OWN, ATTRIBUTION, QUOTED]


def test_a_line_directly_above_an_attribution_stays_own() -> None:
    assert own("Sì, dalle 10:00.\nIl 18/11/26 19:03, Assistenza ha scritto:\n> Quando?\n") == "Sì, dalle 10:00."


@pytest.mark.parametrize(
    "block",
    [
        "Da: Assistenza <support@hoster.example>\nInviato: giovedì 12 novembre 2026 17:48\nA: Mario\nOggetto: RE: SO",
        "Von: Support\nGesendet: Donnerstag, 12. November 2026 08:02\nAn: Ulrike\nBetreff: AW: Server",
        "________________________________\nFrom: Support <support@hoster.example>\nSent: 20 November 2026 09:48\n"
        "To: R <r@client.example>\nSubject: RE: disk",
        "-----Messaggio originale-----\nDa: Assistenza\nA: Mario",
        "*From:* Support [mailto:support@hoster.example]\n*Sent:* Thursday, February 09, 2026 1:36 PM\n*To:* r\n"
        "*Subject:* x",
        "De : Support<mailto:support@hoster.example>\nEnvoyé le :jeudi 15 décembre 2026 09:35\nÀ : r\nObjet :x",
        "Van: Support [mailto:support@hoster.example]\nVerzonden: maandag 5 december 2026 17:00\n"
        "Aan: r@client.example\n"
        "Onderwerp: x",
        "-------- Původní zpráva --------\nKdo: Support <support@hoster.example>\nKomu: r@client.example\n"
        "Kdy: 12.11.2026 10:00",
        "From: Human Resources \n<a-long-address@hoster.example> \nSent: Monday, August 26, 2026 4:37 PM\n"
        "To: r\nSubject: x",
    ],
)  # fmt: skip
def test_header_block_starts_the_quote(block: str) -> None:
    text, zones = zones_of(f"Confermo il backup.\n\n{block}\n\nPossiamo riavviare?\nGrazie\n")
    assert [z.kind for z in zones] == [OWN, ATTRIBUTION, QUOTED]
    assert parts_of(text, zones, OWN) == ["Confermo il backup."]


@pytest.mark.parametrize(
    "text",
    [
        "From: 22:00\nTo: 04:00\nplease do not touch it outside.",
        "Da: Milano\nA: Roma\nil cavo va spostato.",
        "Server: 48213\nUtente: root\nPassword: a:b/c\nData: domani",
        "Il 12 novembre abbiamo scritto:\nnessuna risposta.",
        "On the other hand, at 10:00 we wrote to nobody.",
        "Orari: il 20/11/2026 dalle 22:00:\n- riavvio\n- controllo",
        "Nota bene:\ndal 12/11/2026 alle 10:00 il server 48213 è giù:",
        "-----\nServer 48213\n-----\nriavviate pure",
        ">>> OFFERTA <<<\nchiamateci",
    ],
)
def test_not_a_quote(text: str) -> None:
    assert own(text).split() == text.split()


def test_inline_answers_keep_their_questions_before_them() -> None:
    text, zones = zones_of(
        "Risposte nel testo.\n\nIl 18/11/26 19:03, Assistenza ha scritto:\n> 1) Riavviare?\nsì\n> 2) Backup?\n\n"
        "fatto ieri\n\n> 3) Finestra?\nsabato 2-4\n> Saluti\n"
    )
    assert [z.kind for z in zones] == [OWN, ATTRIBUTION, QUOTED, OWN, QUOTED, OWN, QUOTED, OWN, QUOTED]
    assert parts_of(text, zones, OWN) == ["Risposte nel testo.", "sì", "fatto ieri", "sabato 2-4"]
    assert parts_of(text, zones, QUOTED)[:3] == ["> 1) Riavviare?", "> 2) Backup?", "> 3) Finestra?"]


def test_short_answers_below_long_questions_are_no_wrapped_quote() -> None:
    question = "> Possono i nostri tecnici riavviare o spegnere il server se dovesse servire durante i lavori"
    assert own(f"{question}\nCerto, fate pure\n> Backup?\nsì\n") == "Certo, fate pure\n\nsì"


def test_a_quote_that_was_wrapped_stays_quoted() -> None:
    long = "> Possono i nostri tecnici riavviare o spegnere il server se dovesse servire durante i"
    assert own(f"Sì.\n\n{long}\nlavori di domani\n> Grazie\n") == "Sì."


def test_bottom_posted() -> None:
    assert (
        own("Am 18.11.26 um 11:47 schrieb Support:\n> Welche Version?\n> Danke\n\nDie 12.\n\nAinhoa\n")
        == "Die 12.\n\nAinhoa"
    )


def test_depth_is_told() -> None:
    _, zones = zones_of("a\n> b\n>> c\n> > > d\n")
    assert [(z.kind, z.depth) for z in zones] == [(OWN, 0), (QUOTED, 1), (QUOTED, 2), (QUOTED, 3)]


# --- passed on -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "subject"),
    [
        ("---------- Forwarded message ---------", "Re: x"),
        ("-------- Messaggio inoltrato --------", ""),
        ("-------- Weitergeleitete Nachricht --------", ""),
        ("---------- Wiadomość przekazana dalej ----------", ""),
        ("Début du message transféré :", ""),
        ("-----Ursprüngliche Nachricht-----", "WG: x"),
        ("-----Izvirno sporočilo-----", "FW: x"),
        ("", "Fwd: x"),
        ("", "I: x"),
    ],
)
def test_passed_on_mail(marker: str, subject: str) -> None:
    block = "From: Luca <luca@pavan.example>\nDate: Mon, 16 Nov 2026 08:12\nSubject: x\nTo: Elena <e@zorzi.example>"
    text, zones = zones_of(f"Confermo tutto.\n\n{marker}\n{block}\n\nPossono riavviare.\n", subject)
    assert [z.kind for z in zones] == [OWN, ATTRIBUTION, FORWARDED]
    assert parts_of(text, zones, FORWARDED) == ["Possono riavviare."]


def test_our_own_mail_is_quoted_even_when_passed_on() -> None:
    block = (
        "-------- Messaggio inoltrato --------\nDa: Support <support@hoster.example>\nOggetto: x\nA: e@zorzi.example"
    )
    assert kinds(f"Vedi sotto.\n\n{block}\n\nEsempio: autorizzo il riavvio.\n", "I: x") == [OWN, ATTRIBUTION, QUOTED]


def test_our_mail_below_a_passed_on_one_is_quoted() -> None:
    text, zones = zones_of(
        "Per conoscenza.\n\n---------- Messaggio inoltrato ----------\nDa: Fabio <f@sarti.example>\nOggetto: x\n"
        "A: Anna\n\nRiavviate pure.\n\nIl 18/11/26 19:03, Assistenza <support@hoster.example> ha scritto:\n"
        "> Esempio: autorizzo.\n"
    )
    assert [z.kind for z in zones] == [OWN, ATTRIBUTION, FORWARDED, ATTRIBUTION, QUOTED]
    assert parts_of(text, zones, FORWARDED) == ["Riavviate pure."]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("Fwd: x", True), ("WG: x", True), ("I: x", True), ("Re: Fwd: x", True), ("TR : x", True), ("RV: x", True),
     ("Re: x", False), ("AW: x", False), ("Server: WG: x", False), ("", False), ("I server sono fermi", False)],
)  # fmt: skip
def test_forward_subjects(subject: str, expected: bool) -> None:
    assert is_forward(subject, words()) is expected
    assert is_reply("Re: x", words())
    assert not is_reply("Server: x", words())


# --- never to nothing, never for nothing -----------------------------------------------------------


def test_contact_form_is_own() -> None:
    form = "Von: Max Muster <max@client.example>\nBetreff: Server 48213\n\nBitte neu starten.\n"
    assert own(form).split() == form.split()


def test_empty_reply_over_our_mail_is_not_own() -> None:
    ours = (
        "From: Support <support@hoster.example>\nSent: 20 November 2026 09:48\nTo: R\nSubject: x\n\nExample: I agree.\n"
    )
    assert own(ours) == ""
    unnamed = "Od: Support\nPoslano: 12. studenoga 2026. 08:44\nPrima: Tomislav\nPredmet: x\n\nPrimjer: slažem se.\n"
    zones = split_zones(unnamed, words(), reply=True, own_addresses=OURS)
    assert [z.kind for z in zones] == [ATTRIBUTION, QUOTED]


# --- signatures ------------------------------------------------------------------------------------

SIGNED = [
    "Cordiali saluti\nMario Rossi",
    "Distinti saluti,\n\nMario Rossi\nRossi S.r.l. - P.IVA 01234560159\ntel. 02 5550 7781",
    "Best regards,\nJohn\nACME Ltd",
    "Mit freundlichen Grüßen\nJens Petermann\nPetermann Spedition GmbH",
    "Viele Gruesse\nJens",
    "Gruß, D. Brandt",
    "LG Jasmin Kolb",
    "Danke und Grüße\nSören",
    "Un saludo,\nRubén\nTel. 944 55 01 28",
    "Bien cordialement,\nÉtienne Marchal",
    "Z poważaniem\nKrzysztof Maj\nHurtownia Maj Sp. j.",
    "Srdačan pozdrav,\nTomislav Barišić",
    "S spoštovanjem\nRok Pečnik",
    "-- \nMario Rossi\nresponsabile dei servizi di rete",
    "--\nMario Rossi",
    "Sent from my iPhone",
    "Inviato da iPhone",
    "Von meinem Android-Handy gesendet",
    "Wysłane z iPhone'a",
    "Get Outlook for Android",
    "Thanks\nPriyanka Shah",
    "grazie\nnico",
]


@pytest.mark.parametrize("signature", SIGNED)
def test_signature(signature: str) -> None:
    text, zones = zones_of(f"Il server è fermo, guardate voi.\n\n{signature}\n")
    assert [z.kind for z in zones] == [OWN, SIGNATURE]
    assert parts_of(text, zones, OWN) == ["Il server è fermo, guardate voi."]


@pytest.mark.parametrize("signature", [s for s in SIGNED if not s.startswith("-- \n")])
@pytest.mark.parametrize(
    "after",
    [
        "PS: il backup è di ieri.",
        "Ah, il backup è stato fatto ieri e potete riavviare.",
        "root / Caffè&Brioche8",
        "Password: xyz",
        "riavviate pure",
        "Neustart ok",
        "1. sì 2. no",
        "Il server è 203.0.113.7",
        "https://ots.example/s/8fKq2LmZ0x",
        "Server 48213, tel. 333 5550118",
        "| reboot | ok |",
    ],
)
def test_what_follows_a_signature_is_own_again(signature: str, after: str) -> None:
    assert after in own(f"Il server è fermo.\n\n{signature}\n\n{after}\n")


@pytest.mark.parametrize(
    "text",
    [
        "With kind regards to the disk, please swap it.",
        "I wanted to discuss this with regards to the server.",
        "Best would be tonight.\nBackup exists.",
        "Saluti a parte, il server 48213 è fermo.",
        "Grazie, riavviate pure quando volete.",
        "Thanks for the reply\nroot / Tr0ub4dor&3\nport 2222",
        "Ciao\nServer 48213 fermo\nriavviate",
        "The notification was sent from my iPhone app to all users.",
        "Sent from my desk, is much easier than my phone.",
        "user: root\npassword: Grün!Kohl\nip: 203.0.113.9",
        "Version?\nDatacenter",
        "AnyDesk 512 884 207",
        "Referente: Mario, tel. 333 5550118, password: Abc.123",
        "Spegnete pure e chiamate il +39 333 5550118",
        "tel 333 5550118 spegnete pure senza paura",
        "Original:\nSamsung PM9A3",
    ],
)
def test_no_signature(text: str) -> None:
    assert own(f"Buongiorno,\n{text}\n").split() == f"Buongiorno,\n{text}".split()


def test_after_the_delimiter_only_a_postscript_is_own_again() -> None:
    """RFC 3676 §4.3: what follows "-- " is the signature."""
    assert own("Fermo.\n\n-- \nMario\nuna frase qualunque, lunga quanto si vuole.\n\nPS: backup ieri\n") == (
        "Fermo.\n\nPS: backup ieri"
    )


def test_closing_words_as_greeting_are_own() -> None:
    assert SIGNATURE not in kinds("Saluti a tutti\n\nil server è fermo\n")


def test_signature_above_a_quote() -> None:
    text = "Fatto.\n\nGruß\nReto\n\nAm 11.11.2026 um 07:38 schrieb Support <support@hoster.example>:\n> Grüezi\n"
    assert kinds(text) == [OWN, SIGNATURE, ATTRIBUTION, QUOTED]


@pytest.mark.parametrize(
    "footer",
    [
        "Le informazioni contenute in questo messaggio sono riservate. Chi lo riceve per errore\nlo distrugga.",
        "This message and any attachment are confidential and intended solely for the addressee.",
        "Diese E-Mail enthält vertrauliche\nInformationen und ist nur für den Empfänger bestimmt.",
        "Ce message et ses pièces jointes sont confidentiels.",
        "Este mensaje y sus anexos van dirigidos solo a quien figura como destinatario.",
        "Niniejsza wiadomość zawiera informacje poufne.",
        "Sadržaj ove poruke je povjerljiv.",
        "Vsebina tega sporočila je zaupna.",
        "Please consider the environment before printing",
        "To unsubscribe click here",
    ],
)
def test_disclaimer(footer: str) -> None:
    text, zones = zones_of(f"Riavviate pure.\n\nMario\n\n{footer}\n")
    assert [z.kind for z in zones] == [OWN, DISCLAIMER]
    assert parts_of(text, zones, DISCLAIMER) == [footer]


def test_disclaimer_starts_at_its_own_line() -> None:
    text, zones = zones_of(
        "Potete riavviare.\nThis email is confidential, and if you are not the addressee, delete it.\n"
    )
    assert parts_of(text, zones, OWN) == ["Potete riavviare."]


# --- logs ------------------------------------------------------------------------------------------

LOGS = [
    "[391022.118] blk_update_request: critical medium error, dev sdb, sector 3907029160",
    "Mar 22 04:51:02 gw sshd[1123]: Failed password for root from 198.51.100.200 port 52144 ssh2",
    "2026-06-03T23:14:08.771204Z 0 [ERROR] [MY-013183] [InnoDB] Assertion failure",
    " 1  192.168.1.1      0.4 ms\n 2  100.64.0.1       2.1 ms\n 3  * * *",
    "Filesystem      Size  Used Avail Use% Mounted on\n/dev/md2        438G  438G     0 100% /",
    "  5 Reallocated_Sector_Ct   0x0033   001   001   010    Pre-fail  FAILING_NOW 61512",
    "  Host                  Loss%   Snt   Last   Avg\n  1. 192.168.1.1         0.0%   200    0.4   0.5",
    'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in <module>',
    "java.lang.IllegalStateException: x\n\tat com.example.A.run(A.java:3)\n\tat com.example.A.main(A.java:1)",
    "$ df -h /\nsome output 1\nsome output 2",
    "root@web1:~# systemctl status nginx\n nginx.service - failed",
    "PING 203.0.113.9 (203.0.113.9) 56(84) bytes of data.\n64 bytes from 203.0.113.9: icmp_seq=1 ttl=57 time=9.1 ms",
    "ata2.00: failed command: WRITE FPDMA QUEUED\nata2: hard resetting link",
]


@pytest.mark.parametrize("log", LOGS)
def test_log(log: str) -> None:
    text, zones = zones_of(f"Vedo questo:\n\n{log}\n\nRiavviate pure.\n")
    assert LOG in {z.kind for z in zones}
    assert parts_of(text, zones, OWN)[0].startswith("Vedo questo:")
    assert parts_of(text, zones, OWN)[-1] == "Riavviate pure."
    assert log.splitlines()[-1].strip() in parts_of(text, zones, LOG)[0]


@pytest.mark.parametrize(
    "text",
    [
        "user: root\npassword: Tr0ub4dor&3",
        "IP 203.0.113.87\nID 48213",
        "ssh deploy@198.51.100.140\nporta 2222",
        "root\nkU?9rst%Bahnhof",
        "| azione | ok |\n|--------|----|\n| reboot | sì |",
        "Server         | 192.0.2.45\nDischi         | 2x960 SSD in RAID 1; C: 200 GB",
        "+------------+------------+\n| Machine    | 70719      |\n+------------+------------+",
        "1. riavviare entro le 22:00\n2. cambiare il disco\n3. 203.0.113.7",
        "- server ID 30018\n- login: root / 8Tannen&1Bach",
        "usługa   co trzeba\n-------  ---------\n55012    poprawić nftables",
        "2026-11-22 02:00 - 2026-11-22 04:00",
        "2026-11-22 02:00:00",
        "1. 203.0.113.7\n2. sì\n3. sì, ieri",
        "primary   203.0.113.44\nstandby   2001:0DB8:77::B",
        "  vrsta: HDD 4 TB SATA\n  S/N:   ZC1A7M3Q\n  slot:  2",
        "reža 3, VRJ0K2PA\nreža 6, VRJ0K9TD",
        "Balanceador: 2001:db8:44:7::10 / 192.0.2.87",
        "IP/ID/PW 192.0.2.1/root/a{b}c;",
        "4 ms di latenza, 10 volte al giorno",
    ],
)
def test_what_a_person_wrote_is_no_log(text: str) -> None:
    assert own(f"Buongiorno,\n\n{text}\n\nfate pure\n").split() == f"Buongiorno, {text} fate pure".split()


# --- laws ------------------------------------------------------------------------------------------

SENTENCE = st.sampled_from(
    ["Autorizzo il riavvio.", "Backup fatto ieri", "server 48213", "root / pass:word", "Grüße", "-- ", "", "sì",
     "1. yes", "Am 19.11.26 um 16:40 schrieb Support:", "From: a@b.example", "Il server è fermo:", "PS: no",
     "Cordiali saluti",
     "[12.345] usb 1-1: reset", "| a | b |", "_____", "Sent from my iPhone", "---------- Forwarded message ---------"]
)  # fmt: skip
TEXT = st.lists(SENTENCE, min_size=1, max_size=12).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_zones_always_cover_the_text(text: str) -> None:
    shown, zones = zones_of(text)
    assert covers(shown, zones)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_zones_cover_any_text(text: str) -> None:
    shown, zones = zones_of(text)
    assert covers(shown, zones)


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_quoting_leaves_no_own_words(text: str) -> None:
    quoted = "\n".join(f"> {line}" for line in text.split("\n"))
    assert own(quoted) == ""
    assert own(f"Risposta mia.\n\n{quoted}\n") == "Risposta mia."


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_a_blockquote_leaves_no_own_words(text: str) -> None:
    lines = "".join(f"<p>{line.replace('<', '&lt;')}</p>" for line in text.split("\n"))
    assert own(html_text(f"<div>Risposta mia.</div><blockquote>{lines}</blockquote>")) == "Risposta mia."


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_lines_below_an_outlook_header_are_not_own(text: str) -> None:
    block = "Da: Assistenza <support@hoster.example>\nInviato: giovedì 12 novembre 2026 17:48\nA: M\nOggetto: x"
    assert own(f"Risposta mia.\n\n{block}\n\n{text}\n") == "Risposta mia."
