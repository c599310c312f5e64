"""One mail: parse, gather, decide, apply; and its one line in the log."""

from __future__ import annotations

import dataclasses
import os
import traceback
from collections.abc import Sequence
from typing import Final

from checker.edges.findings_json import repeated
from checker.edges.records import Mail
from checker.edges.store.engine import Stale
from checker.mail.parse import parse
from checker.service.actions import File, Post, Rebind, Settle, Suppress
from checker.service.apply import apply, prepare
from checker.service.audit import judged
from checker.service.gather import gather
from checker.service.plan import needs_reading, plan
from checker.service.situation import Examined, Situation
from checker.service.turn import Turn
from checker.service.workshop import Workshop

_STALE_TRIES: Final = 5


def process(r: Turn, mail: Mail, raw: bytes, sha256: str) -> None:
    shop = r.shop
    engine = shop.rules.current.engine
    message = parse(raw, 1, shop.settings.own_addresses, engine.mail)
    signed: frozenset[str] | None = None
    if shop.signatures is not None:
        signed = shop.signatures(raw) if message.automatic is None and not message.from_us else frozenset()
    for left in range(_STALE_TRIES - 1, -1, -1):
        with shop.store.read() as c:
            situation = gather(c, shop, mail, sha256, message, signed)
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
    again = repeated(f"{message.subject} {message.text}", s.fingerprints, shop.key)
    findings = dataclasses.replace(findings, hidden=(*findings.hidden, *again))
    before = judged(engine, s.earlier, s.overrides) if s.earlier else None
    return s, Examined(findings, judged(engine, (*s.earlier, findings), s.overrides), before)


def _tell(r: Turn, mail: Mail, sha256: str, examined: Examined | None, actions: Sequence[object]) -> None:
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


def fault_place(error: Exception) -> str:
    """Type and line of a failure, without its text, which may hold words of a mail."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"{os.sep}checker{os.sep}" in f.filename]
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
