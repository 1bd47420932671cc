"""What must hold between settings."""

import ipaddress
import re

from flightdb.settings.errors import SettingsError
from flightdb.settings.tree import Settings


def check_together(settings: Settings) -> None:
    """Checks settings against one another.

    Raises:
        SettingsError: one that does not go with another.
    """
    _check_host(settings)
    _check_ports(settings)
    _check_sizes(settings)
    _check_patterns(settings)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_host(settings: Settings) -> None:
    host, security = settings.server.host, settings.security
    if not security.insecure and not is_loopback(host):
        raise SettingsError(
            "server.host is not loopback while security.mode is disabled, so everybody who reaches"
            f" it may do everything: say --insecure if that is meant, value={host}"
        )


def _check_ports(settings: Settings) -> None:
    seen: dict[int, str] = {}
    ports = {
        "server.flight_port": settings.server.flight_port,
        "server.rest_port": settings.server.rest_port,
        "server.grpc_port": settings.server.grpc_port,
        "metrics.port": settings.metrics.port if settings.metrics.enabled else 0,
    }
    for name, port in ports.items():
        if port and port in seen:
            raise SettingsError(f"two doors on one port: {seen[port]} and {name}, value={port}")
        seen[port] = name


def _check_sizes(settings: Settings) -> None:
    buffer = settings.buffer
    pairs = (
        (
            "buffer.wal.segment_size",
            buffer.wal.segment_size,
            "buffer.wal.max_size",
            buffer.wal.max_size,
        ),
        ("buffer.flush_bytes", buffer.flush_bytes, "buffer.max_bytes", buffer.max_bytes),
    )
    for small, small_bytes, large, large_bytes in pairs:
        if small_bytes > large_bytes:
            raise SettingsError(
                f"invalid setting: {small}, expected at most {large}={large_bytes},"
                f" value={small_bytes}"
            )


def _check_patterns(settings: Settings) -> None:
    ids = settings.tables.default_config.id_validation
    patterns = {
        "table_management.table_name_pattern": settings.table_management.table_name_pattern,
        "tables.default_config.id_validation.pattern": ids.pattern,
    }
    for name, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise SettingsError(
                f"invalid setting: {name}, expected a regular expression ({error.msg}),"
                f" value={pattern}"
            ) from None
