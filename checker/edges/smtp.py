"""Sending over SMTP, one connection per mail: replies are few, and a fresh connection has no past.

What decides is where it broke. Before the mail's text was on its way nothing was accepted: later, or never.
After it, only the relay's answer tells; without one the relay may have the mail (RFC 1047).
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from checker.edges.guard import deadline
from checker.edges.outgoing import Outcome, OutgoingError, Result
from checker.edges.records import Outgoing as Letter
from checker.model import Secret
from checker.settings import SettingsError, SmtpOutgoing

_DATA_GO_AHEAD: Final = 354
_ACCEPTED: Final = 250


class _Declined(Exception):
    """The relay said no, before or instead of taking the mail."""

    def __init__(self, code: int, text: bytes | str, *, permanent: bool | None = None) -> None:
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        self.permanent = code >= 500 if permanent is None else permanent
        super().__init__(f"{code} {' '.join(said.split())[:200]}")


class Smtp:
    """See :class:`checker.edges.outgoing.Outgoing`. ``password`` is asked for at every login: tokens expire."""

    def __init__(self, settings: SmtpOutgoing, password: Callable[[], Secret] | None, envelope_sender: str) -> None:
        self._settings = settings
        self._password = password
        self._sender = envelope_sender

    def send(self, letter: Letter) -> Result:
        """See the protocol."""
        try:
            with self._connected() as smtp:
                self._offer(smtp, letter.recipient)
                return self._hand_over(smtp, letter.raw)
        except _Declined as error:
            return Result(Outcome.FAILED if error.permanent else Outcome.LATER, str(error))
        except (OSError, smtplib.SMTPException, SettingsError, UnicodeError, ValueError) as error:
            return Result(Outcome.LATER, _sentence(error, self._settings))

    def has(self, letter: Letter) -> bool | None:  # noqa: ARG002 - SMTP does not say
        """See the protocol."""
        return None

    def check(self) -> str:
        """See the protocol."""
        try:
            with self._connected() as smtp:
                smtp.noop()
        except _Declined as error:
            raise OutgoingError(f"{self._settings.host}: the relay says {error}; check user and password") from error
        except (OSError, smtplib.SMTPException, SettingsError, UnicodeError, ValueError) as error:
            raise OutgoingError(_sentence(error, self._settings)) from error
        return f"{self._settings.host}:{self._settings.port} takes mail"

    def close(self) -> None:
        """See the protocol: there is no session between two mails."""

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        s = self._settings
        context = ssl.create_default_context(cafile=str(s.ca_file) if s.ca_file else None)
        if s.tls == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(timeout=s.connect_seconds, context=context)
        else:
            smtp = smtplib.SMTP(timeout=s.connect_seconds)
        # smtplib checks the certificate against this name; it is set by connect() only after the handshake needs it.
        smtp._host = s.host  # type: ignore[attr-defined]  # private, covered by the TLS test
        try:
            code, said = smtp.connect(s.host, s.port)
            if code != 220:
                raise _Declined(code, said, permanent=False)
            if smtp.sock is not None:
                smtp.sock.settimeout(s.read_seconds)
            with deadline(smtp.sock, s.connect_seconds + 6 * s.read_seconds + s.final_seconds):
                smtp.ehlo_or_helo_if_needed()
                if s.tls == "starttls":
                    smtp.starttls(context=context)
                    smtp.ehlo()
                self._login(smtp)
                yield smtp
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.close()

    def _login(self, smtp: smtplib.SMTP) -> None:
        if self._settings.user is None or self._password is None:
            return
        try:
            smtp.login(self._settings.user, self._password().reveal())
        except smtplib.SMTPAuthenticationError as error:
            # Wrong credentials are the operator's to mend; the mail waits meanwhile.
            raise _Declined(
                error.smtp_code, "login refused; check outgoing.user and password", permanent=False
            ) from None

    def _offer(self, smtp: smtplib.SMTP, recipient: str) -> None:
        local, _, domain = recipient.rpartition("@")
        with contextlib.suppress(UnicodeError):
            domain = domain.encode("idna").decode("ascii")
        for code, said in (smtp.mail(self._sender), smtp.rcpt(f"{local}@{domain}")):
            if code not in (250, 251):
                raise _Declined(code, said)

    def _hand_over(self, smtp: smtplib.SMTP, raw: bytes) -> Result:
        code, said = smtp.docmd("DATA")
        if code != _DATA_GO_AHEAD:
            raise _Declined(code, said)
        body = b"\r\n".join(b"." + x if x.startswith(b".") else x for x in raw.splitlines())  # RFC 5321 §4.5.2
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(self._settings.final_seconds)
            smtp.send(body + b"\r\n.\r\n")
            code, said = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Result(Outcome.UNKNOWN, f"no answer after the text was sent ({type(error).__name__})")
        if code != _ACCEPTED:
            raise _Declined(code, said)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        return Result(Outcome.SENT)


def _sentence(error: Exception, settings: SmtpOutgoing) -> str:
    where = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return f"{where}: certificate not trusted ({error.verify_message}); set outgoing.ca_file or the right name"
        case ssl.SSLError():
            return f"{where}: TLS failed; check outgoing.tls and port"
        case TimeoutError() | socket.gaierror() | ConnectionError():
            return f"{where}: cannot be reached ({type(error).__name__}); check outgoing.host and port, and the network"
        case smtplib.SMTPNotSupportedError():
            return f"{where}: does not offer what the settings want; check outgoing.tls and user"
        case SettingsError():
            return str(error)
        case _:
            return f"{where}: the conversation broke off ({type(error).__name__})"
