"""Prometheus metrics over HTTP: off by default, loopback by default, numbers only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from checker.settings import MetricsSettings, SettingsError

_BUCKETS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)


class Metrics:
    """What a monitoring system may ask for. One per process."""

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        self._rounds = Counter("checker_rounds", "Rounds by how they ended", ["result"], registry=r)
        self._seconds = Histogram("checker_round_seconds", "Length of a round", buckets=_BUCKETS, registry=r)
        self._processed = Counter("checker_mails_processed", "Mails dealt with", registry=r)
        self._delivered = Counter("checker_mails_sent", "Mails handed over to the relay", registry=r)
        self._mails = Gauge("checker_mails", "Mails known, by state", ["state"], registry=r)
        self._outbox = Gauge("checker_outbox", "Mails of ours, by state", ["state"], registry=r)
        self._tickets = Gauge("checker_tickets", "Tickets, by status", ["status"], registry=r)
        self._suppressed = Gauge("checker_suppressed", "Replies not written today", ["reason"], registry=r)
        self._last_ok = Gauge("checker_last_poll_timestamp_seconds", "Last good poll", ["account"], registry=r)

    def serve(self, settings: MetricsSettings) -> None:
        """Answer over HTTP in a thread. Raises :class:`SettingsError` when the port is taken."""
        try:
            start_http_server(settings.port, settings.address, registry=self.registry)
        except OSError as error:
            raise SettingsError(
                f"metrics: {settings.address}:{settings.port} cannot be used ({error.strerror}); change metrics.port"
            ) from None

    def round_ended(self, seconds: float, processed: int, delivered: int, *, failed: bool) -> None:
        """Count a round."""
        self._rounds.labels("failed" if failed else "ok").inc()
        self._seconds.observe(seconds)
        self._processed.inc(processed)
        self._delivered.inc(delivered)

    def state(
        self,
        mails: dict[str, int],
        outbox: dict[str, int],
        tickets: dict[str, int],
        suppressed: dict[str, int],
        last_ok: dict[str, datetime],
    ) -> None:
        """What the store holds now."""
        for gauge, values in (
            (self._mails, mails), (self._outbox, outbox), (self._tickets, tickets), (self._suppressed, suppressed),
        ):  # fmt: skip
            gauge.clear()
            for name, value in values.items():
                gauge.labels(name).set(value)
        for account, at in last_ok.items():
            self._last_ok.labels(account).set(at.timestamp())
