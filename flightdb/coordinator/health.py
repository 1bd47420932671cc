"""What the service says of itself: health by component, and figures."""

from collections.abc import Mapping

from flightdb.catalog.catalog import Catalog
from flightdb.cluster.membership import Membership
from flightdb.cluster.workers import Workers
from flightdb.coordinator.service import Health, NodeState, Status
from flightdb.errors import FlightdbError


def health(catalog: Catalog, workers: Workers) -> Health:
    """Asks each component; one that does not answer makes the service unhealthy."""
    components: dict[str, tuple[str, str]] = {}
    components["catalog"] = ("healthy", f"{len(catalog.tables())} tables")
    for node in workers.nodes():
        try:
            figures = workers.status(node).figures
        except FlightdbError as error:
            components[f"worker:{node}"] = ("unhealthy", error.message)
            continue
        is_failed = figures.get("wal_failed", 0.0) > 0
        components["wal"] = (
            ("unhealthy", "the log cannot be written")
            if is_failed
            else ("healthy", f"{int(figures['wal_bytes'])} bytes")
        )
        is_behind = figures.get("flush_failures", 0.0) > 0
        components["store"] = (
            ("degraded", "the last flush failed and is tried again")
            if is_behind
            else ("healthy", "accepts files")
        )
        components["engine"] = ("healthy", f"{int(figures['queries_running'])} queries running")
    words = {state for state, _ in components.values()}
    worst = next(word for word in ("unhealthy", "degraded", "healthy") if word in words)
    return Health(worst, components)


def status(
    membership: Membership,
    workers: Workers,
    figures: Mapping[str, float],
    *,
    version: str,
    started_us: int,
    now_us: int,
) -> Status:
    """The coordinator's figures and the workers', added up."""
    total = dict(figures)
    running: dict[str, int] = {}
    for node in workers.nodes():
        of_worker = workers.status(node).figures
        running[node] = int(of_worker.get("queries_running", 0))
        for name, value in of_worker.items():
            total[name] = total.get(name, 0.0) + value
    nodes = [
        NodeState(
            node.id,
            node.state,
            "+".join(sorted(node.roles)),
            node.address,
            now_us,
            running.get(node.id, 0),
        )
        for node in membership.nodes()
    ]
    return Status(membership.self_id(), version, started_us, now_us, total, nodes)
