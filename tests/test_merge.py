"""Merging over a thread: what adds up, what stands in place of what, and when it is a conflict."""

from __future__ import annotations

import pytest

from checker.comply import merge
from checker.comply.kinds import kinds
from checker.model import (
    Component,
    Findings,
    Identifier,
    IdentifierKind,
    Label,
    OperatingSystem,
    Role,
    Span,
    Statement,
    Status,
)


def said(*labels: str, status: Status = Status.ASSERTED, actions: frozenset[str] = frozenset()) -> Findings:
    return Findings(
        1, "en", statements=tuple(Statement(Label(x), status, Span(1, 0, 1, "x"), "t", actions=actions) for x in labels)
    )


def both(a: tuple[str, frozenset[str]], b: tuple[str, frozenset[str]]) -> Findings:
    return Findings(
        1,
        "en",
        statements=tuple(
            Statement(Label(label), Status.ASSERTED, Span(1, i, i + 1, "x"), "t", actions=actions)
            for i, (label, actions) in enumerate((a, b))
        ),
    )


@pytest.mark.parametrize(
    ("thread", "value"),
    [
        ([], None),
        ([said("power_granted")], "granted"),
        ([said("power_denied")], "denied"),
        ([said("power_granted", "power_denied")], "conflict"),
        ([said("power_granted"), said("power_denied")], "denied"),
        ([said("power_denied"), said("power_granted")], "granted"),
        ([said("power_granted"), said("backup_confirmed")], "granted"),
        ([said("power_granted", "power_window")], "window"),
        ([said("power_granted", "power_window_missing")], "window_missing"),
        ([said("power_window_missing"), said("power_window")], "window"),
        ([said("power_partial", "power_granted")], "partial"),
        ([said("power_granted"), said("power_granted", status=Status.CONDITION)], None),
        ([said("power_granted"), said("power_granted", status=Status.WITHDRAWN)], None),
        ([said("power_granted"), said("power_granted", status=Status.QUESTION)], "granted"),
        ([said("power_denied"), said("power_granted", status=Status.CONDITION)], "denied"),
    ],
)
def test_power(thread: list[Findings], value: str | None) -> None:
    assert merge.power(thread).value == value


def test_leave_for_one_action_and_a_ban_on_another_is_partial() -> None:
    reboot, off = frozenset({"reboot"}), frozenset({"off"})
    assert merge.power([both(("power_granted", reboot), ("power_denied", off))]).value == "partial"
    assert merge.power([both(("power_granted", reboot), ("power_denied", reboot))]).value == "conflict"
    assert merge.power([both(("power_granted", frozenset()), ("power_denied", off))]).value == "conflict"


@pytest.mark.parametrize(
    ("thread", "value"),
    [
        ([said("backup_confirmed")], "confirmed"),
        ([said("backup_absent")], "absent"),
        ([said("backup_absent", "loss_accepted")], "absent_accepted"),
        ([said("backup_absent"), said("loss_accepted")], "absent_accepted"),
        ([said("loss_accepted")], None),
        ([said("backup_inadequate", "backup_confirmed")], "inadequate"),
        ([said("backup_inadequate", "loss_accepted")], "inadequate"),
        ([said("backup_confirmed", "backup_absent")], "conflict"),
        ([said("backup_absent"), said("backup_confirmed")], "confirmed"),
    ],
)
def test_backup(thread: list[Findings], value: str | None) -> None:
    assert merge.backup(thread).value == value


@pytest.mark.parametrize(
    ("thread", "value"),
    [
        ([said("erase_consent")], "given"),
        ([said("erase_refused")], "refused"),
        ([said("erase_consent", "erase_refused")], "conflict"),
        ([said("erase_consent"), said("erase_refused")], "refused"),
        ([said("erase_consent"), said("erase_consent", status=Status.WITHDRAWN)], None),
        ([said("erase_consent", status=Status.QUESTION)], None),
    ],
)
def test_data_loss_consent(thread: list[Findings], value: str | None) -> None:
    assert merge.data_loss_consent(thread).value == value


HARDWARE = frozenset({"hardware"})


def of_servers(about: tuple[tuple[str, ...], ...], *named: tuple[IdentifierKind, str]) -> list[Findings]:
    """A mail that names servers and confirms a backup in sentences that name some of them."""
    place = Span(1, 0, 1, "x")
    statements = tuple(
        Statement(Label.BACKUP_CONFIRMED, Status.ASSERTED, place, "en/x", about=frozenset(names)) for names in about
    )
    found = tuple(Identifier(kind, value, Role.SERVER, place, "en/x") for kind, value in named)
    return [Findings(1, "en", statements=statements, identifiers=found)]


def test_a_backup_of_one_of_two_servers_is_inadequate() -> None:
    two = ((IdentifierKind.SERVICE_ID, "40001"), (IdentifierKind.SERVICE_ID, "40002"))
    assert merge.backup(of_servers((("40001",),), *two)).value == "inadequate"
    assert merge.backup(of_servers((("40001",), ("40002",)), *two)).value == "confirmed"
    assert merge.backup(of_servers((("40001", "40002"),), *two)).value == "confirmed"
    assert merge.backup(of_servers(((),), *two)).value == "confirmed", "no server named: of all"
    assert merge.backup(of_servers((("40001",), ()), *two)).value == "confirmed"


def test_one_server_has_many_names() -> None:
    names = (
        (IdentifierKind.SERVICE_ID, "40001"),
        (IdentifierKind.IP, "192.0.2.7"),
        (IdentifierKind.IP, "2001:db8::7"),
        (IdentifierKind.HOSTNAME, "web.example"),
    )
    assert merge.backup(of_servers((("40001",),), *names)).value == "confirmed"
    assert merge.backup(of_servers((("192.0.2.7",),), *names)).value == "confirmed"


def test_hardware_risk_and_impact_speak_of_hardware_only() -> None:
    thread = [said("risk_accepted", "downtime_ok")]
    assert merge.hardware_acknowledgement(thread, HARDWARE).value == "given"
    assert merge.impact(thread, HARDWARE).value == "downtime_ok"
    assert merge.hardware_acknowledgement(thread, frozenset({"intervention"})).value is None
    assert merge.impact(thread, frozenset({"intervention"})).value is None


@pytest.mark.parametrize(
    ("labels", "value"),
    [
        (("downtime_ok",), "downtime_ok"),
        (("downtime_refused",), "refused"),
        (("downtime_window", "downtime_ok"), "window"),
        (("downtime_window_missing", "downtime_ok"), "window_missing"),
        (("power_granted",), "downtime_ok"),
        (("power_window",), "window"),
        (("power_denied",), None),
    ],
)
def test_impact(labels: tuple[str, ...], value: str | None) -> None:
    assert merge.impact([said(*labels)], HARDWARE).value == value


def test_an_accepted_loss_is_the_acknowledgement_and_downtime_alone_is_not() -> None:
    assert merge.hardware_acknowledgement([said("loss_accepted")], HARDWARE).value == "given"
    assert merge.hardware_acknowledgement([said("erase_consent")], HARDWARE).value == "given"
    assert merge.hardware_acknowledgement([said("downtime_ok")], HARDWARE).value is None
    assert merge.hardware_acknowledgement([said("risk_accepted", "risk_refused")], HARDWARE).value == "refused"


def weak(rule: str = "en/request.fault_alone", *, business: bool = False) -> Findings:
    return Findings(
        1,
        "en",
        statements=(Statement(Label.REQUEST_INTERVENTION, Status.ASSERTED, Span(1, 0, 1, "x"), rule, score=0.5),),
        business=business,
    )


PART = Component("drive", None, None, Span(1, 0, 1, "x"))
DEBIAN = OperatingSystem("Debian", "12", None, Span(1, 0, 1, "x"))
UNVERSIONED = OperatingSystem("Windows", None, None, Span(1, 0, 1, "x"))
PLAIN = Findings(1, "en")
BUSINESS = Findings(1, "en", business=True)


def test_what_is_asked_for_in_words() -> None:
    assert kinds([]) == frozenset()
    assert kinds([said("request_intervention")]) == {"intervention"}
    assert kinds([said("request_hardware"), weak()]) == {"hardware"}
    assert kinds([said("request_hardware", "request_intervention")]) == {"hardware"}
    assert kinds([said("request_hardware", "request_inside_os")]) == {"hardware", "intervention"}
    assert kinds([said("request_reinstall")]) == {"os_reinstall"}
    assert kinds([said("request_reinstall", status=Status.QUESTION)]) == frozenset()
    assert kinds([said("request_reinstall", "request_inside_os")]) == {"intervention"}
    assert kinds([said("request_reinstall", "request_inside_os", "erase_consent")]) == {"os_reinstall"}
    assert kinds([said("request_reinstall", "request_inside_os", "erase_consent")], (), None, 2) == {
        "os_reinstall",
        "intervention",
    }


def test_a_fault_is_a_request_where_a_server_is_meant() -> None:
    assert kinds([weak()]) == frozenset()
    assert kinds([weak()], servers=1) == {"intervention"}
    assert kinds([weak("en/request.fault")]) == {"intervention"}
    assert kinds([weak("en/request.fault", business=True)], servers=1) == frozenset()


def test_a_part_or_a_system_found_is_a_request_where_a_server_is_meant() -> None:
    assert kinds([PLAIN], [PART], None, 1) == {"hardware"}
    assert kinds([PLAIN], [PART], None, 0) == frozenset()
    assert kinds([PLAIN], [], DEBIAN, 1) == {"os_reinstall"}
    assert kinds([PLAIN], [PART], DEBIAN, 1) == {"os_reinstall"}
    assert kinds([said("downtime_ok")], [PART], DEBIAN, 1) == {"os_reinstall", "hardware"}
    assert kinds([PLAIN], [], UNVERSIONED, 1) == {"os_reinstall"}
    assert kinds([said("request_inside_os")], [], UNVERSIONED, 1) == {"intervention"}
    assert kinds([BUSINESS], [PART], DEBIAN, 1) == frozenset()


def test_power_beside_a_part_named_in_passing_is_an_intervention() -> None:
    assert kinds([said("power_granted")], [PART], None, 1) == {"intervention"}
    assert kinds([said("power_granted", "risk_accepted")], [PART], None, 1) == {"hardware"}


def test_leave_for_power_needs_somebody_who_uses_it() -> None:
    assert kinds([said("power_granted")]) == {"intervention"}
    assert kinds([said("power_granted", status=Status.QUESTION)], servers=1) == frozenset()
    assert kinds([said("backup_confirmed")]) == frozenset()
