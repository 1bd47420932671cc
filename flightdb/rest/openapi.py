"""The OpenAPI 3.1 document, from the routes and the shapes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from flightdb.rest.errors import STATUSES
from flightdb.rest.routes import Parameter, Route
from flightdb.rest.shapes import ErrorAnswer

BINARY = {"type": "string", "contentEncoding": "binary"}
COMMON_ERRORS = (400, 413, 500)
KINDS = {str: "string", int: "integer", bool: "boolean"}


def document(routes: Sequence[Route], version: str) -> bytes:
    """The document as JSON text; hidden routes are left out."""
    shown = [route for route in routes if not route.is_hidden]
    shapes = [ErrorAnswer, *(shape for route in shown for shape in (route.body, route.answer))]
    named = [shape for shape in shapes if shape is not None]
    schemas, components = msgspec.json.schema_components(
        named, ref_template="#/components/schemas/{name}"
    )
    references = dict(zip(map(str, named), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "flightdb",
                "version": version,
                "description": "Rows in, SQL answers out. All times are UTC.",
            },
            "paths": paths,
            "components": {"schemas": components},
        }
    )


def _operation(route: Route, references: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "responses": {
            **_success(route, references),
            **_failures(references, (*COMMON_ERRORS, *route.errors)),
        },
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": references[str(route.body)]}}
        content |= {media: {"schema": BINARY} for media in route.media}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(route: Route) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{route.method}{route.path}".lower()).strip("_")


def _success(route: Route, references: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": BINARY} for media in route.answer_media}
    if route.answer is not None:
        content["application/json"] = {"schema": references[str(route.answer)]}
    return {"200": {"description": route.summary, "content": content}} if content else {}


def _failures(references: dict[str, Any], statuses: Iterable[int]) -> dict[str, Any]:
    content = {"application/json": {"schema": references[str(ErrorAnswer)]}}
    return {
        str(status): {"description": _what(status), "content": content}
        for status in sorted(set(statuses))
    }


def _what(status: int) -> str:
    """The first sentence that the classes of this status say of themselves."""
    texts = [(known.__doc__ or "").split(". HTTP")[0] for known, own in STATUSES if own == status]
    return "; or: ".join(texts)


def _parameters(route: Route) -> list[dict[str, Any]]:
    in_path = re.findall(r"{(\w+)}", route.path)
    given = [_parameter(parameter) for parameter in route.parameters]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in in_path
    ] + given


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.doc,
        "required": False,
        "schema": {"type": KINDS[parameter.kind]},
    }
