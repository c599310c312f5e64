"""Real servers on 127.0.0.1, started from Debian's packages, each in a folder of its own; nothing in /etc is used."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

APT = "apt-get install -y --no-install-recommends dovecot-imapd dovecot-lmtpd postfix postgresql openssl"
PASSWORD = "secret"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for(port: int, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that servers may enter as their own users; pytest's own are closed to all but who runs it."""
    made = Path(tempfile.mkdtemp(prefix="checker-live-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and 127.0.0.1. Returns certificate and key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
         "30",         "-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


# --- Dovecot ---------------------------------------------------------------------------------------

_DOVECOT = """
base_dir = {run}
state_dir = {root}/state
log_path = {root}/log
instance_name = t{imap}
listen = 127.0.0.1
protocols = imap lmtp
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{root}/mail/%n/Maildir
mail_fsync = never
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {root}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%n allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
  # Wrong passwords are tried on purpose here; they must not slow down whoever comes next from this address.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class _Tokens(BaseHTTPRequestHandler):
    """Says whose an access token is: ``token-ada`` is ada's, anything else nobody's."""

    def do_GET(self) -> None:  # the library calls it by this name
        token = self.path.partition("access_token=")[2]
        known = token.startswith("token-")
        body = json.dumps({"username": token.removeprefix("token-")} if known else {"error": "invalid_token"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextlib.contextmanager
def tokens() -> Iterator[int]:
    """The token service that Dovecot asks. Yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@dataclass(slots=True)
class Dovecot:
    """A running server; any user name logs in with :data:`PASSWORD`, or by XOAUTH2 with ``token-`` and its name."""

    root: Path
    imap: int
    imaps: int
    lmtp: int
    cert: Path
    uid: int
    gid: int
    dropped: int = 0

    def maildir(self, user: str) -> Path:
        return self.root / "mail" / user / "Maildir"

    def deliver(self, user: str, raw: bytes, folder: str = "", *, spoiled: bool = False) -> Path:
        """Put a mail into a mailbox as a deliverer does: into tmp, then renamed into new.

        ``spoiled``: its name states another size than it has, and Dovecot hangs up on whoever reads it.
        """
        self.dropped += 1
        box = self.maildir(user) / folder if folder else self.maildir(user)
        for part in ("tmp", "new", "cur"):
            (box / part).mkdir(parents=True, exist_ok=True)
        name = f"{int(time.time())}.{self.dropped:06d}.host{',S=7,W=7' * spoiled}"
        temporary, target = box / "tmp" / name, box / "new" / name
        temporary.write_bytes(raw)
        self._own(self.root / "mail" / user)
        temporary.rename(target)
        return target

    def deliver_many(self, user: str, raw: bytes, count: int) -> None:
        """A folder of so many mails, in the time that so many links take: one file under many names."""
        first = self.deliver(user, raw)
        folder = first.parent
        stamp = int(time.time())
        for i in range(1, count):
            if i % 30_000 == 0:  # file systems limit how many names a file may have
                first = self.deliver(user, raw)
                continue
            (folder / f"{stamp}.M{i:06d}.host,S={len(raw)}").hardlink_to(first)

    def _own(self, top: Path) -> None:
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{self.uid}:{self.gid}", str(top)], check=True)

    def forget_uids(self, user: str) -> None:
        """What a restored backup does: a new UIDVALIDITY and new UIDs."""
        self.kick(user)
        time.sleep(0.2)
        for path in [*self.maildir(user).glob("dovecot*")]:
            path.unlink()
        time.sleep(1.1)  # the new UIDVALIDITY is the second of the clock

    def kick(self, user: str) -> None:
        subprocess.run(
            ["doveadm", "-c", str(self.root / "dovecot.conf"), "kick", user], check=False, capture_output=True
        )


@contextlib.contextmanager
def dovecot(root: Path) -> Iterator[Dovecot]:
    """Start Dovecot in a folder; as root it runs its processes as Dovecot's own users."""
    for part in ("state", "mail"):
        (root / part).mkdir(parents=True)
    run = Path(tempfile.mkdtemp(prefix="dovecot-"))  # not below root: socket paths are limited to 108 bytes
    run.chmod(0o755)
    cert, key = certificate(root)
    if os.geteuid() == 0:
        login, internal, group, uid, gid = "dovenull", "dovecot", "dovecot", 65534, 65534
        os.chown(root / "mail", uid, gid)
    else:
        uid, gid = os.getuid(), os.getgid()
        login = internal = pwd.getpwuid(uid).pw_name
        import grp

        group = grp.getgrgid(gid).gr_name
    server = Dovecot(root, free_port(), free_port(), free_port(), cert, uid, gid)
    (root / "dovecot.conf").write_text(
        _DOVECOT.format(
            run=run, root=root, login=login, internal=internal, group=group, cert=cert, key=key, uid=uid, gid=gid,
            imap=server.imap, imaps=server.imaps, lmtp=server.lmtp, password=PASSWORD,
        )
    )  # fmt: skip
    with tokens() as token_port:
        url = f"http://127.0.0.1:{token_port}/?access_token="
        (root / "oauth2.conf").write_text(f"tokeninfo_url = {url}\nusername_attribute = username\n")
        process = subprocess.Popen(["dovecot", "-F", "-c", str(root / "dovecot.conf")])
        try:
            wait_for(server.imaps)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=20)
            shutil.rmtree(run, ignore_errors=True)


# --- an SMTP sink with faults ----------------------------------------------------------------------


@dataclass(slots=True)
class Sink:
    """Takes mail, or fails in the way that ``mode`` says."""

    port: int = 0
    mode: str = "accept"  # accept | drop-after-data | silent-after-data | defer | refuse | refuse-data
    received: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # the library calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mode == "defer":
            return "451 4.3.0 later"
        if self.mode == "refuse":
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.mode == "refuse-data":
            return "554 5.7.1 not this one"
        if self.mode == "defer-data":
            return "452 4.3.1 full"
        assert isinstance(envelope.content, bytes)
        self.received.append(envelope.content)
        self.senders.append(envelope.mail_from)
        self.recipients += envelope.rcpt_tos
        if self.mode == "drop-after-data":
            assert server.transport is not None
            server.transport.close()
            await asyncio.sleep(0.05)
        if self.mode == "silent-after-data":
            await asyncio.sleep(3)
        return "250 taken"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=True, ident="sink")


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """A sink in a thread of this process."""
    made = Sink(port=free_port())
    controller = _Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


# --- Postfix ---------------------------------------------------------------------------------------

_POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}
myhostname = mx.hoster.example
mydomain = hoster.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = hoster.example, kunde.example
virtual_mailbox_maps = inline:{{ {{ {support} = x }}, {{ ada@kunde.example = x }} }}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
lmtp_destination_recipient_limit = 1
default_transport = error:5.1.2 no outside mail in tests
transport_maps = inline:{{ {{ nobody@kunde.example = error:5.1.1 nobody of that name }} }}
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
minimal_backoff_time = 5
maximal_backoff_time = 10
queue_run_delay = 5
"""

_POSTFIX_MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A relay that delivers to one Dovecot user per local part, and returns what it cannot deliver."""

    root: Path
    smtp: int

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.root / "log" / "mail.log").read_text(errors="replace")
        return ""


@contextlib.contextmanager
def postfix(root: Path, lmtp: int, support: str) -> Iterator[Postfix]:
    """Start Postfix (as root, else by sudo) from a configuration of its own. ``support`` is a mailbox."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    etc = root / "etc"
    for part in (etc, root / "queue", root / "data", root / "log"):
        part.mkdir(parents=True)
    subprocess.run([*as_root, "chown", "postfix:postfix", str(root / "data")], check=True, capture_output=True)
    made = Postfix(root, free_port())
    (etc / "main.cf").write_text(_POSTFIX_MAIN.format(root=root, lmtp=lmtp, support=support))
    (etc / "master.cf").write_text(_POSTFIX_MASTER.format(smtp=made.smtp))
    run = [*as_root, "postfix", "-c", str(etc)]
    subprocess.run([*run, "start"], check=True, capture_output=True)
    try:
        wait_for(made.smtp)
        yield made
    finally:
        subprocess.run([*run, "stop"], check=False, capture_output=True)


# --- PostgreSQL ------------------------------------------------------------------------------------


def postgres_programs() -> Path | None:
    """Where Debian puts initdb and pg_ctl of the newest version, or ``None``."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def postgres(root: Path, programs: Path) -> Iterator[str]:
    """A PostgreSQL of our own. Yields its URL (database ``postgres``; make others from there)."""
    port = free_port()
    root.mkdir(parents=True, exist_ok=True)
    prefix: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(root, user.pw_uid, user.pw_gid)
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data = root / "data"
    run = {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run(  # type: ignore[call-overload]  # the options are the same for all three calls
        [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "-N"], **run
    )
    options = f"-p {port} -h 127.0.0.1 -k '' -c fsync=off -c full_page_writes=off"
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    subprocess.run([*control, "-o", options, "-l", str(root / "log"), "start"], **run)  # type: ignore[call-overload]
    try:
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
