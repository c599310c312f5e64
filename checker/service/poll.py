"""Polling one mailbox: list, read, decide, apply, mark; one mail at a time, each try counted before it is made.

What can go wrong is told apart by whose fault it is. The mailbox away: wait, and no mail is blamed. A
session that dies while many mails are read: one by one, so that the one that kills it is found. A mail that
cannot be read or breaks the reading: tried a few times, then quarantined. The database away: the round
ends, and the mail is still in the mailbox.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from checker.edges.mailbox import Broken, Gone, Known, Mailbox, MailboxError, Read, Refused, Unreachable, Unreadable
from checker.edges.records import Mail, State
from checker.edges.store import leases, messages
from checker.edges.store.engine import Stale, StoreError
from checker.mail.parse import Unparsable, parse
from checker.service.apply import apply, prepare
from checker.service.gather import gather
from checker.service.plan import File, Post, Rebind, Settle, Suppress, needs_reading, plan
from checker.service.situation import Examined, Situation
from checker.service.workshop import Workshop
from checker.settings import ImapMailbox, MaildirMailbox

CHUNK_MAILS: Final = 50
CHUNK_BYTES: Final = 8_000_000
_RETRY: Final = timedelta(minutes=1)
_REFUSED_PAUSE: Final = timedelta(minutes=30)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
_STALE_TRIES: Final = 5

MailboxSettings = ImapMailbox | MaildirMailbox


@dataclass(slots=True)
class Polled:
    """What one poll did. ``error`` is empty when all went well; ``held`` says that another process polls."""

    listed: int = 0
    processed: int = 0
    error: str = ""
    held: bool = False


@dataclass(slots=True)
class _Round:
    shop: Workshop
    settings: MailboxSettings
    mailbox: Mailbox
    until: float
    polled: Polled
    renewed: float = float("-inf")

    @property
    def account(self) -> str:
        return self.settings.name

    def go_on(self) -> bool:
        """Between two mails: asked to stop, out of time, or somebody else's turn?"""
        if self.shop.stopping():
            return False
        self.shop.beat()
        now = self.shop.clock.monotonic()
        if now > self.until:
            return False
        if now - self.renewed < self.shop.settings.service.lease_seconds / 4:
            return True
        self.renewed = now
        return _lease(self.shop, self.account)


def poll(shop: Workshop, settings: MailboxSettings, mailbox: Mailbox) -> Polled:
    """One poll of one mailbox, if nobody else polls it and it is not to be left alone for now."""
    now = shop.clock.now()
    polled = Polled()
    with shop.store.read() as c:
        health = messages.account_health(c, settings.name)
    if health.retry_at is not None and now < health.retry_at:
        polled.error = health.error
        return polled
    if not _lease(shop, settings.name):
        polled.held = True
        return polled
    with shop.store.write() as c:
        run = leases.begin_run(c, settings.name, shop.owner, now)
    round_ = _Round(shop, settings, mailbox, shop.clock.monotonic() + shop.settings.service.round_seconds, polled)
    pause: timedelta | None = None
    try:
        _list(round_)
        _work(round_)
        _mark(round_)
    except Refused as error:
        polled.error, pause = str(error), _REFUSED_PAUSE
    except MailboxError as error:
        polled.error, pause = str(error), back_off(health.failures)
    finally:
        mailbox_ended = shop.clock.now()
        with shop.store.write() as c:
            leases.end_run(c, run, mailbox_ended, listed=polled.listed, processed=polled.processed, error=polled.error)
            failed = bool(polled.error)
            messages.set_health(
                c,
                dataclasses.replace(
                    health,
                    last_ok_at=health.last_ok_at if failed else mailbox_ended,
                    failures=health.failures + 1 if failed else 0,
                    retry_at=mailbox_ended + pause if pause is not None else None,
                    error=polled.error,
                ),
            )
            leases.release(c, _lease_name(settings.name), shop.owner)
    if polled.error:
        shop.log.warning("mailbox-failed", account=settings.name, error=polled.error)
    return polled


def back_off(failures: int) -> timedelta:
    """A pause that doubles with every failure up to a quarter of an hour, give or take a third."""
    seconds = min(5.0 * 2 ** min(failures, 12), _LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.67, 1.0))  # noqa: S311 - spreads load, keeps no secret


def _lease_name(account: str) -> str:
    return f"mailbox:{account}"


def _lease(shop: Workshop, account: str) -> bool:
    length = timedelta(seconds=shop.settings.service.lease_seconds)
    with shop.store.write() as c:
        return leases.acquire(c, _lease_name(account), shop.owner, shop.clock.now(), length)


# --- listing ---------------------------------------------------------------------------------------


def _list(r: _Round) -> None:
    for folder in r.settings.folders:

        def uids(uidvalidity: int, folder: str = folder) -> frozenset[str]:
            with r.shop.store.read() as c:
                return messages.known_uids(c, r.account, folder, uidvalidity)

        with r.shop.store.read() as c:
            position = messages.position(c, r.account, folder)
        for window in r.mailbox.listing(folder, Known(position, uids)):
            with r.shop.store.write() as c:
                r.polled.listed += messages.listed(
                    c, r.account, folder, window.position, window.entries, r.shop.clock.now()
                )
            r.shop.checkpoint("listed")
            if not r.go_on():
                return


# --- working through what waits --------------------------------------------------------------------


def _work(r: _Round) -> None:
    after = 0
    while r.go_on():
        with r.shop.store.read() as c:
            waiting = messages.waiting(c, r.account, r.shop.clock.now(), CHUNK_MAILS, after)
        if not waiting:
            return
        after = waiting[-1].id
        for chunk in _chunks([m for m in waiting if not _park(r, m)]):
            if not r.go_on():
                return
            _chunk(r, chunk)


def _chunks(mails: Sequence[Mail]) -> Iterator[tuple[Mail, ...]]:
    """Mails of one folder that are read together; one that was tried before goes alone."""
    chunk: list[Mail] = []
    for mail in mails:
        same = chunk and chunk[0].place.folder == mail.place.folder
        same = same and chunk[0].place.uidvalidity == mail.place.uidvalidity
        small = sum(m.size for m in chunk) + mail.size <= CHUNK_BYTES
        if chunk and (not same or not small or mail.attempts or chunk[-1].attempts):
            yield tuple(chunk)
            chunk = []
        chunk.append(mail)
    if chunk:
        yield tuple(chunk)


def _park(r: _Round, mail: Mail) -> bool:
    """Mails that are not read at all: too large, or tried too often. They stay where they lie."""
    limit = r.shop.settings.service.max_mail_bytes
    if mail.size > limit:
        _quarantine(r, mail, f"larger than {limit} bytes ({mail.size}); read it in the mailbox")
        return True
    if mail.attempts >= r.shop.settings.service.attempts:
        _quarantine(r, mail, f"given up after {mail.attempts} attempts: {mail.reason or 'the service died reading it'}")
        return True
    return False


def _chunk(r: _Round, chunk: tuple[Mail, ...]) -> None:
    alone = len(chunk) == 1
    if alone:
        chunk = (_begin(r, chunk[0]),)
    try:
        got = _fetch(r, chunk)
    except Unreachable:
        if alone:
            _uncount(r, chunk[0], "the mailbox cannot be reached")
        raise
    except Broken as error:
        if alone:
            _failed(r, chunk[0], str(error))
            return
        r.shop.log.warning("one-by-one", account=r.account, count=len(chunk), error=str(error))
        for mail in chunk:
            if not r.go_on():
                return
            _chunk(r, (mail,))
        return
    r.shop.checkpoint("fetched")
    for mail in chunk:
        if not r.go_on():
            if alone:
                _uncount(r, mail, "")
            return
        counted = mail if alone else _begin(r, mail)
        _one(r, counted, got.get(mail.place.uid, Gone()))


def _fetch(r: _Round, chunk: tuple[Mail, ...]) -> dict[str, Read]:
    place = chunk[0].place
    return dict(r.mailbox.fetch(place.folder, place.uidvalidity, [m.place.uid for m in chunk]))


def _begin(r: _Round, mail: Mail) -> Mail:
    with r.shop.store.write() as c:
        messages.begin_attempt(c, mail)
    r.shop.checkpoint("attempt-counted")
    return dataclasses.replace(mail, attempts=mail.attempts + 1)


def _uncount(r: _Round, mail: Mail, reason: str) -> None:
    before = dataclasses.replace(mail, attempts=mail.attempts - 1)
    with r.shop.store.write() as c:
        messages.put_off(c, before, r.shop.clock.now(), reason, uncount=True)


def _failed(r: _Round, mail: Mail, reason: str) -> None:
    """A try that failed: again in a while, or never."""
    if mail.attempts >= r.shop.settings.service.attempts:
        _quarantine(r, mail, f"given up after {mail.attempts} attempts: {reason}")
        return
    with r.shop.store.write() as c:
        messages.put_off(c, mail, r.shop.clock.now() + _RETRY * mail.attempts, reason[:400])
    r.shop.log.warning("mail-failed", account=r.account, mail=mail.id, attempts=mail.attempts, reason=reason)


def _quarantine(r: _Round, mail: Mail, reason: str, sha256: str | None = None) -> None:
    with r.shop.store.write() as c:
        messages.settle(c, mail, State.QUARANTINED, r.shop.clock.now(), reason=reason[:400], sha256=sha256)
    r.polled.processed += 1
    r.shop.log.warning("mail", account=r.account, mail=mail.id, state=State.QUARANTINED.value, reason=reason)


# --- one mail --------------------------------------------------------------------------------------


def _one(r: _Round, mail: Mail, read: Read) -> None:
    """Read, decide and write down one mail whose try is counted."""
    if isinstance(read, Gone):
        with r.shop.store.write() as c:
            messages.settle(c, mail, State.VANISHED, r.shop.clock.now(), reason="no longer in the mailbox")
        r.shop.log.info("mail", account=r.account, mail=mail.id, state=State.VANISHED.value)
        return
    if isinstance(read, Unreadable):
        _failed(r, mail, read.reason)
        return
    sha256 = hashlib.sha256(read).hexdigest()
    try:
        _process(r, mail, read, sha256)
    except Unparsable as error:
        _quarantine(r, mail, str(error), sha256)
    except (StoreError, Stale):
        _uncount(r, mail, "the database did not answer")
        raise
    except Exception as error:  # noqa: BLE001 - one mail must not stop the others; it is counted and quarantined
        # Type and place alone: an exception's text may hold words of the mail.
        where = fault_place(error)
        _failed(r, mail, f"reading it failed inside the program ({where}); report this line to its makers")
        r.shop.log.error("reading-failed", account=r.account, mail=mail.id, error=where)  # noqa: TRY400 - as above


def fault_place(error: Exception) -> str:
    """Type and line of a failure, without its text, which may hold words of a mail."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"{os.sep}checker{os.sep}" in f.filename]
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _process(r: _Round, mail: Mail, raw: bytes, sha256: str) -> None:
    shop = r.shop
    engine = shop.rules.current.engine
    message = parse(raw, 1, shop.settings.own_addresses, engine.mail)
    for left in range(_STALE_TRIES - 1, -1, -1):
        with shop.store.read() as c:
            situation = gather(c, shop, mail, sha256, message)
        situation, examined = examine(shop, situation)
        shop.checkpoint("examined")
        actions = plan(situation, examined, shop.settings)
        actions, prepared = prepare(shop, situation, sha256, examined, actions)
        try:
            with shop.store.write() as c:
                apply(c, shop, situation, sha256, examined, actions, prepared)
                shop.checkpoint("before-commit")
        except Stale:
            if not left:
                raise
            continue  # the ticket changed while we were reading: look again
        break
    shop.checkpoint("committed")
    r.polled.processed += 1
    _tell(r, mail, sha256, examined, actions)


def examine(shop: Workshop, s: Situation) -> tuple[Situation, Examined | None]:
    """Read the mail as its ticket's next message and judge the thread with it."""
    if not needs_reading(s):
        return s, None
    engine = shop.rules.current.engine
    message = dataclasses.replace(s.message, n=s.next_n)
    if message.from_us:
        message = dataclasses.replace(message, automatic=None)
    s = dataclasses.replace(s, message=message)
    findings = engine.read(message, s.earlier)
    before = engine.judge(s.earlier) if s.earlier else None
    return s, Examined(findings, engine.judge((*s.earlier, findings)), before)


def _tell(r: _Round, mail: Mail, sha256: str, examined: Examined | None, actions: Sequence[object]) -> None:
    """The one line that a mail has in the log."""
    line: dict[str, object] = {"account": r.account, "mail": mail.id, "sha256": sha256[:12], "size": mail.size}
    for action in actions:
        match action:
            case File(_, after, n, state):
                line |= {"state": state.value, "ticket": after.id, "n": n, "status": after.status}
            case Settle(state, reason):
                line |= {"state": state.value, "reason": reason}
            case Rebind():
                line |= {"state": "known"}
            case Post(kind):
                line |= {"replied": kind.value}
            case Suppress(reason):
                line |= {"replied": f"no: {reason}"}
    if examined is not None:
        line |= {"language": examined.verdict.language, "missing": list(examined.verdict.missing)}
    r.shop.log.info("mail", **line)


# --- marking in the mailbox ------------------------------------------------------------------------


def _mark(r: _Round) -> None:
    """Flag or move what is dealt with: a courtesy to people who look at the mailbox, never the truth."""
    settings = r.settings
    if settings.after == "nothing" and settings.quarantine_to is None:
        return
    while r.go_on():
        with r.shop.store.read() as c:
            mails = messages.unmarked(c, r.account, 500)
        if not mails:
            return
        for (folder, validity, target), group in _marking(settings, mails).items():
            r.shop.checkpoint("before-mark")
            if target != "":
                r.mailbox.mark(folder, validity, [m.place.uid for m in group], target)
            r.shop.checkpoint("marked-in-mailbox")
            with r.shop.store.write() as c:
                messages.mark(c, [m.id for m in group], target or None)
            r.shop.checkpoint("marked")


def _marking(settings: MailboxSettings, mails: Sequence[Mail]) -> dict[tuple[str, int, str | None], list[Mail]]:
    """Mails by folder and where they go: a folder's name, ``None`` for a flag, ``""`` for nowhere."""
    groups: dict[tuple[str, int, str | None], list[Mail]] = {}
    for mail in mails:
        target: str | None = {"move": settings.move_to, "flag": None, "nothing": ""}[settings.after]
        if mail.state is State.QUARANTINED:
            target = settings.quarantine_to or ""
        groups.setdefault((mail.place.folder, mail.place.uidvalidity, target), []).append(mail)
    return groups


def backlog(shop: Workshop) -> int:
    """How many mails wait, over all mailboxes."""
    with shop.store.read() as c:
        return messages.counts(c).get(State.NEW, 0)
