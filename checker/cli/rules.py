"""``checker rules``: validate the rule files, run their samples, measure a pack on labelled statements."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ..edges.files import read_rules, read_settings
from ..extract.packs import PackError
from ..extract.samples import asserted, build_samples, read_text, run
from ..extract.windows import find_windows
from ..model import TimeWindow
from ..pipeline import Engine, build_engine
from ..settings import RuleFiles, Settings

_SENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # samples are read as if written on this Monday morning
_CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")


@click.group("rules")
def rules() -> None:
    """Check the rule files, and measure what they understand."""


def _load(config: Path | None) -> tuple[Settings, RuleFiles, Engine]:
    settings = read_settings(config)
    files = read_rules(settings.folders.rules)
    return settings, files, build_engine(files, settings.hoster)


def _windows(engine: Engine) -> Callable[[str], Sequence[TimeWindow]]:
    def windows_in(text: str) -> Sequence[TimeWindow]:
        return find_windows(text, 0, len(text), 1, "body", _SENT, engine.zone, engine.times, engine.hours)

    return windows_in


@rules.command("test")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@_CONFIG
def test(files: Sequence[Path], config: Path | None) -> None:
    """Validate every rule file and run the samples inside; with FILE…, the samples of these packs only."""
    settings, read, engine = _load(config)
    wanted = {_language(f, settings.folders.rules) for f in files}
    count = failures = 0
    for language, data in read.packs("samples.toml").items():
        samples = build_samples(data, language)
        if wanted and language not in wanted:
            continue
        count += len(samples)
        for complaint in run(engine.reader, samples, _windows(engine)):
            failures += 1
            click.echo(str(complaint))
    for language in engine.reader.languages:
        if language not in read.packs("samples.toml") and (not wanted or language in wanted):
            failures += 1
            click.echo(f"rules/lang/{language}/samples.toml: missing; a pack without samples proves nothing")
    click.echo(f"{len(read.files)} rule files read, {count} samples run, {failures} complaints")
    if failures:
        raise SystemExit(1)


def _language(file: Path, folder: Path) -> str:
    try:
        inside = file.resolve().relative_to(folder.resolve())
    except ValueError:
        raise click.UsageError(f"{file} is not below {folder}; name a file of the rules folder") from None
    if not file.exists():
        raise click.UsageError(f"{file}: no such file")
    if len(inside.parts) < 3 or inside.parts[0] != "lang":
        raise click.UsageError(f"{file} belongs to no language pack; run without FILE to test everything")
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{file}: {error}; correct the line") from error
    return inside.parts[1]


@rules.command("measure")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--errors", is_flag=True, help="List every statement that is read differently from its labels.")
@_CONFIG
def measure(files: Sequence[Path], errors: bool, config: Path | None) -> None:
    """Precision and recall per label on FILE…: JSON lines of text, labels, language."""
    _, _, engine = _load(config)
    windows_in = _windows(engine)
    hits: dict[str, Counter[str]] = {}
    said: dict[str, Counter[str]] = {}
    gold: dict[str, Counter[str]] = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            entry: Mapping[str, object] = json.loads(line)
            language, text = str(entry["language"]), str(entry["text"])
            labels = entry["labels"]
            want = {str(x) for x in labels} if isinstance(labels, list) else set()
            statements = read_text(engine.reader, text, language, windows_in)
            got = {str(x) for x in asserted(statements)}
            for table, values in ((hits, got & want), (said, got), (gold, want)):
                table.setdefault(language, Counter()).update(values)
            if errors and got != want:
                rules_here = ", ".join(f"{s.rule} {s.status}" for s in statements)
                click.echo(f"{language}: {text!r}: {sorted(got)} not {sorted(want)} ({rules_here})")
    for language in sorted(gold):
        click.echo(f"{language}")
        for label in sorted(set(said[language]) | set(gold[language])):
            h, s, g = hits[language][label], said[language][label], gold[language][label]
            precision, recall = (h / s if s else 1.0), (h / g if g else 1.0)
            click.echo(f"  {label:26} precision {precision:6.1%}  recall {recall:6.1%}  ({g} in the set)")
        total = [sum(t[language].values()) for t in (hits, said, gold)]
        click.echo(
            f"  {'all labels':26} precision {total[0] / max(1, total[1]):6.1%}"
            f"  recall {total[0] / max(1, total[2]):6.1%}"
        )
