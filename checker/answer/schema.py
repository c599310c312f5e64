"""Which texts a language file holds, and which placeholders each of them may use.

A key is the dotted path in ``replies/texts/<xx>.toml``. The placeholders are the whole interface between code
and translators: a text may leave one out, it may not invent one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .model import ADVISORIES, REASONS, UNSAID

FORMS: Final = ("ask", "again", "example")  # the first question, the shorter one, one example of an answer

PARTS: Final = (
    "drive",
    "ram",
    "psu",
    "fan",
    "nic",
    "cpu",
    "raid_controller",
    "motherboard",
    "gpu",
    "battery",
    "cable",
    "other",
)
KINDS: Final = ("intervention", "os_reinstall", "hardware")

_PLAIN: Final[dict[str, str]] = {
    "language": "name quote_open quote_close list_separator label_end",
    "greeting": "named:name plain",
    "subject": "fallback",
    "facts": "server request access power backup erasure risk downtime system parts",
    "value": (
        "access_given power_granted power_denied power_partial power_window:window backup_confirmed"
        " backup_absent_accepted erasure_given risk_given downtime_ok downtime_window:window slot:slot serial:serial"
    ),
    "request": " ".join(KINDS),
    "part": " ".join(PARTS),
    "ask1": "thanks understood need_one need_many how_one how",
    "ask2": "thanks understood need_one need_many how_one how",
    "ask3": "thanks need_one need_many how",
    "reminder1": "opening need_one need_many how",
    "reminder2": "opening need_one need_many how",
    "reminder3": "opening need_one need_many how",
    "confirmation": "thanks understood next window:window correct",
    "handover": "thanks next nothing_to_do",
    "contradiction": "intro doubt",
    "mark": "example:example",
    "advisory": "title " + " ".join(ADVISORIES),
    "closing": "regards team:hoster links tag:tag automatic",
}

_DIGEST: Final = (
    "subject:hoster,day,ready,needs_you title:hoster period:start,end,zone new urgent weekdays none"
    " ready needs_you waiting gone_quiet quarantined"
    " hint_ready hint_needs_you hint_waiting hint_gone_quiet hint_quarantined"
    " who server request why corrected correction:field,value,by,because"
    " missing when since:day,days asked:count reminded:count quotes message:number"
    " find message_id"
    " sheet asked_for access power downtime windows window_ambiguous:what ambiguous_date ambiguous_order ambiguous_zone"
    " ambiguous_hour ambiguous_weekday ambiguous_dst caution_past caution_reversed caution_outside_hours"
    " backup erasure risk parts system layout"
    " method_os method_console method_other user:name"
    " power_granted power_denied power_partial power_window power_window_missing power_conflict"
    " impact_downtime_ok impact_window impact_window_missing impact_refused impact_conflict"
    " backup_confirmed backup_absent_accepted backup_absent backup_inadequate backup_conflict"
    " consent_given consent_refused consent_conflict unsaid default_layout"
    " picture received complete_at_first complete_after_one complete_later still_waiting median forgotten"
    " days:count hours:count minutes:count"
    " counts count_seen count_tickets count_automatic count_duplicates count_not_requests count_quarantined"
    " more:count mismatch:difference suppressed deliveries state_failed state_unknown breakers"
    " held_back:count"
    " field_power field_backup field_data_loss_consent field_hardware_acknowledgement field_impact field_os"
    " field_component field_server why_conflict:field why_capped why_unread why_unverified_sender why_refused:field"
    " why_second_reader why_limit why_unanswered why_bounced why_doubled_header why_stranger:field"
    " why_forged_token:field why_replies_off why_no_sender why_own_address why_address_form why_address_bounced"
    " why_too_old why_answered_already why_nothing_new why_per_ticket why_for_a_person why_confirmations_off"
    " why_confirmed_already why_per_sender why_per_domain why_breaker why_template_fault"
    " why_paused why_foreign_server why_doubt:field why_said_otherwise:field why_automatic:field why_thread_full"
    " footer"
    " notice_ready:server,ticket notice_urgent:server,ticket lead_urgent:start notice_footer"
)


def _section(section: str, names: str) -> Iterator[tuple[str, frozenset[str]]]:
    for item in names.split():
        name, _, placeholders = item.partition(":")
        yield f"{section}.{name}", frozenset(placeholders.split(",")) if placeholders else frozenset()


def _all() -> Iterator[tuple[str, frozenset[str]]]:
    for section, names in _PLAIN.items():
        yield from _section(section, names)
    yield from _section("digest", _DIGEST)
    for requirement, reasons in REASONS.items():
        yield f"digest.missing_{requirement}", frozenset()
        for reason in reasons:
            allowed = {"server_id.hostname_only": {"hostname"}}.get(f"{requirement}.{reason}", set())
            if requirement == "os_choice" and reason != UNSAID:
                allowed = {"system"}
            for form in FORMS:
                # An example stands for itself: readers compare it word by word, so nothing is filled into it.
                yield f"question.{requirement}.{reason}.{form}", frozenset(() if form == "example" else allowed)


KEYS: Final[dict[str, frozenset[str]]] = dict(_all())
EXAMPLES: Final = tuple(k for k in KEYS if k.startswith("question.") and k.endswith(".example"))
EMPTY_ALLOWED: Final = frozenset({"closing.automatic"})  # a hoster may want no such line
