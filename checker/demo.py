"""``make run``: the whole job on sample mail, with no server: Maildir in, Maildir out, SQLite.

Customers write in eight languages; machines, a newsletter and a broken mail come too. After the first
round two customers answer what they were asked, and a second round completes their tickets. Everything
lands below ``var/demo``, which is made anew each time.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

import click

from .cli.wiring import mailbox_of, workshop
from .edges.files import read_settings
from .service.round import run_round

SUPPORT = "support@hoster.example"
CONFIG = """\
[[mailboxes]]
name = "support"
kind = "maildir"
path = "mail"

[outgoing]
kind = "maildir"
path = "outbox"

[folders]
rules = {rules!r}
replies = {replies!r}
state = "state"

[logs]
level = "error"
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail that somebody sends to the support."""

    name: str
    sender: str
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()


FIRST: tuple[Sample, ...] = (
    Sample(
        "Giulia Ferri",
        "giulia@ferrimobili.example",
        "Server bloccato",
        "Buongiorno,\n\nil nostro server 48213 non risponde più da stamattina, né SSH né ping.\n"
        "Potete controllare, per favore?\n\nGrazie\nGiulia Ferri\nFerri Mobili",
    ),
    Sample(
        "Daniel Osei",
        "daniel@oseibooks.example",
        "Please reinstall 203.0.113.41",
        "Hi,\n\nplease reinstall 203.0.113.41 with Ubuntu 24.04. "
        "You may reboot and power cycle it whenever you need to.\n\n"
        "Thanks\nDaniel",
    ),
    Sample(
        "Katrin Vogel",
        "k.vogel@vogeldruck.example",
        "Festplatte in SRV-70412 tauschen",
        "Guten Tag,\n\nbitte tauschen Sie in Server SRV-70412 die defekte Festplatte in Slot 3\n"
        "(Seriennummer ZC1A8F2Q). Eine Ausfallzeit ist für uns jederzeit in Ordnung.\n"
        "Alle wichtigen Daten sind seit heute früh vollständig gesichert.\n"
        "Uns ist bekannt, dass es beim Austausch zu Ausfällen oder Datenverlust kommen\n"
        "kann, und wir akzeptieren das.\n\n"
        "Mit freundlichen Grüßen\nKatrin Vogel",
    ),
    Sample(
        "Luc Martel",
        "luc@martelvelos.example",
        "Serveur injoignable",
        "Bonjour,\n\nnotre serveur 198.51.100.77 ne répond plus. Pouvez-vous regarder ?\n"
        "Nous avons une sauvegarde complète de cette nuit.\n\nCordialement\nLuc Martel",
    ),
    Sample(
        "Ana Ruiz",
        "ana@ruizcatering.example",
        "Servidor caído",
        "Hola:\n\nEl servidor con ID 55120 está caído desde hace una hora. "
        "Pueden reiniciarlo cuando quieran.\n\nUn saludo\nAna Ruiz",
    ),
    Sample(
        "Marek Zieliński",
        "marek@zielinski-auto.example",
        "Serwer nie odpowiada",
        "Dzień dobry,\n\nserwer 60233 nie odpowiada. Proszę o sprawdzenie.\n\nPozdrawiam\nMarek Zieliński",
    ),
    Sample(
        "Ivana Kovač",
        "ivana@kovacturizam.example",
        "Poslužitelj ne radi",
        "Poštovani,\n\nposlužitelj 71209 ne odgovara. Molim vas da ga pogledate.\n\nLijep pozdrav\nIvana Kovač",
    ),
    Sample(
        "Janez Novak",
        "janez@novakles.example",
        "Strežnik ne dela",
        "Pozdravljeni,\n\nstrežnik 33871 se ne odziva. Prosim, preverite ga.\n\nLep pozdrav\nJanez Novak",
    ),
    Sample(
        "Ufficio Acquisti",
        "acquisti@ferrimobili.example",
        "Risposta automatica: Fattura di ottobre",
        "Sono fuori ufficio fino al 30 novembre. Per urgenze scrivete al mio collega.",
        (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")),
    ),
    Sample(
        "Rack Weekly",
        "news@rackweekly.example",
        "This week: liquid cooling",
        "Hello reader,\n\nin this issue: is liquid cooling worth the money?\n\nUnsubscribe: https://rackweekly.example/u",
        (("List-Unsubscribe", "<https://rackweekly.example/u>"), ("Precedence", "bulk")),
    ),
    Sample(
        "Marjorie Quill",
        "marjorie@quillbooks.example",
        "Thank you",
        "Dear all,\n\njust a short note to say thank you for the friendly help last week.\n\nWarm regards\nMarjorie",
    ),
)
BROKEN = b"\x00\x00\x01\xff\xfe" * 40

ANSWERS: tuple[tuple[str, str], ...] = (
    (
        "giulia@ferrimobili.example",
        "1. Sì, riavviatelo pure quando serve.\n2. Sì, abbiamo un backup completo di stanotte.\n\nGiulia",
    ),
    (
        "daniel@oseibooks.example",
        "Yes, I know that everything on the disks will be erased, and that is fine.\n\nDaniel",
    ),
)


class Maildir:
    """A Maildir that is written to as a delivery agent does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for part in ("tmp", "new", "cur"):
            (path / part).mkdir(parents=True, exist_ok=True)
        self._count = 0

    def deliver(self, raw: bytes) -> None:
        """File one mail."""
        self._count += 1
        name = f"{1_700_000_000 + self._count}.M{self._count}.demo"
        (self.path / "tmp" / name).write_bytes(raw)
        (self.path / "tmp" / name).rename(self.path / "new" / name)

    def mails(self) -> list[EmailMessage]:
        """Everything in it."""
        files = sorted([*self.path.glob("new/*"), *self.path.glob("cur/*")])
        return [
            m for f in files if isinstance(m := message_from_bytes(f.read_bytes(), policy=policy.default), EmailMessage)
        ]


def mail(sample: Sample, parent: EmailMessage | None = None) -> bytes:
    """The bytes of ``sample``, as an answer to ``parent`` where there is one."""
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    message["From"] = f"{sample.name} <{sample.sender}>"
    message["To"] = SUPPORT
    message["Subject"] = sample.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sample.sender.partition("@")[2])
    if parent is not None:
        message["In-Reply-To"] = str(parent["Message-ID"])
        message["References"] = " ".join(x for x in (str(parent["References"] or ""), str(parent["Message-ID"])) if x)
    for name, value in sample.headers:
        message[name] = value
    message.set_content(sample.body)
    return message.as_bytes()


def text_of(message: EmailMessage) -> str:
    """The plain text of one of our mails."""
    part = message.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def answer(parent: EmailMessage, body: str) -> bytes:
    """A customer's answer over our quoted mail."""
    quoted = "\n".join("> " + line for line in text_of(parent).splitlines())
    who = str(parent["To"])
    sample = Sample(
        who.partition("@")[0], who, f"Re: {parent['Subject']}", f"{body}\n\nOn Monday, Support wrote:\n{quoted}\n"
    )
    return mail(sample, parent)


def main(folder: Path) -> int:
    """Run the demonstration below ``folder``; returns the exit status."""
    root = Path(__file__).resolve().parents[1]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(rules=str(root / "rules"), replies=str(root / "replies")), encoding="utf-8")
    settings = read_settings(config)
    inbox, outbox = Maildir(folder / "mail"), Maildir(folder / "outbox")
    for sample in FIRST:
        inbox.deliver(mail(sample))
    inbox.deliver(BROKEN)
    click.secho(f"{len(FIRST) + 1} mails wait in {folder / 'mail'}.\n", bold=True)
    shop = workshop(settings)
    try:
        errors: list[str] = []
        seen: set[str] = set()
        for number in (1, 2):
            summary = run_round(shop, lambda m: mailbox_of(settings, m))
            errors += summary.errors
            click.secho(f"Round {number}: {summary.processed} mails read, {summary.delivered} mails sent.", bold=True)
            new = [m for m in outbox.mails() if str(m["Message-ID"]) not in seen]
            seen |= {str(m["Message-ID"]) for m in new}
            _show(new)
            if number == 1:
                by_customer = {str(m["To"]): m for m in new}
                for customer, body in ANSWERS:
                    if customer in by_customer:
                        inbox.deliver(answer(by_customer[customer], body))
                        click.echo(f"{customer} answers.\n")
        _digest(shop_config=config, folder=folder)
    finally:
        shop.store.close()
    for error in errors:
        click.echo(error, err=True)
    click.secho("Where to look", bold=True)
    for path, what in (
        (folder / "outbox" / "new", "the replies, one mail a file"),
        (folder / "digest.html", "the staff's digest as a page"),
        (folder / "state", "the database and the signing key"),
    ):
        click.echo(f"  {path}: {what}")
    click.echo(f"  .venv/bin/checker tickets --config {config}: every ticket and what it lacks")
    return 1 if errors else 0


def _show(mails: Sequence[EmailMessage]) -> None:
    for message in mails:
        click.secho(f"\n--- to {message['To']}: {message['Subject']}", fg="cyan")
        click.echo(text_of(message).rstrip())
    click.echo()


def _digest(shop_config: Path, folder: Path) -> None:
    from .cli.digest import digest

    click.secho("The staff's digest", bold=True)
    digest.main(["--config", str(shop_config), "--text", "--html", str(folder / "digest.html")], standalone_mode=False)


if __name__ == "__main__":
    sys.exit(main(Path("var/demo")))
