"""Configuration, rules and reply files from disk; and the small files that the service writes.

Reading gives plain documents with a version; what they mean is decided by the pure builders.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from checker.edges import rule_cache
from checker.settings import RuleFiles, Settings, SettingsError, build

MAX_FILE_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class ReplyFiles:
    """Templates (path below the replies folder to text) and texts (language to TOML document)."""

    version: str
    templates: Mapping[str, str]
    texts: Mapping[str, Mapping[str, object]]


def read_settings(path: Path | None) -> Settings:
    """The settings of a file; without one, of ``config.toml`` here if there is one, else the defaults.

    Raises :class:`SettingsError`.
    """
    if path is None:
        here = Path("config.toml")
        if not here.exists():
            return build({}, file="defaults", base=Path.cwd())
        path = here
    if not path.is_file():
        raise SettingsError(f"{path}: no such file; give the configuration with --config FILE")
    return build(_toml(path, str(path)), file=str(path), base=path.resolve().parent)


def read_rules(folder: Path, cache: Path | None = None) -> RuleFiles:
    """Every ``*.toml`` below the rules folder. Raises :class:`SettingsError` naming file and line.

    ``cache``: the folder in which the parsed files are looked for and kept (:mod:`.rule_cache`).
    """
    found = _rule_bytes(folder)
    digest = _digest(found)
    documents = rule_cache.recall(cache, folder, digest) if cache is not None else None
    if documents is None or documents.keys() != found.keys():
        documents = {name: _parsed(raw, str(folder / name)) for name, raw in found.items()}
        if cache is not None:
            rule_cache.remember(cache, folder, digest, documents)
    return RuleFiles(digest[:16], documents)


def rules_version(folder: Path) -> str:
    """The version that :func:`read_rules` would give, without understanding the files. Raises as it does."""
    return _version(_rule_bytes(folder))


def _rule_bytes(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder; set folders.rules to the folder that holds procedure.toml")
    paths = sorted(p for p in folder.rglob("*.toml") if not _hidden(p, folder))
    if not paths:
        raise SettingsError(f"{folder}: holds no *.toml; set folders.rules to the folder with procedure.toml")
    return {p.relative_to(folder).as_posix(): _bytes(p) for p in paths}


def _version(found: Mapping[str, bytes]) -> str:
    return _digest(found)[:16]


def _digest(found: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, raw in found.items():
        digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return digest.hexdigest()


def read_replies(folder: Path) -> ReplyFiles:
    """Templates (``*.j2``, ``*.txt``, ``*.html``) and ``texts/<xx>.toml``. Raises :class:`SettingsError`."""
    found = _reply_bytes(folder)
    texts = {n for n in found if n.endswith(".toml")}
    return ReplyFiles(
        _version(found),
        {n: _text(raw, str(folder / n)) for n, raw in found.items() if n not in texts},
        {Path(n).stem: _parsed(found[n], str(folder / n)) for n in sorted(texts)},
    )


def replies_version(folder: Path) -> str:
    """The version that :func:`read_replies` would give. Raises as it does."""
    return _version(_reply_bytes(folder))


def _reply_bytes(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder; set folders.replies to the folder that holds the templates")
    found: dict[str, bytes] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not _hidden(p, folder)):
        is_texts = path.suffix == ".toml" and path.parent.name == "texts"
        if is_texts or path.suffix in (".j2", ".jinja", ".txt", ".html"):
            found[path.relative_to(folder).as_posix()] = _bytes(path)
    return found


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step (mode 0600): a reader sees the old content or the new, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_FILE_BYTES} bytes; this is no configuration file")
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; check its owner and mode") from None


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"{name}: line {line}: not UTF-8 text; save the file as UTF-8") from None


def _parsed(raw: bytes, name: str) -> Mapping[str, object]:
    try:
        document: Mapping[str, object] = tomllib.loads(_text(raw, name))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: {error}; correct the TOML there") from None
    return document


def _toml(path: Path, name: str) -> Mapping[str, object]:
    return _parsed(_bytes(path), name)
