"""Where mail comes from and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .values import Email, FilePath, PasswordFrom, Plain, Port, Seconds, Section


class _Mailbox(Section):
    name: Annotated[Plain, Field(min_length=1, max_length=60)] = "support"
    folders: Annotated[tuple[Plain, ...], Field(min_length=1)] = ("INBOX",)
    after: Literal["nothing", "flag", "move"] = "nothing"
    move_to: Plain = "Done"
    quarantine_to: Plain | None = None


class MaildirMailbox(_Mailbox):
    """A Maildir on this machine; other folders are Maildir++ subfolders (``.Done``)."""

    kind: Literal["maildir"] = "maildir"
    path: FilePath = Path("var/mail")


class ImapMailbox(_Mailbox):
    """A mailbox on an IMAP server. ``auth = "xoauth2"``: the password command prints the token."""

    kind: Literal["imap"]
    host: Plain
    port: Port = 993
    tls: Literal["tls", "starttls", "none"] = "tls"
    allow_clear_text: bool = False
    ca_file: FilePath | None = None
    user: Plain
    password: PasswordFrom
    auth: Literal["login", "xoauth2"] = "login"
    keyword: Annotated[str, Field(pattern=r"^[A-Za-z0-9$_-]{1,40}$")] = "checker-done"
    idle: bool = True
    connect_seconds: Seconds = 20
    read_seconds: Seconds = 60
    command_seconds: Seconds = 300

    @model_validator(mode="after")
    def _clear_text(self) -> ImapMailbox:
        if self.tls == "none" and not self.allow_clear_text:
            raise ValueError('tls = "none" sends the password in clear; use "tls", or set allow_clear_text = true')
        return self


Mailbox = Annotated[MaildirMailbox | ImapMailbox, Field(discriminator="kind")]


class MaildirOutgoing(Section):
    """Replies are put into a Maildir instead of being sent."""

    kind: Literal["maildir"] = "maildir"
    path: FilePath = Path("var/outbox")


class SmtpOutgoing(Section):
    """Replies go to a relay. ``final_seconds``: the wait for the answer to the final dot (RFC 5321 §4.5.3.2.6)."""

    kind: Literal["smtp"]
    host: Plain
    port: Port = 587
    tls: Literal["tls", "starttls", "none"] = "starttls"
    allow_clear_text: bool = False
    ca_file: FilePath | None = None
    user: Plain | None = None
    password: PasswordFrom | None = None
    connect_seconds: Seconds = 20
    read_seconds: Seconds = 60
    final_seconds: Seconds = 600

    @model_validator(mode="after")
    def _login(self) -> SmtpOutgoing:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; give both or neither")
        if self.user is not None and self.tls == "none" and not self.allow_clear_text:
            raise ValueError('tls = "none" sends the password in clear; use "starttls", or set allow_clear_text = true')
        return self


Outgoing = Annotated[MaildirOutgoing | SmtpOutgoing, Field(discriminator="kind")]


class SendingSettings(Section):
    """What every mail of ours carries, and what happens when a delivery goes wrong."""

    sender: Email | None = None  # None: the hoster's first address
    sender_name: Plain | None = None  # None: the hoster's name
    envelope_sender: Email | Literal[""] = ""  # empty path: RFC 3834 §4, the safest against loops
    unknown_delivery: Literal["stop", "retry"] = "stop"
    unknown_wait_minutes: Annotated[int, Field(ge=15)] = 15
    attempts: Annotated[int, Field(ge=1)] = 8
    first_retry_seconds: Seconds = 60
