"""The metrics port: `GET /metrics` for Prometheus."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, SOCK_STREAM, getaddrinfo

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from flightdb.errors import Unavailable


def exposition(registry: CollectorRegistry) -> tuple[bytes, str]:
    """All metrics now, and their media type; the REST door serves the same under `/metrics`."""
    return generate_latest(registry), CONTENT_TYPE_LATEST


class MetricsServer:
    """Serves a registry over HTTP on threads of its own, from construction until `stop`."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        """Binds and serves. `port` 0 takes any free one; see `port`.

        Raises:
            Unavailable: the port is taken or the address is not this machine's.
        """
        address = host.strip("[]")
        try:
            family = getaddrinfo(address, port, type=SOCK_STREAM)[0][0]
            server_class = _Ipv6Server if family == AF_INET6 else _Server
            self._server = server_class((address, port), _handler(registry))
        except OSError as error:
            raise Unavailable(
                f"cannot listen: {(error.strerror or str(error)).lower()},"
                f" setting=metrics.port, address={host}:{port}"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="metrics",
            daemon=True,
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is bound."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Closes the port; a scrape that runs may be cut."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a scraper that stops reading does not hold up the end


class _Ipv6Server(_Server):
    address_family = AF_INET6


def _handler(registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a client to send its request

        def do_GET(self) -> None:
            if self.path.split("?")[0] not in ("/metrics", "/"):
                self.send_error(404)
                return
            body, media_type = exposition(registry)
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """No line a scrape."""

    return Handler
