"""``checker check``: judge mails offline; nothing is stored, sent or changed."""

from __future__ import annotations

import json
import mailbox
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ..comply.combine import combined
from ..comply.reply import decide
from ..edges.files import read_rules, read_settings, write_private
from ..edges.rule_cache import cache_folder
from ..edges.second_reader import open_reader
from ..mail.parse import Unparsable, parse
from ..model import Case, Findings, Message, Verdict
from ..pipeline import Engine, build_engine
from ..report import masked, report
from ..settings import Settings


class UnreadablePath(ValueError):
    """A PATH that cannot be judged; the text says what to do."""


@click.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per PATH, one per line.")
@click.option("--text", "with_text", is_flag=True, help="With --json: each message's visible text by zone.")
@click.option("--reveal", is_flag=True, help="Show secrets instead of asterisks.")
@click.option(
    "--own-address", "own", multiple=True, metavar="ADDR", help="An address of the hoster's support; repeatable."
)
@click.option(
    "--explain", type=click.Path(path_type=Path, dir_okay=False), help="Write a page that shows what was read and why."
)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
def check(
    paths: Sequence[Path],
    as_json: bool,
    with_text: bool,
    reveal: bool,
    own: Sequence[str],
    explain: Path | None,
    config: Path | None,
) -> None:
    """Judge each PATH: a mail (.eml), a folder of .eml (one ticket, in name order), or an mbox."""
    settings = read_settings(config)
    second = open_reader(settings.reader)
    rules = read_rules(settings.folders.rules, cache_folder())
    engine = build_engine(rules, settings.hoster, whole=False, second=second)
    addresses = settings.own_addresses | {a.lower() for a in own}
    failed = False
    cases: list[tuple[Path, Case]] = []
    for path in paths:
        try:
            case = judge_path(path, engine, addresses)
        except UnreadablePath as error:
            failed = True
            click.echo(f"{path}: {error}", err=True)
            continue
        decision = decide(case.messages, case.verdict, confirm=settings.replies.confirm)
        if explain is not None:
            both = tuple(combined(f, engine.procedure.reader).findings for f in case.findings)
            cases.append((path, replace(case, findings=both)))
        if as_json:
            data = report(
                str(path), case.messages, case.verdict, would_reply=decision.reply, reply_reason=decision.reason,
                reveal=reveal, text=with_text,
            )  # fmt: skip
            sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
        else:
            click.echo(_summary(path, case.verdict, decision.reason, reveal))
        for reason in case.quarantined:
            failed = True
            click.echo(f"{path}: {reason}", err=True)
    if explain is not None:
        _write_explanation(explain, cases, settings)
    if failed:
        raise SystemExit(1)


def judge_path(path: Path, engine: Engine, addresses: frozenset[str]) -> Case:
    """The case of one PATH. Raises :class:`UnreadablePath`."""
    messages: list[Message] = []
    findings: list[Findings] = []
    broken: list[str] = []
    for n, (name, raw) in enumerate(_mails(path), start=1):
        try:
            message = parse(raw, n, addresses, engine.mail)
        except Unparsable as error:
            broken.append(f"{name}: {error}")
            continue
        messages.append(message)
        findings.append(engine.read(message, findings))
    if not messages:
        raise UnreadablePath(broken[0] if broken else "holds no mail; give a .eml file, a folder of .eml, or an mbox")
    return Case(tuple(messages), tuple(findings), engine.judge(findings), tuple(broken))


def _mails(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.glob("*.eml")):
                yield file.name, file.read_bytes()
        elif path.is_file():
            with path.open("rb") as opened:
                start = opened.read(5)
            if start == b"From ":
                box = mailbox.mbox(path, create=False)
                for key in box.keys():  # noqa: SIM118 - a mailbox is no dict: iterating it parses every message
                    yield f"message {key}", box.get_bytes(key)
            else:
                yield path.name, path.read_bytes()
        else:
            raise UnreadablePath("no such file or folder; give a .eml file, a folder of .eml, or an mbox")
    except OSError as error:
        raise UnreadablePath(f"cannot be read ({error.strerror}); check that it exists and may be read") from error


def _summary(path: Path, verdict: Verdict, reason: str, reveal: bool) -> str:
    names = ", ".join((*verdict.service_ids, *verdict.ip_addresses, *verdict.hostnames)) or "-"
    hidden = [] if reveal else [s.reveal() for s in verdict.hidden]
    lines = [
        f"{path}: {verdict.status}",
        f"  asks for   {', '.join(verdict.request_kinds) or 'nothing that the procedure knows'} ({verdict.language})",
    ]
    if verdict.request_kinds:
        lines.append(f"  server     {names}")
        for credential in verdict.credentials:
            secret = credential.secret.reveal() if reveal and credential.secret else credential.secret
            lines.append(
                f"  access     {credential.access}: {credential.username or '-'} / {secret or 'installed key'}"
            )
        for name in ("power", "backup", "data_loss_consent", "hardware_acknowledgement", "impact"):
            value = getattr(verdict, name)
            if value is not None:
                words = masked("; ".join(f'"{e.text}"' for e in verdict.evidence if e.field == name), hidden)
                lines.append(f"  {name:10} {value}: {words}")
        lines.append(f"  missing    {', '.join(verdict.missing) or 'nothing'}")
    lines.append(f"  reply      {reason}")
    return "\n".join(lines)


def _write_explanation(target: Path, cases: Sequence[tuple[Path, Case]], settings: Settings) -> None:
    import jinja2  # these three are slow to import, and only this option needs them
    from spacy import displacy

    from ..answer.explain import compose
    from ..extract import nlp

    pipelines = {language: nlp.pipeline(language) for language in {f.language for _, c in cases for f in c.findings}}

    def draw(message: Message, findings: Findings, text: str) -> str:
        doc = nlp.document(pipelines[findings.language], message, findings, text)
        return str(displacy.render(doc, style="span", options={"spans_key": nlp.STATEMENTS}))

    env = jinja2.Environment(loader=jinja2.PackageLoader("checker.answer", "pages"), autoescape=True)
    page = compose([(str(path), case) for path, case in cases], settings.hoster.name, env, draw)
    try:
        write_private(target, page.encode("utf-8"))  # it shows the whole mail
    except OSError as error:
        raise click.UsageError(f"{target} cannot be written ({error.strerror}); give another --explain FILE") from error
