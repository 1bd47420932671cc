"""The composition root: settings to objects to servers; the order of starting, and its reverse.

The only place that knows concrete classes.
"""

import fcntl
import json
import os
import secrets
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import structlog
from prometheus_client import CollectorRegistry

from flightdb import __version__
from flightdb.catalog.delta import DeltaCatalog
from flightdb.cluster.membership import SoleMembership
from flightdb.coordinator.core import Coordinator, CoordinatorLimits
from flightdb.coordinator.tables import TableRules
from flightdb.engine.duckdb import DuckDBEngine
from flightdb.errors import Conflict, Corruption, Unavailable
from flightdb.flight.server import FlightDoor
from flightdb.model.node import Node
from flightdb.rest.app import RestLimits
from flightdb.rest.server import RestDoor
from flightdb.rpc.server import Limits as RpcLimits, RpcDoor
from flightdb.settings import Settings
from flightdb.storage.objects import LocalStore
from flightdb.telemetry.collector import ServiceCollector
from flightdb.telemetry.exporter import MetricsServer
from flightdb.telemetry.requests import RequestMetrics
from flightdb.wal.disk import RealDisk
from flightdb.wal.log import Log
from flightdb.worker.committer import CommitLimits
from flightdb.worker.local import LocalWorkers
from flightdb.worker.worker import Parts, Worker, WorkerLimits

log = structlog.get_logger()

FORMAT = 1
"""Version of the data directory's layout; a directory of a newer one is refused."""

_WAL_FAILED_EXIT = 70


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        """Wall clock."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Monotonic clock."""
        return time.monotonic()


class RandomIds:
    """Ids from the system's random source."""

    def query_id(self) -> str:
        """32 hexadecimal digits."""
        return secrets.token_hex(16)

    def record_id(self) -> str:
        """A version 4 UUID."""
        return str(uuid.uuid4())

    def token(self) -> str:
        """256 bits."""
        return secrets.token_urlsafe(32)


class App:
    """A running flightdb: coordinator, worker and doors in this process. `start` makes it, `stop` ends it."""

    def __init__(self, service: Coordinator, closing: ExitStack) -> None:
        """Made by `start`."""
        self.service = service
        self._closing = closing
        self._lock = threading.Lock()
        self.host = ""
        self.flight_port = self.rest_port = self.grpc_port = self.metrics_port = 0

    @classmethod
    def start(cls, settings: Settings) -> Self:
        """Opens everything, recovers, and takes traffic from when it returns.

        Raises:
            FlightdbError: a directory in use, damaged or not ours, a port that is taken; nothing stays open.
        """
        with ExitStack() as opening:
            directory = _open_directory(settings.server.data_dir, opening)
            service = _core(settings, directory, opening)
            app = cls(service, ExitStack())
            app._open_doors(settings, service, opening)
            log.info("server started", data_dir=str(directory), version=__version__)
            app._closing = opening.pop_all()
        return app

    def _open_doors(self, settings: Settings, service: Coordinator, opening: ExitStack) -> None:
        server = settings.server
        clock, ids = SystemClock(), RandomIds()
        registry = service_registry(service)
        flight = FlightDoor(
            service,
            host=server.host,
            port=server.flight_port,
            secret=secrets.token_bytes(32),
            auto_create=settings.table_management.auto_create_tables,
            clock=clock,
            ids=ids,
        )
        rest = RestDoor(
            service,
            host=server.host,
            port=server.rest_port,
            clock=clock,
            registry=registry,
            limits=RestLimits(
                body_bytes_max=settings.network.server.rest.max_body_size,
                query_threads=_query_threads(settings),
                default_table=settings.table_management.default_table,
            ),
        )
        rest.watch(RequestMetrics(registry).observe)
        messages = settings.network.server.grpc
        rpc = RpcDoor(
            service,
            host=server.host,
            port=server.grpc_port,
            clock=clock,
            limits=RpcLimits(messages.max_recv_msg_size, messages.max_send_msg_size),
        )
        started: list[FlightDoor | RestDoor | RpcDoor] = []

        def close_doors() -> None:
            # All at once: none takes new calls while another waits for its running ones.
            with ThreadPoolExecutor(3) as waiting:
                list(waiting.map(lambda door: door.drain(server.drain_timeout), started))
            for door in reversed(started):
                door.stop()

        opening.callback(close_doors)
        for door in (flight, rest, rpc):
            door.start()
            started.append(door)
        self.host = server.host
        self.flight_port, self.rest_port, self.grpc_port = flight.port, rest.port, rpc.port
        if settings.metrics.enabled:
            exporter = MetricsServer(registry, server.host, settings.metrics.port)
            opening.callback(exporter.stop)
            self.metrics_port = exporter.port

    @property
    def ready_line(self) -> str:
        """What `flightdb serve` prints when traffic is taken."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"ready flight=grpc://{host}:{self.flight_port} rest=http://{host}:{self.rest_port}"
            f" grpc={host}:{self.grpc_port} metrics=http://{host}:{self.metrics_port}/metrics"
        )

    def stop(self) -> None:
        """Drains the doors, flushes the buffers, closes everything; once, later calls do nothing."""
        with self._lock:
            closing, self._closing = self._closing, ExitStack()
        closing.close()


def service_registry(service: Coordinator) -> CollectorRegistry:
    """The metrics of a service, read when they are scraped."""
    registry = CollectorRegistry()
    registry.register(ServiceCollector(service.status, service.tables))
    return registry


def _core(settings: Settings, directory: Path, opening: ExitStack) -> Coordinator:
    """Worker and coordinator, started; the coordinator is the way in."""
    clock, ids = SystemClock(), RandomIds()
    wal_dir = settings.buffer.wal.dir or directory / "wal"
    wal_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = _identity(wal_dir)
    store = LocalStore(directory / "tables")
    catalog = DeltaCatalog.open(store, clock)
    opening.callback(catalog.close)
    performance = settings.query_optimization.duckdb.performance
    engine = DuckDBEngine(
        data_dir=directory / "tables",
        temp_dir=performance.temp_directory or directory / "tmp" / "spill",
        memory_bytes=performance.memory_limit,
        temp_bytes=performance.max_temp_directory_size,
        threads=performance.threads or os.cpu_count() or 1,
    )
    opening.callback(engine.close)
    wal = Log.open(
        wal_dir,
        worker_id=identity,
        max_bytes=settings.buffer.wal.max_size,
        segment_bytes=settings.buffer.wal.segment_size,
        disk=RealDisk(),
    )
    opening.callback(wal.close)
    worker = Worker(
        settings.server.node_id,
        identity.hex,
        Parts(wal, catalog, store, engine, clock, ids, directory / "tmp"),
        _worker_limits(settings),
    )
    worker.start(_end_process)
    opening.callback(worker.stop)
    node = Node(settings.server.node_id, settings.server.host, frozenset({"coordinator", "worker"}))
    service = Coordinator(
        catalog,
        store,
        engine,
        LocalWorkers(worker),
        SoleMembership(node),
        clock,
        ids,
        _coordinator_limits(settings),
    )
    service.start()
    opening.callback(service.stop)
    return service


def _query_threads(settings: Settings) -> int:
    """Threads a door needs so that the core's admission, not a pool's length, decides who waits."""
    coordinator = settings.coordinator
    return min(coordinator.max_running_queries + coordinator.max_waiting_queries, 256) + 8


def _worker_limits(settings: Settings) -> WorkerLimits:
    buffer, coordinator = settings.buffer, settings.coordinator
    return WorkerLimits(
        flush_bytes=buffer.flush_bytes,
        flush_interval_s=buffer.flush_interval,
        buffer_rows=buffer.buffer_size,
        direct_bytes=buffer.direct_bytes,
        wal_bytes_max=buffer.wal.max_size,
        running_max=coordinator.max_running_queries,
        waiting_max=coordinator.max_waiting_queries,
        commit=CommitLimits(buffer.task_queue_size, buffer.max_bytes),
    )


def _coordinator_limits(settings: Settings) -> CoordinatorLimits:
    cache = settings.query_optimization.query_cache
    management = settings.table_management
    return CoordinatorLimits(
        timeout_s=settings.coordinator.distributed_query_timeout,
        pin_s=settings.coordinator.ticket_ttl,
        cache_bytes=cache.max_cache_size if cache.enabled else 0,
        plans_max=settings.query_optimization.duckdb.prepared_statements.cache_size,
        rules=TableRules(
            auto_create=management.auto_create_tables,
            default_table=management.default_table,
            tables_max=management.max_tables,
            name_pattern=management.table_name_pattern,
            options=settings.tables.default_config.options(),
        ),
    )


def _open_directory(data_dir: Path, opening: ExitStack) -> Path:
    """The data directory, made if it is not there, locked for this process.

    Raises:
        Conflict: another process has it.
        Unavailable: it cannot be used; the message says why.
        Corruption: it is of a newer version, or its marker is damaged.
    """
    directory = data_dir.absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"data directory cannot be used: server.data_dir={directory}, reason={error.strerror}"
        ) from None
    opening.callback(os.close, file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(file, 32, 0).decode("ascii", "replace").strip()
        raise Conflict(
            f"data directory is in use by another process: server.data_dir={directory}, pid={pid}"
        ) from None
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    _check_format(directory)
    return directory


def _check_format(directory: Path) -> None:
    marker = directory / "flightdb.json"
    if not marker.exists():
        _write_durably(marker, json.dumps({"format": FORMAT}).encode())
        return
    try:
        found = json.loads(marker.read_bytes())["format"]
    except (ValueError, KeyError, TypeError):
        raise Corruption(f"data directory's marker is damaged: file={marker}") from None
    if found != FORMAT:
        raise Corruption(
            f"data directory is of another version: expected format {FORMAT}, format={found}, file={marker}"
        )


def _identity(wal_dir: Path) -> uuid.UUID:
    """Who writes this WAL. Lives in its directory: a new, empty WAL counts from 1 under a name that no log knows."""
    file = wal_dir / "identity"
    if file.exists():
        try:
            return uuid.UUID(file.read_text().strip())
        except ValueError:
            raise Corruption(f"wal identity is damaged: expected a UUID, file={file}") from None
    identity = uuid.uuid4()
    _write_durably(file, f"{identity}\n".encode())
    return identity


def _write_durably(path: Path, body: bytes) -> None:
    """Whole or not at all, also after a power loss."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _end_process() -> None:
    """The WAL cannot be written any more: nothing may be acknowledged, so end at once; a restart reads what is durable."""
    log.critical("process ended: the write-ahead log cannot be written")
    os._exit(_WAL_FAILED_EXIT)
