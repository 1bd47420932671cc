"""`/v1/tables`: create, list, describe, drop."""

from typing import Any

import pyarrow as pa

from flightdb.coordinator.service import Service, TableInfo
from flightdb.errors import InvalidRequest
from flightdb.model.table import IdRules, IdStrategy, TableOptions
from flightdb.rest.bodies import flag, json_body, number, text
from flightdb.rest.exchange import Exchange
from flightdb.rest.moments import rfc3339
from flightdb.rest.shapes import (
    Column,
    CreateTableBody,
    Done,
    Dropped,
    IdValidation,
    TableAnswer,
    TableConfig,
    TableDetail,
    TableEntry,
    TableList,
    TableStats,
)
from flightdb.rest.threads import Threads

ACTIVE = "active"
"""A table that is listed can be used; there is no other state yet."""

PAGE_LENGTH_MAX = 10_000


class Tables:
    """The endpoints. Used on one event loop, on which they never block."""

    def __init__(self, service: Service, threads: Threads) -> None:
        """`threads`: for what reads or changes the catalog."""
        self._service = service
        self._threads = threads

    async def create(self, exchange: Exchange) -> None:
        """Makes an empty record table."""
        body = await json_body(exchange, CreateTableBody)
        options = _options(body.config) if body.config is not None else None
        await self._threads.run(
            lambda: self._service.create_table(
                body.table_name, options=options, if_not_exists=body.if_not_exists
            )
        )
        await exchange.reply_json(Done(True, f"Table {body.table_name} created successfully"))

    async def list(self, exchange: Exchange) -> None:
        """A page of the tables that match `pattern`."""
        pattern = text(exchange, "pattern")
        page = number(exchange, "page", 1, 1_000_000_000)
        limit = number(exchange, "limit", PAGE_LENGTH_MAX, PAGE_LENGTH_MAX)
        infos = await self._threads.run(lambda: self._service.tables(pattern))
        shown = infos[(page - 1) * limit : page * limit]
        answer = TableList([TableEntry(**_common(info)) for info in shown], len(infos), page)
        await exchange.reply_json(answer)

    async def describe(self, exchange: Exchange) -> None:
        """One table with its columns and figures."""
        name = exchange.path_text("name")
        info = await self._threads.run(lambda: self._service.table(name))
        detail = TableDetail(
            **_common(info),
            columns=[_column(field) for field in info.table.schema],
            version=info.version,
            schema_version=info.table.schema_version,
        )
        await exchange.reply_json(TableAnswer(detail, detail.stats))

    async def drop(self, exchange: Exchange) -> None:
        """Removes a table and its rows."""
        name = exchange.path_text("name")
        if_exists = flag(exchange, "if_exists")
        count = await self._threads.run(lambda: self._service.drop_table(name, if_exists=if_exists))
        await exchange.reply_json(Dropped(True, f"Table {name} deleted successfully", count))


def _options(config: TableConfig) -> TableOptions:
    if config.id_strategy not in set(IdStrategy):
        raise InvalidRequest(
            f"unknown id strategy: expected one of {', '.join(IdStrategy)}, "
            f"id_strategy={config.id_strategy[:80]}"
        )
    rules = config.id_validation
    return TableOptions(
        buffer_size=config.buffer_size,
        flush_interval_seconds=config.flush_interval_seconds,
        retention_days=config.retention_days,
        backup_enabled=config.backup_enabled,
        properties=config.properties,
        id_strategy=IdStrategy(config.id_strategy),
        id_prefix=config.id_prefix,
        auto_generate_id=config.auto_generate_id,
        id_validation=IdRules(rules.max_length, rules.pattern, rules.allowed_chars),
    )


def _config(options: TableOptions) -> TableConfig:
    rules = options.id_validation
    return TableConfig(
        buffer_size=options.buffer_size,
        flush_interval_seconds=options.flush_interval_seconds,
        retention_days=options.retention_days,
        backup_enabled=options.backup_enabled,
        properties=dict(options.properties),
        id_strategy=options.id_strategy.value,
        id_prefix=options.id_prefix,
        auto_generate_id=options.auto_generate_id,
        id_validation=IdValidation(
            required=not options.auto_generate_id,
            max_length=rules.max_length,
            pattern=rules.pattern,
            allowed_chars=rules.allowed_chars,
        ),
    )


def _common(info: TableInfo) -> dict[str, Any]:
    """The fields that an entry and a detail share."""
    table = info.table
    return {
        "name": table.name,
        "kind": table.kind.value,
        "config": _config(table.options),
        "created_at": rfc3339(table.created_at_us),
        "last_write": rfc3339(info.last_write_us),
        "last_flush": rfc3339(info.last_flush_us),
        "status": ACTIVE,
        "stats": TableStats(
            record_count=info.record_count,
            file_count=info.file_count,
            size_bytes=info.size_bytes,
            oldest_record=rfc3339(info.oldest_us),
            newest_record=rfc3339(info.newest_us),
        ),
    }


def _column(field: "pa.Field[Any]") -> Column:
    return Column(field.name, str(field.type), field.nullable)
