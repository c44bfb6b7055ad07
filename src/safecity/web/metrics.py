"""Figures of this process for Prometheus. Never a channel, a user or an address as a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter("safecity_http_requests", "Requests answered", ("method", "route", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "safecity_http_request_seconds", "Time to answer", ("route",), registry=REGISTRY,
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10),
)  # fmt: skip
SOCKETS = Gauge("safecity_event_sockets", "Open event sockets", registry=REGISTRY)
EVENTS_SET_ASIDE = Gauge("safecity_events_set_aside", "Events that could not be applied", registry=REGISTRY)
