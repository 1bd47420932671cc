"""A gRPC service's handlers: made from its descriptor, with errors translated in one place."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from flightdb.errors import (
    FlightdbError,
    Internal,
    InvalidRequest,
    Overloaded,
    Unsupported,
    out_of_memory,
)
from flightdb.rpc.errors import (
    ERROR_KEY,
    QUERY_ID_KEY,
    code_of,
    details_of,
    from_defect,
    message_of,
)


class Call:
    """One RPC in progress: what its implementation may ask about it."""

    __slots__ = ("context", "query_id", "rpc")

    def __init__(self, context: Any, rpc: str) -> None:
        """`rpc` as in `olap.v1.OlapService/Write`."""
        self.context = context
        self.rpc = rpc
        self.query_id = ""

    def timeout_s(self) -> float | None:
        """Seconds until the client's deadline, None when it set none."""
        left = self.context.time_remaining()
        return None if left is None else max(0.0, float(left))

    def metadata(self, key: str) -> str:
        """The first value that the client sent under `key`, or ""."""
        for name, value in self.context.invocation_metadata() or ():
            if name == key:
                return value if isinstance(value, str) else value.decode("utf-8", "replace")
        return ""

    def start_query(self, query_id: str) -> None:
        """Names the query: its id goes into the trailing metadata, of a success and of an error."""
        self.query_id = query_id
        self.context.set_trailing_metadata(((QUERY_ID_KEY, query_id),))

    async def abort(self, error: FlightdbError) -> None:
        """Ends the call with the status of `error`; always raises."""
        trailing = [(ERROR_KEY, details_of(error))]
        if self.query_id:
            trailing.append((QUERY_ID_KEY, self.query_id))
        await self.context.abort(code_of(error), message_of(error), tuple(trailing))


Method = Callable[[Any, Call], Awaitable[Any]]

Observe = Callable[[str, str, str, float], None]
"""Told of each call that ended: door, RPC, `ok` or the error's slug, seconds."""


def handlers(
    service: ServiceDescriptor, implementation: object, observe: Observe
) -> grpc.GenericRpcHandler:
    """Handlers for every method of `service`.

    `implementation` has an async method for each RPC that is implemented, of the RPC's name and
    with arguments (request or iterator of requests, `Call`): it returns the response message, or,
    where the RPC streams responses, writes each to `Call.context`, encoded. An RPC that it lacks
    answers UNIMPLEMENTED and its name.
    """
    table = {
        method.name: _handler(
            method,
            f"{service.full_name}/{method.name}",
            getattr(implementation, method.name, None),
            observe,
        )
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, table)


def _handler(
    method: MethodDescriptor, rpc: str, run: Any, observe: Observe
) -> "grpc.RpcMethodHandler[Any, Any]":
    encode = GetMessageClass(method.output_type).SerializeToString
    run = _not_implemented(rpc) if run is None else _decoded(method, run)
    # Requests come as bytes: gRPC itself answers UNKNOWN with Python's words to what it cannot
    # decode.
    if method.client_streaming:
        return grpc.stream_unary_rpc_method_handler(_translated(run, rpc, observe), None, encode)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_translated(run, rpc, observe), None, None)
    return grpc.unary_unary_rpc_method_handler(_translated(run, rpc, observe), None, encode)


def _decoded(method: MethodDescriptor, run: Method) -> Method:
    name = method.input_type.full_name
    from_bytes = GetMessageClass(method.input_type).FromString

    def decode(body: bytes) -> Any:
        try:
            return from_bytes(body)
        except DecodeError:
            raise InvalidRequest(
                f"request cannot be decoded: expected {name}, size_bytes={len(body)}"
            ) from None

    async def decode_all(bodies: Any) -> AsyncIterator[Any]:
        async for body in bodies:
            yield decode(body)

    async def take_one(body: bytes, call: Call) -> Any:
        return await run(decode(body), call)

    async def take_all(bodies: Any, call: Call) -> Any:
        return await run(decode_all(bodies), call)

    return take_all if method.client_streaming else take_one


def _not_implemented(rpc: str) -> Method:
    async def refuse(_request: Any, _call: Call) -> Any:
        raise Unsupported(f"rpc is not implemented: {rpc}")

    return refuse


def _translated(run: Method, rpc: str, observe: Observe) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        call = Call(context, rpc)
        status, started_s = "cancelled", time.perf_counter()
        try:
            response = await run(request, call)
            status = "ok"
            return response
        except FlightdbError as error:
            status = error.slug
            await call.abort(error)
        except MemoryError:
            status = Overloaded.slug
            await call.abort(out_of_memory())
        except Exception as error:  # noqa: BLE001 - the last line before the client: logged there
            status = Internal.slug
            await call.abort(from_defect(error, call.query_id, rpc))
        finally:
            observe("grpc", rpc, status, time.perf_counter() - started_s)

    return answer


def unobserved(_door: str, _method: str, _status: str, _seconds: float) -> None:
    """An `Observe` for who does not count."""
