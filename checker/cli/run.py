"""``checker run``: the scheduled service.

One interval job with one instance: rounds never overlap, a late one is not lost, and IDLE only brings the next
one forward. The first SIGTERM (or Ctrl-C) stops between two mails, the second at once. A round that hangs is
ended from outside: the watchdog ends the process, and the supervisor starts it again; nothing is lost by it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click
import structlog

from checker.cli.wiring import mailbox_of, mailbox_password, settings_from, workshop
from checker.edges import supervisor
from checker.edges.store.engine import StoreError
from checker.service.digest import occasions
from checker.service.overview import gauges
from checker.service.round import Summary, run_round
from checker.service.workshop import Workshop
from checker.settings import ImapMailbox, Settings

if TYPE_CHECKING:
    from apscheduler.job import Job  # type: ignore[import-untyped]  # it publishes no types
    from apscheduler.schedulers.base import BaseScheduler  # type: ignore[import-untyped]  # it publishes no types

    from checker.edges.idle import IdleWatcher
    from checker.edges.metrics import Metrics

_JOB: Final = "round"
_HUNG: Final = 70  # EX_SOFTWARE


@click.command("run")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (default: ./config.toml).")
@click.option("--once", is_flag=True, help="One round of everything that is due, then exit.")
def run(config: Path | None, once: bool) -> None:
    """Poll the mailboxes, check the mail, answer, remind, and write the digest."""
    settings = settings_from(config)
    try:
        shop = workshop(settings)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    service = Service(shop)
    try:
        if once:
            summary = service.round()
            click.echo(
                f"listed {summary.listed}, processed {summary.processed}, reminded {summary.reminded}, "
                f"delivered {summary.delivered}, digest {'written' if summary.digest else 'not due'}"
            )
            for error_text in summary.errors:
                click.echo(error_text, err=True)
            raise SystemExit(1 if summary.errors else 0)
        service.serve()
    finally:
        shop.store.close()


def at_their_hours(scheduler: BaseScheduler, wake: Callable[[], None], settings: Settings) -> None:
    """Wake the service when a digest is due, on the hoster's clock.

    The round writes the digest and knows which was written: its hour only brings the next round forward.
    """
    for day, at in occasions(settings):
        scheduler.add_job(
            wake, "cron", day_of_week=day, hour=at.hour, minute=at.minute, second=at.second,
            timezone=settings.hoster.zone,
        )  # fmt: skip


class Service:
    """The running service: stop flag, heartbeat, watchdog, scheduler."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._stop = threading.Event()
        self._beaten = time.monotonic()
        self._written = self._notified = float("-inf")
        self._busy = self._told_busy = False
        self._again = threading.Event()  # woken in mid-round: what came then may have been missed
        self._log = structlog.get_logger()
        self._metrics: Metrics | None = None
        shop.stopping = self._stop.is_set
        shop.beat = self.beat

    @property
    def heartbeat_file(self) -> Path:
        """Its time of change tells a supervisor that the service lives."""
        return self._shop.settings.folders.state / "heartbeat"

    def beat(self) -> None:
        """Called between any two steps; the file is written at most every few seconds."""
        self._beaten = time.monotonic()
        if self._beaten - self._written > 5 or self._told_busy != self._busy:
            self._written, self._told_busy = self._beaten, self._busy
            supervisor.beat(self.heartbeat_file, working=self._busy)

    def round(self) -> Summary:
        """One round; whatever it does, the next one comes."""
        self._busy = True
        began = time.monotonic()
        try:
            summary = run_round(self._shop, partial(mailbox_of, self._shop.settings))
        finally:
            self._busy = False
            self.beat()
        if summary.listed or summary.processed or summary.delivered or summary.errors:
            self._log.info(
                "round", listed=summary.listed, processed=summary.processed, delivered=summary.delivered,
                error="; ".join(summary.errors),
            )  # fmt: skip
        if self._metrics is not None:
            seconds = time.monotonic() - began
            self._metrics.round_ended(seconds, summary.processed, summary.delivered, failed=bool(summary.errors))
            with contextlib.suppress(StoreError):  # told by the round itself
                self._metrics.state(*gauges(self._shop))
        return summary

    def rounds(self) -> None:
        """A round, and another one when IDLE spoke up meanwhile."""
        self._again.set()
        while self._again.is_set() and not self._stop.is_set():
            self._again.clear()
            self.round()

    def serve(self) -> None:
        """Run until told to stop."""
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED  # type: ignore[import-untyped]  # it publishes no types
        from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # it publishes no types

        settings = self._shop.settings
        if settings.metrics.enabled:
            from checker.edges.metrics import Metrics as Exporter

            self._metrics = Exporter()
            self._metrics.serve(settings.metrics)
        scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        job = scheduler.add_job(
            self.rounds, "interval", id=_JOB, seconds=settings.service.poll_seconds,
            jitter=max(1, int(settings.service.poll_seconds / 10)), next_run_time=datetime.now(UTC),
        )  # fmt: skip
        wake = self._waker(job)
        at_their_hours(scheduler, wake, settings)
        scheduler.add_listener(self._scheduler_said, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        watchers = self._watchers(wake)
        scheduler.start()
        self._log.info("started", version=self._shop.rules.current.version, owner=self._shop.owner)
        try:
            supervisor.notify(supervisor.READY)
            while not self._stop.wait(1):
                self._watch()
            supervisor.notify(supervisor.STOPPING)
            self._wait_for_round()
        finally:
            for watcher in watchers:
                watcher.stop()
            scheduler.shutdown(wait=True)
            self._shop.outgoing.close()
            self._log.info("stopped")

    def _wait_for_round(self) -> None:
        """The round ends between two mails; should it hang instead, the watchdog ends us."""
        while self._busy:
            self._watch()
            time.sleep(0.1)

    def _watch(self) -> None:
        if time.monotonic() - self._notified > 10:
            self._notified = time.monotonic()
            supervisor.notify(supervisor.ALIVE)  # this loop lives; whether the round does is looked at below
        if not self._busy:
            self.beat()
            return
        silent = time.monotonic() - self._beaten
        if silent > self._shop.settings.service.watchdog_seconds:
            self._log.critical(
                "hung", seconds=int(silent), what_to_do="the process ends; its supervisor starts it again"
            )
            os._exit(_HUNG)  # threads cannot be ended otherwise; every state is in the store

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()

    def _waker(self, job: Job) -> Callable[[], None]:
        def wake() -> None:
            if self._busy:
                self._again.set()
                return
            with contextlib.suppress(LookupError):  # the scheduler is going down
                job.modify(next_run_time=datetime.now(UTC))

        return wake

    def _watchers(self, wake: Callable[[], None]) -> list[IdleWatcher]:
        watchers: list[IdleWatcher] = []
        for index, mailbox in enumerate(self._shop.settings.mailboxes, start=1):
            password = mailbox_password(mailbox, index)
            if isinstance(mailbox, ImapMailbox) and mailbox.idle and password is not None:
                from checker.edges.idle import IdleWatcher as Watcher

                watchers.append(Watcher(mailbox, password, wake))
        for watcher in watchers:
            watcher.start()
        return watchers

    def _scheduler_said(self, event: object) -> None:
        error = getattr(event, "exception", None)
        self._log.warning(
            "scheduler", job=_JOB, error=type(error).__name__ if error is not None else "", kind=type(event).__name__
        )
