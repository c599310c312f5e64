"""``checker check`` keeps the contract: JSON, exit codes, zones, masks, and the page that says why."""

from __future__ import annotations

import json
import mailbox
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from checker.cli.check import check

SECRET = "Tr1cky&Geheim.77"
KEYS = {
    *("path", "language", "request_kinds", "service_ids", "ip_addresses", "hostnames"),
    *("credentials", "power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact"),
    *("os", "components", "windows", "missing", "advisories", "status"),
    *("automatic", "would_reply", "reply_reason", "evidence"),
}


def mail(body: str, subject: str = "Server 48213", sender: str = "ada@kunde.example", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "support@hoster.example"
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Nov 2026 09:00:00 +0100"
    message["Message-ID"] = f"<{abs(hash(body))}@kunde.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


COMPLETE = (
    "Dear team,\n\nour server 48213 does not answer any more, please check it.\n"
    "You may reboot it or power it off if necessary.\nWe have a full backup of last night.\n\nAda\n"
)
INSIDE = (
    f"Hi,\n\nplease fix the firewall on server 48213.\nuser: root\npassword: {SECRET}\n\n"
    "You may reboot it at any time.\n"
)


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(check, [str(a) for a in args])


def reports(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_a_path_in_order_with_every_key(tmp_path: Path) -> None:
    first, second = tmp_path / "a.eml", tmp_path / "b.eml"
    first.write_bytes(mail(COMPLETE))
    second.write_bytes(mail("Thank you for the invoice, all is fine.", subject="Invoice 2026-117"))
    result = run("--json", second, first)
    assert result.exit_code == 0
    b, a = reports(result)
    assert (a["path"], b["path"]) == (str(first), str(second))
    assert set(a) >= KEYS
    assert a["status"] == "complete"
    assert (a["request_kinds"], a["service_ids"], a["power"], a["backup"]) == (
        ["intervention"], ["48213"], "granted", "confirmed",
    )  # fmt: skip
    assert a["would_reply"] is True
    assert a["missing"] == []
    assert (b["status"], b["request_kinds"], b["would_reply"]) == ("not_a_request", [], False)


def test_evidence_points_at_the_words(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(COMPLETE))
    (report,) = reports(run("--json", "--text", tmp_path / "a.eml"))
    text = COMPLETE
    body = [e for e in report["evidence"] if e["part"] == "body"]
    assert body
    assert all(text[e["start"] : e["end"]] == e["text"] for e in body)
    assert "reboot" in next(e["text"] for e in body if e["field"] == "power")
    zones = report["messages"][0]["zones"]
    assert zones[0]["start"] == 0
    assert all(a["end"] == b["start"] for a, b in pairwise(zones))


def test_a_folder_is_one_ticket_in_name_order(tmp_path: Path) -> None:
    folder = tmp_path / "ticket"
    folder.mkdir()
    (folder / "01.eml").write_bytes(mail("Hello,\n\nserver 48213 is down, please have a look.\n\nAda\n"))
    (folder / "02.eml").write_bytes(
        mail("1. May we reboot the server?\n2. Is there a current backup?\n", sender="support@hoster.example")
    )
    (folder / "03.eml").write_bytes(
        mail("1. yes\n2. yes, of last night, everything is in it\n", subject="Re: Server 48213")
    )
    (report,) = reports(run("--json", "--own-address", "support@hoster.example", folder))
    assert (report["power"], report["backup"], report["missing"]) == ("granted", "confirmed", [])
    assert {e["message"] for e in report["evidence"] if e["field"] == "power"} == {3}


def test_an_mbox_is_read(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    box.add(mail(COMPLETE))
    box.flush()
    (report,) = reports(run("--json", tmp_path / "box"))
    assert report["status"] == "complete"


def test_secrets_are_masked_unless_revealed(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(INSIDE))
    masked = run("--json", "--text", tmp_path / "a.eml")
    assert SECRET not in masked.output
    assert reports(masked)[0]["credentials"] == [{"access": "os", "username": "root", "secret": "********"}]
    revealed = run("--json", "--text", "--reveal", tmp_path / "a.eml")
    assert reports(revealed)[0]["credentials"][0]["secret"] == SECRET
    assert SECRET not in run(tmp_path / "a.eml").output


def test_the_page_says_why_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(INSIDE + "May I have an invoice? <script>alert(1)</script>\n"))
    page = tmp_path / "why.html"
    assert run("--explain", page, tmp_path / "a.eml").exit_code == 0
    html = page.read_text(encoding="utf-8")
    assert SECRET not in html
    assert "<script>alert" not in html
    assert "power_granted" in html
    assert "mark secret" in html


def test_machines_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(COMPLETE, Auto_Submitted="auto-replied"))
    (report,) = reports(run("--json", tmp_path / "a.eml"))
    assert (report["automatic"], report["would_reply"]) == ("auto-submitted", False)


def test_a_broken_path_is_a_line_and_the_others_are_judged(tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_bytes(mail(COMPLETE))
    (tmp_path / "bad.eml").write_bytes(b"\x00\x01\x02" * 50)
    (tmp_path / "empty").mkdir()
    result = run("--json", tmp_path / "bad.eml", tmp_path / "none.eml", tmp_path / "empty", tmp_path / "good.eml")
    assert result.exit_code == 1
    assert [r["path"] for r in reports(result)] == [str(tmp_path / "good.eml")]
    for name, words in (("bad.eml", "header"), ("none.eml", "no such file"), ("empty", "holds no mail")):
        assert any(name in line and words in line for line in result.stderr.splitlines()), name


@pytest.mark.parametrize("args", [[], ["--nonsense", "x"]])
def test_a_wrong_call_is_a_usage_error(args: list[str]) -> None:
    assert run(*args).exit_code == 2
