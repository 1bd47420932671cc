"""Health, status, metrics and flush."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from flightdb.coordinator.service import Health, Service, Status
from flightdb.errors import InvalidRequest
from flightdb.rest.bodies import json_body, text
from flightdb.rest.exchange import Exchange
from flightdb.rest.moments import rfc3339
from flightdb.rest.shapes import (
    Component,
    FlushAnswer,
    FlushBody,
    FlushStats,
    HealthAnswer,
    NodeEntry,
    StatusAnswer,
)
from flightdb.rest.threads import Threads

HEALTHY_MESSAGE = "All systems operational"

# The spec's names and the figures that they stand for; "" is what is not measured here: null.
BUFFER_STATS = {
    "total_tasks": "commit_groups_total",
    "completed_tasks": "commit_groups_total",
    "failed_tasks": "flush_failures",
    "queued_tasks": "write_queue_length",
    "active_workers": "",
    "buffer_size": "buffered_bytes",
    "pending_writes": "write_queue_length",
    "avg_flush_time_ms": "",
    "last_flush_time": "",
    "total_queries": "queries_total",
    "cache_hits": "result_cache_hits_total",
    "cache_misses": "result_cache_misses_total",
    "error_count": "query_failures_total",
    "file_downloads": "",
    "file_cache_hits": "",
    "avg_query_time_ms": "query_ms_mean",
    "fastest_query_ms": "",
    "slowest_query_ms": "",
}
QUERY_METRICS = {
    name: BUFFER_STATS[name] for name in ("total_queries", "error_count", "avg_query_time_ms")
}
CACHE_METRICS = {name: BUFFER_STATS[name] for name in ("cache_hits", "cache_misses")}
REDIS_STATS = dict.fromkeys(
    (
        "hits",
        "misses",
        "timeouts",
        "total_conns",
        "idle_conns",
        "stale_conns",
        "used_memory_bytes",
        "total_keys",
    ),
    "",
)
MINIO_STATS = {"connection_status": ""}
QUERY_ENGINE_STATS = {
    "queries_running": "queries_running",
    "queries_waiting": "queries_waiting",
    "queries_open": "queries_open",
    "spilled_bytes": "engine_temporary_bytes",
}
MEMORY_USAGE = {
    "engine_bytes": "engine_memory_bytes",
    "buffered_bytes": "buffered_bytes",
    "result_cache_bytes": "result_cache_bytes",
}
POOL_METRICS = {"redis_connections": "", "minio_connections": ""}
COLLECTION_STATS = {"tables": "tables", "rows_written": "rows_written_total"}

Figure = int | float | None


class Admin:
    """The endpoints. Used on one event loop, on which they never block."""

    def __init__(self, service: Service, threads: Threads, registry: CollectorRegistry) -> None:
        """`registry`: what `/metrics` shows."""
        self._service = service
        self._threads = threads
        self._registry = registry

    async def health(self, exchange: Exchange) -> None:
        """How each part is; 503 when the service cannot do its work."""
        health, status = await self._threads.run(
            lambda: (self._service.health(), self._service.status())
        )
        answer = HealthAnswer(
            status=health.status,
            timestamp=rfc3339(status.now_us) or "",
            version=status.version,
            details=_details(health),
            components=_components(health),
        )
        await exchange.reply_json(answer, 503 if health.status == "unhealthy" else 200)

    async def status(self, exchange: Exchange) -> None:
        """Figures and nodes."""
        health, status = await self._threads.run(
            lambda: (self._service.health(), self._service.status())
        )
        await exchange.reply_json(_status(health, status))

    async def metrics(self, exchange: Exchange) -> None:
        """Prometheus text."""
        body = await self._threads.run(lambda: generate_latest(self._registry))
        await exchange.reply(200, body, CONTENT_TYPE_LATEST.encode())

    async def flush(self, exchange: Exchange) -> None:
        """Writes buffered rows to the store; the table comes from the body or from `?table=`."""
        body = await json_body(exchange, FlushBody, is_optional=True)
        named = text(exchange, "table")
        if named and body.table and named != body.table:
            raise InvalidRequest(f"two tables: query says {named[:80]}, body {body.table[:80]}")
        table = body.table or named
        count = await self._threads.run(lambda: self._service.flush(table))
        message = "Buffer flush completed successfully"
        await exchange.reply_json(FlushAnswer(True, message, FlushStats(count)))


def _details(health: Health) -> dict[str, str]:
    if health.status == "healthy":
        return {"message": HEALTHY_MESSAGE}
    return {name: line for name, (state, line) in health.components.items() if state != "healthy"}


def _components(health: Health) -> dict[str, Component]:
    return {name: Component(state, line) for name, (state, line) in health.components.items()}


def _status(health: Health, status: Status) -> StatusAnswer:
    figures = _with_means(status.figures)
    return StatusAnswer(
        timestamp=rfc3339(status.now_us) or "",
        node_id=status.node_id,
        version=status.version,
        uptime_seconds=(status.now_us - status.started_us) / 1e6,
        health_status=health.status,
        buffer_stats=_group(figures, BUFFER_STATS),
        redis_stats=_group(figures, REDIS_STATS),
        minio_stats=_group(figures, MINIO_STATS),
        query_metrics=_group(figures, QUERY_METRICS),
        cache_metrics=_group(figures, CACHE_METRICS),
        query_engine_stats=_group(figures, QUERY_ENGINE_STATS),
        memory_usage=_group(figures, MEMORY_USAGE),
        connection_pool_metrics=_group(figures, POOL_METRICS),
        metrics_collection_stats=_group(figures, COLLECTION_STATS),
        figures={name: _whole(value) for name, value in sorted(figures.items())},
        components=_components(health),
        nodes=[
            NodeEntry(
                id=node.id,
                status=node.status,
                type=node.type,
                address=node.address,
                last_seen=rfc3339(node.last_seen_us),
                active_queries=node.active_queries,
            )
            for node in status.nodes
        ],
        total_nodes=len(status.nodes),
    )


def _with_means(figures: Mapping[str, float]) -> dict[str, float]:
    queries = figures.get("queries_total", 0)
    if not queries:
        return dict(figures)
    return {**figures, "query_ms_mean": figures.get("query_seconds_total", 0) * 1000 / queries}


def _group(figures: Mapping[str, float], names: Mapping[str, str]) -> dict[str, Figure]:
    return {
        name: _whole(figures[figure]) if figure in figures else None
        for name, figure in names.items()
    }


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value
