"""Whether a ticket's last mail gets an answer, and why; sender policy and limits are the service's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model import Message, TicketStatus, Verdict


@dataclass(frozen=True, slots=True)
class ReplyDecision:
    """``reply`` with the reason that is stored and shown (contract: ``would_reply``, ``reply_reason``)."""

    reply: bool
    reason: str


def decide(messages: Sequence[Message], verdict: Verdict, *, confirm: bool = True) -> ReplyDecision:
    """What the service would do with the last of ``messages`` (RFC 3834 first, then the verdict)."""
    if not messages:
        return ReplyDecision(False, "nothing to answer")
    last = messages[-1]
    if last.from_us:
        return ReplyDecision(False, "own-mail")
    if last.automatic is not None:
        return ReplyDecision(False, str(last.automatic))
    if verdict.status is TicketStatus.NOT_A_REQUEST:
        return ReplyDecision(False, "not a request")
    if verdict.missing:
        return ReplyDecision(True, "asks for: " + ", ".join(verdict.missing))
    if verdict.review:
        return ReplyDecision(False, "for a person: " + ", ".join(verdict.review))
    if confirm:
        return ReplyDecision(True, "confirms: everything is there")
    return ReplyDecision(False, "complete; confirmations are turned off")
