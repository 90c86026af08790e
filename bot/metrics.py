"""Prometheus metrics of every stage; gateway and worker write them into files that the gateway's /metrics adds up."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_RECEIVED = Counter("rafiq_messages_received", "Messages accepted from owners", ["channel", "kind"])
_REPEATED = Counter("rafiq_messages_repeated", "Messages delivered again by a provider, not taken twice", ["channel"])
_REFUSED = Counter("rafiq_webhooks_refused", "Webhooks refused", ["channel", "status"])
_SENT = Counter("rafiq_messages_sent", "Provider messages taken by a provider", ["channel"])
_SEGMENTS = Counter("rafiq_segments_sent", "SMS segments taken by a provider", ["channel"])
_FAILED = Counter("rafiq_messages_failed", "Provider messages that failed", ["channel", "code", "lasting"])
_REPORTS = Counter("rafiq_delivery_reports", "Delivery reports by provider status", ["channel", "status"])
_TURN_SECONDS = Histogram(
    "rafiq_turn_seconds",
    "Time of a turn, from claim to commit",
    ["outcome"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
_WAIT_SECONDS = Histogram(
    "rafiq_wait_seconds",
    "Time from acceptance to the start of the turn",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 3600),
)


def received(channel: str, kind: str, new: bool) -> None:
    """Count an accepted message, or one that a provider delivered again."""
    if new:
        _RECEIVED.labels(channel, kind).inc()
    else:
        _REPEATED.labels(channel).inc()


def refused(channel: str, status: int) -> None:
    """Count a webhook that was turned away."""
    _REFUSED.labels(channel, str(status)).inc()


def sent(channel: str, segments: int) -> None:
    """Count a provider message that was taken."""
    _SENT.labels(channel).inc()
    _SEGMENTS.labels(channel).inc(segments)


def failed(channel: str, code: str, lasting: bool) -> None:
    """Count a failed try, or a message given up."""
    _FAILED.labels(channel, code, "yes" if lasting else "no").inc()


def reported(channel: str, status: str, code: str | None) -> None:
    """Count a delivery report."""
    _REPORTS.labels(channel, status).inc()
    if code is not None:
        failed(channel, code, lasting=True)


def turn(seconds: float, outcome: str, waited: float | None = None) -> None:
    """Note how long a turn took, how it ended, and how long its message had waited."""
    _TURN_SECONDS.labels(outcome).observe(seconds)
    if waited is not None:
        _WAIT_SECONDS.observe(max(waited, 0.0))


def text(waiting: Mapping[tuple[str, str], int]) -> bytes:
    """Return what every process of this machine counted, in Prometheus' text format.

    `waiting` holds the rows of the inbox and the outbox as they are now, by (box, status).
    """
    now = CollectorRegistry()
    gauge = Gauge("rafiq_messages_waiting", "Messages in the inbox and the outbox", ["box", "status"], registry=now)
    for (box, status), count in waiting.items():
        gauge.labels(box, status).set(count)
    counted = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    return bytes(generate_latest(counted) + generate_latest(now))
