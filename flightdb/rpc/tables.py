"""Table options and figures between the two protocols and the model."""

from typing import Any

from flightdb.coordinator.service import TableInfo
from flightdb.errors import InvalidRequest
from flightdb.model.table import IdRules, IdStrategy, TableOptions
from flightdb.rpc.convert import rfc3339_of, timestamp_of
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap

STATUS = "active"
"""A table that is listed can be used; there is no other state yet."""


def options_of(config: olap.TableConfig) -> TableOptions:
    """The options in a table config of `olap.v1`, which says nothing about ids."""
    return TableOptions(
        buffer_size=config.buffer_size,
        flush_interval_seconds=config.flush_interval_seconds,
        retention_days=config.retention_days,
        backup_enabled=config.backup_enabled,
        properties=dict(config.properties),
    )


def options_with_ids_of(config: miniodb.TableConfig) -> TableOptions:
    """The options in a table config of `miniodb.v1`; what is not set has its default.

    Raises:
        InvalidRequest: an id strategy that does not exist.
    """
    rules, defaults = config.id_validation, IdRules()
    return TableOptions(
        buffer_size=config.buffer_size,
        flush_interval_seconds=config.flush_interval_seconds,
        retention_days=config.retention_days,
        backup_enabled=config.backup_enabled,
        properties=dict(config.properties),
        id_strategy=_strategy_of(config.id_strategy),
        id_prefix=config.id_prefix,
        auto_generate_id=config.auto_generate_id,
        id_validation=IdRules(
            max_length=rules.max_length or defaults.max_length,
            pattern=rules.pattern or defaults.pattern,
            allowed_chars=rules.allowed_chars,
        ),
    )


def _strategy_of(text: str) -> IdStrategy:
    if text == "":
        return IdStrategy.USER_PROVIDED
    try:
        return IdStrategy(text)
    except ValueError:
        raise InvalidRequest(
            f"unknown id strategy: expected one of {', '.join(IdStrategy)}, id_strategy={text[:80]}"
        ) from None


def olap_info(info: TableInfo) -> olap.TableInfo:
    """A table as `olap.v1` lists it."""
    options = info.table.options
    return olap.TableInfo(
        name=info.table.name,
        config=olap.TableConfig(**_common(options)),
        created_at=rfc3339_of(info.table.created_at_us),
        last_write=rfc3339_of(info.last_write_us),
        status=STATUS,
    )


def olap_stats(info: TableInfo) -> olap.TableStats:
    """A table's figures as `olap.v1` describes it."""
    return olap.TableStats(
        record_count=info.record_count,
        file_count=info.file_count,
        size_bytes=info.size_bytes,
        oldest_record=rfc3339_of(info.oldest_us),
        newest_record=rfc3339_of(info.newest_us),
    )


def miniodb_info(info: TableInfo) -> miniodb.TableInfo:
    """A table with its figures as `miniodb.v1` has it."""
    options = info.table.options
    rules = options.id_validation
    return miniodb.TableInfo(
        name=info.table.name,
        config=miniodb.TableConfig(
            **_common(options),
            id_strategy=options.id_strategy.value,
            id_prefix=options.id_prefix,
            auto_generate_id=options.auto_generate_id,
            id_validation=miniodb.IDValidationRules(
                max_length=rules.max_length,
                pattern=rules.pattern,
                allowed_chars=rules.allowed_chars,
            ),
        ),
        created_at=timestamp_of(info.table.created_at_us),
        last_write=timestamp_of(info.last_write_us),
        status=STATUS,
        stats=miniodb.TableStats(
            record_count=info.record_count,
            file_count=info.file_count,
            size_bytes=info.size_bytes,
            oldest_record=timestamp_of(info.oldest_us),
            newest_record=timestamp_of(info.newest_us),
        ),
    )


def _common(options: TableOptions) -> dict[str, Any]:
    return {
        "buffer_size": options.buffer_size,
        "flush_interval_seconds": options.flush_interval_seconds,
        "retention_days": options.retention_days,
        "backup_enabled": options.backup_enabled,
        "properties": dict(options.properties),
    }
