"""Settings of the process and its doors."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from flightdb.settings.section import Section
from flightdb.settings.units import GIB, KIB, MIB, Bytes, PortNumber, Seconds

Port = Annotated[PortNumber, Field(ge=0, le=65535)]


class Server(Section):
    """This process: its name, its directory, where it listens."""

    node_id: Annotated[
        str,
        Field(
            pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$",
            description="name of this node in answers, status, logs and metrics",
        ),
    ] = "node-1"
    data_dir: Annotated[
        Path,
        Field(description="directory of tables, WAL and temporary files; one process at a time"),
    ] = Path("flightdb-data")
    host: Annotated[str, Field(min_length=1, description="address on which all doors listen")] = (
        "127.0.0.1"
    )
    flight_port: Annotated[Port, Field(description="Flight SQL; 0 takes any free port")] = 8815
    rest_port: Annotated[Port, Field(description="REST; 0 takes any free port")] = 8081
    grpc_port: Annotated[Port, Field(description="gRPC; 0 takes any free port")] = 8080
    drain_timeout: Annotated[
        Seconds,
        Field(ge=0, le=3600, description="how long running calls may take to end after SIGTERM"),
    ] = 10.0


class Rest(Section):
    """The REST door."""

    max_body_size: Annotated[
        Bytes,
        Field(ge=KIB, le=2 * GIB, description="largest request body; a larger one is answered 413"),
    ] = 64 * MIB


class Grpc(Section):
    """The gRPC door."""

    max_recv_msg_size: Annotated[
        Bytes, Field(ge=KIB, le=GIB, description="largest message that is taken")
    ] = 4 * MIB
    max_send_msg_size: Annotated[
        Bytes, Field(ge=KIB, le=GIB, description="largest message that is sent")
    ] = 4 * MIB


class NetworkServer(Section):
    """Limits of the doors."""

    rest: Rest = Rest()
    grpc: Grpc = Grpc()


class Network(Section):
    """What crosses the network."""

    server: NetworkServer = NetworkServer()


class Security(Section):
    """Who may do what."""

    mode: Annotated[
        Literal["disabled"], Field(description="disabled: everybody may do everything")
    ] = "disabled"
    insecure: Annotated[
        bool,
        Field(
            description="allow a host that is not loopback while mode is disabled (`--insecure`)"
        ),
    ] = False


class Metrics(Section):
    """Prometheus."""

    enabled: Annotated[bool, Field(description="listen on the metrics port")] = True
    port: Annotated[Port, Field(description="port of /metrics; 0 takes any free port")] = 9090


class Log(Section):
    """Lines on stderr."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="the least serious line that is written"),
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "console"],
        Field(
            description="json: one object a line; console: for people; auto: console on a terminal"
        ),
    ] = "auto"
