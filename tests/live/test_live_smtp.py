"""The SMTP edge against a server that fails in every way that matters."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from servers import Sink, certificate, free_port
from service_kit import mail

from checker.edges.outgoing import Outcome, OutgoingError
from checker.edges.records import Kind, Outgoing
from checker.edges.smtp import Smtp
from checker.model import Secret
from checker.settings import SmtpOutgoing, build

pytestmark = pytest.mark.live


def settings(port: int, **more: object) -> SmtpOutgoing:
    given = {
        "kind": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "connect_seconds": 2, "read_seconds": 2,
        "final_seconds": 1,
    }  # fmt: skip
    found = build({"outgoing": given | more}, file="test", base=Path("/")).outgoing
    assert isinstance(found, SmtpOutgoing)
    return found


def letter(to: str = "ada@kunde.example", body: str = "Hello\n") -> Outgoing:
    return Outgoing("key", Kind.ASK, to, "<ticket.T.x.y@hoster.example>", mail(body, to=to))


@pytest.mark.parametrize(
    ("mode", "outcome", "copies"),
    [
        ("accept", Outcome.SENT, 1),
        ("defer", Outcome.LATER, 0),
        ("refuse", Outcome.FAILED, 0),
        ("refuse-data", Outcome.FAILED, 0),
        ("defer-data", Outcome.LATER, 0),
        ("drop-after-data", Outcome.UNKNOWN, 1),
        ("silent-after-data", Outcome.UNKNOWN, 1),
    ],
)
def test_what_became_of_a_mail(sink: Sink, mode: str, outcome: Outcome, copies: int) -> None:
    sink.mode = mode
    result = Smtp(settings(sink.port), None, "").send(letter())
    assert (result.outcome, len(sink.received)) == (outcome, copies)


def test_the_bytes_arrive_unchanged_from_the_null_sender(sink: Sink) -> None:
    sent = letter(body="dots\n.\n..two\n.end\nlast line without end")
    assert Smtp(settings(sink.port), None, "").send(sent).outcome is Outcome.SENT
    assert sink.received[0].rstrip(b"\r\n") == sent.raw.rstrip(b"\r\n")
    assert sink.senders == ["<>"]  # as the library writes the null path
    assert sink.recipients == ["ada@kunde.example"]


def test_a_domain_beyond_ascii_is_written_as_idna(sink: Sink) -> None:
    assert Smtp(settings(sink.port), None, "b@hoster.example").send(letter("a@münchen.example")).outcome is Outcome.SENT
    assert sink.recipients == ["a@xn--mnchen-3ya.example"]
    assert sink.senders == ["b@hoster.example"]


def test_nobody_listens(tmp_path: Path) -> None:
    out = Smtp(settings(free_port()), None, "")
    assert out.send(letter()).outcome is Outcome.LATER
    with pytest.raises(OutgoingError, match=r"check outgoing\.host and port"):
        out.check()


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        began = time.monotonic()
        result = Smtp(settings(listener.getsockname()[1], connect_seconds=0.5), None, "").send(letter())
    assert result.outcome is Outcome.LATER
    assert time.monotonic() - began < 5


def test_a_server_that_drips_is_cut_off() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        def drip() -> None:
            peer, _ = listener.accept()
            try:
                peer.sendall(b"220 hello\r\n")
                peer.recv(1000)
                while True:
                    peer.sendall(b"2")
                    time.sleep(0.2)
            except OSError:
                return

        threading.Thread(target=drip, daemon=True).start()
        out = Smtp(settings(port, connect_seconds=0.5, read_seconds=0.4, final_seconds=0.1), None, "")
        began = time.monotonic()
        assert out.send(letter()).outcome is Outcome.LATER
        assert time.monotonic() - began < 10


def test_tls_is_verified_by_name_and_issuer(tmp_path: Path) -> None:
    import ssl

    from aiosmtpd.controller import Controller

    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    taken = Sink(port=free_port())
    controller = Controller(taken, hostname="127.0.0.1", port=taken.port, ssl_context=context)
    controller.start()
    try:
        refused = Smtp(settings(taken.port, tls="tls"), None, "").send(letter())
        assert refused.outcome is Outcome.LATER
        assert "set outgoing.ca_file" in refused.detail
        trusted = settings(taken.port, tls="tls", ca_file=str(cert))
        assert Smtp(trusted, None, "").send(letter()).outcome is Outcome.SENT
    finally:
        controller.stop()
    starttls = Controller(taken, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True)
    starttls.start()
    try:
        given = settings(starttls.port, tls="starttls", ca_file=str(cert))
        assert Smtp(given, None, "").send(letter()).outcome is Outcome.SENT
    finally:
        starttls.stop()
    assert len(taken.received) == 2


def test_a_refused_login_waits_for_the_operator_and_keeps_the_password_to_itself(sink: Sink) -> None:
    given = settings(sink.port, user="u", password={"env": "X"}, allow_clear_text=True)
    result = Smtp(given, lambda: Secret("hunter2"), "").send(letter())
    assert result.outcome is Outcome.LATER
    assert "hunter2" not in result.detail
