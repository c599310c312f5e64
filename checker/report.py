"""A case as the JSON object of ``checker check`` (contract). Secrets are masked unless revealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .model import Credential, Message, Verdict, ZoneKind


def report(
    path: str,
    messages: Sequence[Message],
    verdict: Verdict,
    *,
    would_reply: bool,
    reply_reason: str,
    reveal: bool = False,
    text: bool = False,
) -> dict[str, Any]:
    """The report on one PATH, ready for :func:`json.dumps`. ``text``: with each message's own words."""
    hidden = [] if reveal else [s.reveal() for s in verdict.hidden]
    last = messages[-1] if messages else None
    result: dict[str, Any] = {
        "path": path,
        "language": verdict.language,
        "request_kinds": list(verdict.request_kinds),
        "service_ids": list(verdict.service_ids),
        "ip_addresses": list(verdict.ip_addresses),
        "hostnames": list(verdict.hostnames),
        "credentials": [_credential(c, reveal) for c in verdict.credentials],
        "power": verdict.power,
        "backup": verdict.backup,
        "data_loss_consent": verdict.data_loss_consent,
        "hardware_acknowledgement": verdict.hardware_acknowledgement,
        "impact": verdict.impact,
        "os": None
        if verdict.os is None
        else {
            "distribution": verdict.os.distribution,
            "version": verdict.os.version,
            "edition": verdict.os.edition,
            "layout": masked(verdict.os.layout, hidden) if verdict.os.layout else verdict.os.layout,
        },
        "components": [{"kind": c.kind, "serial": c.serial, "slot": c.slot} for c in verdict.components],
        "windows": [
            {
                "text": masked(w.text, hidden),
                "start": w.start.isoformat() if w.start else None,
                "end": w.end.isoformat() if w.end else None,
                "ambiguous": list(w.ambiguous),
            }
            for w in verdict.windows
        ],
        "missing": list(verdict.missing),
        "advisories": list(verdict.advisories),
        "status": str(verdict.status),
        "review": list(verdict.review),
        "automatic": str(last.automatic) if last is not None and last.automatic else None,
        "would_reply": would_reply,
        "reply_reason": reply_reason,
        "evidence": [
            {"field": e.field, "value": e.value, "rule": e.rule, "message": e.message, "start": e.start}
            | {"end": e.end, "text": masked(e.text, hidden), "part": e.part, "score": e.score}
            for e in verdict.evidence
        ],
        "rejected": [
            {"field": r.field, "reason": r.reason, "rule": r.rule, "message": r.message, "start": r.start}
            | {"end": r.end, "text": masked(r.text, hidden), "part": r.part}
            for r in verdict.rejected
        ],
        "confirm": [
            {"requirement": d.requirement, "message": d.span.message, "start": d.span.start, "end": d.span.end,
             "text": masked(d.span.text, hidden)}
            for d in verdict.confirm
        ],
        "unread": [
            {
                "topics": list(u.topics), "message": u.span.message, "start": u.span.start, "end": u.span.end,
                "text": masked(u.span.text, hidden), "part": u.span.part,
            }
            for u in verdict.unread
        ],
    }  # fmt: skip
    if text:
        result["messages"] = [_message(m, hidden) for m in messages]
    return result


def _credential(credential: Credential, reveal: bool) -> dict[str, str | None]:
    secret = credential.secret
    shown = None if secret is None else secret.reveal() if reveal else str(secret)
    return {"access": str(credential.access), "username": credential.username, "secret": shown}


def _message(message: Message, hidden: Sequence[str]) -> dict[str, Any]:
    own = "".join(message.text[z.start : z.end] for z in message.zones if z.kind is ZoneKind.OWN)
    return {
        "n": message.n,
        "own_words": masked(own, hidden),
        "zones": [{"kind": str(z.kind), "start": z.start, "end": z.end} for z in message.zones],
    }


def masked(text: str, hidden: Sequence[str]) -> str:
    """``text`` with each secret replaced by asterisks of its own length, so that offsets stay true."""
    for secret in sorted(hidden, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "*" * len(secret))
    return text
