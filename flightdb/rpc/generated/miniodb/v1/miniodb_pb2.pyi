import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataRecord(_message.Message):
    __slots__ = ("id", "timestamp", "payload")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    id: str
    timestamp: _timestamp_pb2.Timestamp
    payload: _struct_pb2.Struct
    def __init__(self, id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class WriteDataRequest(_message.Message):
    __slots__ = ("table", "data")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    table: str
    data: DataRecord
    def __init__(self, table: _Optional[str] = ..., data: _Optional[_Union[DataRecord, _Mapping]] = ...) -> None: ...

class WriteRequest(_message.Message):
    __slots__ = ("table", "id", "timestamp", "payload")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    table: str
    id: str
    timestamp: _timestamp_pb2.Timestamp
    payload: _struct_pb2.Struct
    def __init__(self, table: _Optional[str] = ..., id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class WriteDataResponse(_message.Message):
    __slots__ = ("success", "message", "node_id")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    node_id: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., node_id: _Optional[str] = ...) -> None: ...

class QueryDataRequest(_message.Message):
    __slots__ = ("sql", "limit", "cursor")
    SQL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    sql: str
    limit: int
    cursor: str
    def __init__(self, sql: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class QueryDataResponse(_message.Message):
    __slots__ = ("result_json", "has_more", "next_cursor")
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    result_json: str
    has_more: bool
    next_cursor: str
    def __init__(self, result_json: _Optional[str] = ..., has_more: _Optional[bool] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class UpdateDataRequest(_message.Message):
    __slots__ = ("table", "id", "payload", "timestamp")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    table: str
    id: str
    payload: _struct_pb2.Struct
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, table: _Optional[str] = ..., id: _Optional[str] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UpdateDataResponse(_message.Message):
    __slots__ = ("success", "message", "node_id")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    node_id: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., node_id: _Optional[str] = ...) -> None: ...

class DeleteDataRequest(_message.Message):
    __slots__ = ("table", "id", "soft_delete")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SOFT_DELETE_FIELD_NUMBER: _ClassVar[int]
    table: str
    id: str
    soft_delete: bool
    def __init__(self, table: _Optional[str] = ..., id: _Optional[str] = ..., soft_delete: _Optional[bool] = ...) -> None: ...

class DeleteDataResponse(_message.Message):
    __slots__ = ("success", "message", "deleted_count")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    deleted_count: int
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., deleted_count: _Optional[int] = ...) -> None: ...

class StreamWriteRequest(_message.Message):
    __slots__ = ("records", "table")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[DataRecord]
    table: str
    def __init__(self, records: _Optional[_Iterable[_Union[DataRecord, _Mapping]]] = ..., table: _Optional[str] = ...) -> None: ...

class StreamWriteResponse(_message.Message):
    __slots__ = ("success", "records_count", "errors")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    records_count: int
    errors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, success: _Optional[bool] = ..., records_count: _Optional[int] = ..., errors: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamQueryRequest(_message.Message):
    __slots__ = ("sql", "batch_size", "cursor")
    SQL_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    sql: str
    batch_size: int
    cursor: str
    def __init__(self, sql: _Optional[str] = ..., batch_size: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class StreamQueryResponse(_message.Message):
    __slots__ = ("records", "has_more", "cursor")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[DataRecord]
    has_more: bool
    cursor: str
    def __init__(self, records: _Optional[_Iterable[_Union[DataRecord, _Mapping]]] = ..., has_more: _Optional[bool] = ..., cursor: _Optional[str] = ...) -> None: ...

class TableConfig(_message.Message):
    __slots__ = ("buffer_size", "flush_interval_seconds", "retention_days", "backup_enabled", "properties", "id_strategy", "id_prefix", "auto_generate_id", "id_validation")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BUFFER_SIZE_FIELD_NUMBER: _ClassVar[int]
    FLUSH_INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RETENTION_DAYS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ENABLED_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    ID_STRATEGY_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    AUTO_GENERATE_ID_FIELD_NUMBER: _ClassVar[int]
    ID_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    buffer_size: int
    flush_interval_seconds: int
    retention_days: int
    backup_enabled: bool
    properties: _containers.ScalarMap[str, str]
    id_strategy: str
    id_prefix: str
    auto_generate_id: bool
    id_validation: IDValidationRules
    def __init__(self, buffer_size: _Optional[int] = ..., flush_interval_seconds: _Optional[int] = ..., retention_days: _Optional[int] = ..., backup_enabled: _Optional[bool] = ..., properties: _Optional[_Mapping[str, str]] = ..., id_strategy: _Optional[str] = ..., id_prefix: _Optional[str] = ..., auto_generate_id: _Optional[bool] = ..., id_validation: _Optional[_Union[IDValidationRules, _Mapping]] = ...) -> None: ...

class IDValidationRules(_message.Message):
    __slots__ = ("max_length", "pattern", "allowed_chars")
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_CHARS_FIELD_NUMBER: _ClassVar[int]
    max_length: int
    pattern: str
    allowed_chars: str
    def __init__(self, max_length: _Optional[int] = ..., pattern: _Optional[str] = ..., allowed_chars: _Optional[str] = ...) -> None: ...

class CreateTableRequest(_message.Message):
    __slots__ = ("table_name", "config", "if_not_exists")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    IF_NOT_EXISTS_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    config: TableConfig
    if_not_exists: bool
    def __init__(self, table_name: _Optional[str] = ..., config: _Optional[_Union[TableConfig, _Mapping]] = ..., if_not_exists: _Optional[bool] = ...) -> None: ...

class CreateTableResponse(_message.Message):
    __slots__ = ("success", "message")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ...) -> None: ...

class ListTablesRequest(_message.Message):
    __slots__ = ("pattern",)
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    def __init__(self, pattern: _Optional[str] = ...) -> None: ...

class ListTablesResponse(_message.Message):
    __slots__ = ("tables", "total")
    TABLES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[TableInfo]
    total: int
    def __init__(self, tables: _Optional[_Iterable[_Union[TableInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class GetTableRequest(_message.Message):
    __slots__ = ("table_name",)
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    def __init__(self, table_name: _Optional[str] = ...) -> None: ...

class GetTableResponse(_message.Message):
    __slots__ = ("table_info",)
    TABLE_INFO_FIELD_NUMBER: _ClassVar[int]
    table_info: TableInfo
    def __init__(self, table_info: _Optional[_Union[TableInfo, _Mapping]] = ...) -> None: ...

class TableInfo(_message.Message):
    __slots__ = ("name", "config", "created_at", "last_write", "status", "stats")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_WRITE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    name: str
    config: TableConfig
    created_at: _timestamp_pb2.Timestamp
    last_write: _timestamp_pb2.Timestamp
    status: str
    stats: TableStats
    def __init__(self, name: _Optional[str] = ..., config: _Optional[_Union[TableConfig, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_write: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., stats: _Optional[_Union[TableStats, _Mapping]] = ...) -> None: ...

class TableStats(_message.Message):
    __slots__ = ("record_count", "file_count", "size_bytes", "oldest_record", "newest_record")
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    FILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OLDEST_RECORD_FIELD_NUMBER: _ClassVar[int]
    NEWEST_RECORD_FIELD_NUMBER: _ClassVar[int]
    record_count: int
    file_count: int
    size_bytes: int
    oldest_record: _timestamp_pb2.Timestamp
    newest_record: _timestamp_pb2.Timestamp
    def __init__(self, record_count: _Optional[int] = ..., file_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., oldest_record: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., newest_record: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteTableRequest(_message.Message):
    __slots__ = ("table_name", "if_exists", "cascade")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    IF_EXISTS_FIELD_NUMBER: _ClassVar[int]
    CASCADE_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    if_exists: bool
    cascade: bool
    def __init__(self, table_name: _Optional[str] = ..., if_exists: _Optional[bool] = ..., cascade: _Optional[bool] = ...) -> None: ...

class DeleteTableResponse(_message.Message):
    __slots__ = ("success", "message", "files_deleted")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILES_DELETED_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    files_deleted: int
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., files_deleted: _Optional[int] = ...) -> None: ...

class BackupMetadataRequest(_message.Message):
    __slots__ = ("force",)
    FORCE_FIELD_NUMBER: _ClassVar[int]
    force: bool
    def __init__(self, force: _Optional[bool] = ...) -> None: ...

class BackupMetadataResponse(_message.Message):
    __slots__ = ("success", "message", "backup_id", "timestamp")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    backup_id: str
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., backup_id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RestoreMetadataRequest(_message.Message):
    __slots__ = ("backup_file", "from_latest", "dry_run", "overwrite", "validate", "parallel", "filters", "key_patterns")
    class FiltersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BACKUP_FILE_FIELD_NUMBER: _ClassVar[int]
    FROM_LATEST_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KEY_PATTERNS_FIELD_NUMBER: _ClassVar[int]
    backup_file: str
    from_latest: bool
    dry_run: bool
    overwrite: bool
    validate: bool
    parallel: bool
    filters: _containers.ScalarMap[str, str]
    key_patterns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, backup_file: _Optional[str] = ..., from_latest: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., overwrite: _Optional[bool] = ..., validate: _Optional[bool] = ..., parallel: _Optional[bool] = ..., filters: _Optional[_Mapping[str, str]] = ..., key_patterns: _Optional[_Iterable[str]] = ...) -> None: ...

class RestoreMetadataResponse(_message.Message):
    __slots__ = ("success", "message", "backup_file", "entries_total", "entries_ok", "entries_skipped", "entries_error", "duration", "errors", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FILE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_OK_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_ERROR_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    backup_file: str
    entries_total: int
    entries_ok: int
    entries_skipped: int
    entries_error: int
    duration: str
    errors: _containers.RepeatedScalarFieldContainer[str]
    details: _containers.ScalarMap[str, str]
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., backup_file: _Optional[str] = ..., entries_total: _Optional[int] = ..., entries_ok: _Optional[int] = ..., entries_skipped: _Optional[int] = ..., entries_error: _Optional[int] = ..., duration: _Optional[str] = ..., errors: _Optional[_Iterable[str]] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListBackupsRequest(_message.Message):
    __slots__ = ("days",)
    DAYS_FIELD_NUMBER: _ClassVar[int]
    days: int
    def __init__(self, days: _Optional[int] = ...) -> None: ...

class ListBackupsResponse(_message.Message):
    __slots__ = ("backups", "total")
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    backups: _containers.RepeatedCompositeFieldContainer[BackupInfo]
    total: int
    def __init__(self, backups: _Optional[_Iterable[_Union[BackupInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class BackupInfo(_message.Message):
    __slots__ = ("object_name", "node_id", "timestamp", "size", "last_modified")
    OBJECT_NAME_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    object_name: str
    node_id: str
    timestamp: _timestamp_pb2.Timestamp
    size: int
    last_modified: _timestamp_pb2.Timestamp
    def __init__(self, object_name: _Optional[str] = ..., node_id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., last_modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetMetadataStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMetadataStatusResponse(_message.Message):
    __slots__ = ("node_id", "backup_status", "last_backup", "next_backup", "health_status")
    class BackupStatusEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_BACKUP_FIELD_NUMBER: _ClassVar[int]
    NEXT_BACKUP_FIELD_NUMBER: _ClassVar[int]
    HEALTH_STATUS_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    backup_status: _containers.ScalarMap[str, str]
    last_backup: _timestamp_pb2.Timestamp
    next_backup: _timestamp_pb2.Timestamp
    health_status: str
    def __init__(self, node_id: _Optional[str] = ..., backup_status: _Optional[_Mapping[str, str]] = ..., last_backup: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_backup: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., health_status: _Optional[str] = ...) -> None: ...

class HealthCheckRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HealthCheckResponse(_message.Message):
    __slots__ = ("status", "timestamp", "version", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    status: str
    timestamp: _timestamp_pb2.Timestamp
    version: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, status: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("timestamp", "buffer_stats", "redis_stats", "minio_stats", "nodes", "total_nodes")
    class BufferStatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class RedisStatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class MinioStatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    BUFFER_STATS_FIELD_NUMBER: _ClassVar[int]
    REDIS_STATS_FIELD_NUMBER: _ClassVar[int]
    MINIO_STATS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_NODES_FIELD_NUMBER: _ClassVar[int]
    timestamp: _timestamp_pb2.Timestamp
    buffer_stats: _containers.ScalarMap[str, int]
    redis_stats: _containers.ScalarMap[str, int]
    minio_stats: _containers.ScalarMap[str, int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeInfo]
    total_nodes: int
    def __init__(self, timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., buffer_stats: _Optional[_Mapping[str, int]] = ..., redis_stats: _Optional[_Mapping[str, int]] = ..., minio_stats: _Optional[_Mapping[str, int]] = ..., nodes: _Optional[_Iterable[_Union[NodeInfo, _Mapping]]] = ..., total_nodes: _Optional[int] = ...) -> None: ...

class NodeInfo(_message.Message):
    __slots__ = ("id", "status", "type", "address", "last_seen")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: str
    type: str
    address: str
    last_seen: int
    def __init__(self, id: _Optional[str] = ..., status: _Optional[str] = ..., type: _Optional[str] = ..., address: _Optional[str] = ..., last_seen: _Optional[int] = ...) -> None: ...

class GetMetricsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMetricsResponse(_message.Message):
    __slots__ = ("timestamp", "performance_metrics", "resource_usage", "system_info")
    class PerformanceMetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ResourceUsageEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class SystemInfoEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PERFORMANCE_METRICS_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_USAGE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_INFO_FIELD_NUMBER: _ClassVar[int]
    timestamp: _timestamp_pb2.Timestamp
    performance_metrics: _containers.ScalarMap[str, float]
    resource_usage: _containers.ScalarMap[str, int]
    system_info: _containers.ScalarMap[str, str]
    def __init__(self, timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., performance_metrics: _Optional[_Mapping[str, float]] = ..., resource_usage: _Optional[_Mapping[str, int]] = ..., system_info: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetTokenRequest(_message.Message):
    __slots__ = ("api_key", "secret")
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    api_key: str
    secret: str
    def __init__(self, api_key: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class GetTokenResponse(_message.Message):
    __slots__ = ("access_token", "refresh_token", "expires_in", "token_type")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str
    def __init__(self, access_token: _Optional[str] = ..., refresh_token: _Optional[str] = ..., expires_in: _Optional[int] = ..., token_type: _Optional[str] = ...) -> None: ...

class RefreshTokenRequest(_message.Message):
    __slots__ = ("refresh_token",)
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refresh_token: str
    def __init__(self, refresh_token: _Optional[str] = ...) -> None: ...

class RefreshTokenResponse(_message.Message):
    __slots__ = ("access_token", "refresh_token", "expires_in", "token_type")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str
    def __init__(self, access_token: _Optional[str] = ..., refresh_token: _Optional[str] = ..., expires_in: _Optional[int] = ..., token_type: _Optional[str] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ("success", "message")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ...) -> None: ...
