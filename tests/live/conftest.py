"""Fixtures for the live tests. In CI none of them is skipped; elsewhere only where a package is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # service_kit, beside the other tests
sys.path.insert(0, str(Path(__file__).resolve().parent))

import servers


def need(present: bool, what: str) -> None:
    """Fail in CI, skip elsewhere, and say in both cases how to get it."""
    if present:
        return
    sentence = f"{what} is not installed; run: {servers.APT}"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[servers.Dovecot]:
    need(shutil.which("dovecot") is not None and shutil.which("openssl") is not None, "Dovecot")
    with servers.folder() as root, servers.dovecot(root) as server:
        yield server


@pytest.fixture(scope="session")
def postfix(dovecot: servers.Dovecot) -> Iterator[servers.Postfix]:
    may_start = os.geteuid() == 0 or shutil.which("sudo") is not None
    need(shutil.which("postfix") is not None and may_start, "Postfix (which root starts, or sudo)")
    with servers.folder() as root, servers.postfix(root, dovecot.lmtp, "support@hoster.example") as server:
        yield server


@pytest.fixture
def sink() -> Iterator[servers.Sink]:
    with servers.sink() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    programs = servers.postgres_programs()
    need(programs is not None, "PostgreSQL")
    assert programs is not None
    with servers.folder() as root, servers.postgres(root, programs) as url:
        yield url


@pytest.fixture
def postgres(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of this test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as c:
        c.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
