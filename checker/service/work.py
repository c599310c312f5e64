"""Working through the mails that wait: which are read together, and what a failed try means.

Each try is counted before it is made, so that a mail that kills the process is counted too.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from checker.edges.mailbox import Broken, Gone, Read, Unreachable, Unreadable
from checker.edges.records import Mail, State
from checker.edges.store import messages
from checker.edges.store.engine import Stale, StoreError
from checker.mail.parse import Unparsable
from checker.service.process import fault_place, process
from checker.service.turn import Turn

CHUNK_MAILS: Final = 50
CHUNK_BYTES: Final = 8_000_000
_RETRY: Final = timedelta(minutes=1)


def work(r: Turn) -> None:
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


def _park(r: Turn, mail: Mail) -> bool:
    """Mails that are not read at all: too large, or tried too often. They stay where they lie."""
    limit = r.shop.settings.service.max_mail_bytes
    if mail.size > limit:
        _quarantine(r, mail, f"larger than {limit} bytes ({mail.size}); read it in the mailbox")
        return True
    if mail.attempts >= r.shop.settings.service.attempts:
        _quarantine(r, mail, f"given up after {mail.attempts} attempts: {mail.reason or 'the service died reading it'}")
        return True
    return False


def _chunk(r: Turn, chunk: tuple[Mail, ...]) -> None:
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


def _fetch(r: Turn, chunk: tuple[Mail, ...]) -> dict[str, Read]:
    place = chunk[0].place
    return dict(r.mailbox.fetch(place.folder, place.uidvalidity, [m.place.uid for m in chunk]))


def _begin(r: Turn, mail: Mail) -> Mail:
    with r.shop.store.write() as c:
        messages.begin_attempt(c, mail)
    r.shop.checkpoint("attempt-counted")
    return dataclasses.replace(mail, attempts=mail.attempts + 1)


def _uncount(r: Turn, mail: Mail, reason: str) -> None:
    before = dataclasses.replace(mail, attempts=mail.attempts - 1)
    with r.shop.store.write() as c:
        messages.put_off(c, before, r.shop.clock.now(), reason, uncount=True)


def _failed(r: Turn, mail: Mail, reason: str) -> None:
    """A try that failed: again in a while, or never."""
    if mail.attempts >= r.shop.settings.service.attempts:
        _quarantine(r, mail, f"given up after {mail.attempts} attempts: {reason}")
        return
    with r.shop.store.write() as c:
        messages.put_off(c, mail, r.shop.clock.now() + _RETRY * mail.attempts, reason[:400])
    r.shop.log.warning("mail-failed", account=r.account, mail=mail.id, attempts=mail.attempts, reason=reason)


def _quarantine(r: Turn, mail: Mail, reason: str, sha256: str | None = None) -> None:
    with r.shop.store.write() as c:
        messages.settle(c, mail, State.QUARANTINED, r.shop.clock.now(), reason=reason[:400], sha256=sha256)
    r.polled.processed += 1
    r.shop.log.warning("mail", account=r.account, mail=mail.id, state=State.QUARANTINED.value, reason=reason)


def _one(r: Turn, mail: Mail, read: Read) -> None:
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
        process(r, mail, read, sha256)
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
