import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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

class WriteResponse(_message.Message):
    __slots__ = ("success", "message")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("sql",)
    SQL_FIELD_NUMBER: _ClassVar[int]
    sql: str
    def __init__(self, sql: _Optional[str] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("result_json",)
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    result_json: str
    def __init__(self, result_json: _Optional[str] = ...) -> None: ...

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

class DropTableRequest(_message.Message):
    __slots__ = ("table_name", "if_exists", "cascade")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    IF_EXISTS_FIELD_NUMBER: _ClassVar[int]
    CASCADE_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    if_exists: bool
    cascade: bool
    def __init__(self, table_name: _Optional[str] = ..., if_exists: _Optional[bool] = ..., cascade: _Optional[bool] = ...) -> None: ...

class DropTableResponse(_message.Message):
    __slots__ = ("success", "message", "files_deleted")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILES_DELETED_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    files_deleted: int
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., files_deleted: _Optional[int] = ...) -> None: ...

class ListTablesRequest(_message.Message):
    __slots__ = ("pattern", "page", "limit")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    page: int
    limit: int
    def __init__(self, pattern: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListTablesResponse(_message.Message):
    __slots__ = ("tables", "total", "page", "limit")
    TABLES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[TableInfo]
    total: int
    page: int
    limit: int
    def __init__(self, tables: _Optional[_Iterable[_Union[TableInfo, _Mapping]]] = ..., total: _Optional[int] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class DescribeTableRequest(_message.Message):
    __slots__ = ("table_name",)
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    def __init__(self, table_name: _Optional[str] = ...) -> None: ...

class DescribeTableResponse(_message.Message):
    __slots__ = ("table_info", "stats")
    TABLE_INFO_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    table_info: TableInfo
    stats: TableStats
    def __init__(self, table_info: _Optional[_Union[TableInfo, _Mapping]] = ..., stats: _Optional[_Union[TableStats, _Mapping]] = ...) -> None: ...

class TableInfo(_message.Message):
    __slots__ = ("name", "config", "created_at", "last_write", "status")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_WRITE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    name: str
    config: TableConfig
    created_at: str
    last_write: str
    status: str
    def __init__(self, name: _Optional[str] = ..., config: _Optional[_Union[TableConfig, _Mapping]] = ..., created_at: _Optional[str] = ..., last_write: _Optional[str] = ..., status: _Optional[str] = ...) -> None: ...

class TableConfig(_message.Message):
    __slots__ = ("buffer_size", "flush_interval_seconds", "retention_days", "backup_enabled", "properties")
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
    buffer_size: int
    flush_interval_seconds: int
    retention_days: int
    backup_enabled: bool
    properties: _containers.ScalarMap[str, str]
    def __init__(self, buffer_size: _Optional[int] = ..., flush_interval_seconds: _Optional[int] = ..., retention_days: _Optional[int] = ..., backup_enabled: _Optional[bool] = ..., properties: _Optional[_Mapping[str, str]] = ...) -> None: ...

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
    oldest_record: str
    newest_record: str
    def __init__(self, record_count: _Optional[int] = ..., file_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., oldest_record: _Optional[str] = ..., newest_record: _Optional[str] = ...) -> None: ...

class TriggerBackupRequest(_message.Message):
    __slots__ = ("table", "id", "day")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    table: str
    id: str
    day: str
    def __init__(self, table: _Optional[str] = ..., id: _Optional[str] = ..., day: _Optional[str] = ...) -> None: ...

class TriggerBackupResponse(_message.Message):
    __slots__ = ("success", "message", "files_backed_up")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILES_BACKED_UP_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    files_backed_up: int
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., files_backed_up: _Optional[int] = ...) -> None: ...

class RecoverDataRequest(_message.Message):
    __slots__ = ("table", "backup_source", "target_date")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    BACKUP_SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_DATE_FIELD_NUMBER: _ClassVar[int]
    table: str
    backup_source: str
    target_date: str
    def __init__(self, table: _Optional[str] = ..., backup_source: _Optional[str] = ..., target_date: _Optional[str] = ...) -> None: ...

class RecoverDataResponse(_message.Message):
    __slots__ = ("success", "message", "files_recovered")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILES_RECOVERED_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    files_recovered: int
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., files_recovered: _Optional[int] = ...) -> None: ...

class HealthCheckRequest(_message.Message):
    __slots__ = ("components",)
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    components: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, components: _Optional[_Iterable[str]] = ...) -> None: ...

class HealthCheckResponse(_message.Message):
    __slots__ = ("overall_status", "component_status")
    class ComponentStatusEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ComponentHealth
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ComponentHealth, _Mapping]] = ...) -> None: ...
    OVERALL_STATUS_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    overall_status: str
    component_status: _containers.MessageMap[str, ComponentHealth]
    def __init__(self, overall_status: _Optional[str] = ..., component_status: _Optional[_Mapping[str, ComponentHealth]] = ...) -> None: ...

class ComponentHealth(_message.Message):
    __slots__ = ("status", "message", "response_time_ms")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    status: str
    message: str
    response_time_ms: float
    def __init__(self, status: _Optional[str] = ..., message: _Optional[str] = ..., response_time_ms: _Optional[float] = ...) -> None: ...

class GetStatsRequest(_message.Message):
    __slots__ = ("duration",)
    DURATION_FIELD_NUMBER: _ClassVar[int]
    duration: str
    def __init__(self, duration: _Optional[str] = ...) -> None: ...

class GetStatsResponse(_message.Message):
    __slots__ = ("total_queries", "total_writes", "avg_query_time_ms", "total_data_size_bytes", "active_tables")
    TOTAL_QUERIES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_WRITES_FIELD_NUMBER: _ClassVar[int]
    AVG_QUERY_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DATA_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_TABLES_FIELD_NUMBER: _ClassVar[int]
    total_queries: int
    total_writes: int
    avg_query_time_ms: float
    total_data_size_bytes: int
    active_tables: int
    def __init__(self, total_queries: _Optional[int] = ..., total_writes: _Optional[int] = ..., avg_query_time_ms: _Optional[float] = ..., total_data_size_bytes: _Optional[int] = ..., active_tables: _Optional[int] = ...) -> None: ...

class GetNodesRequest(_message.Message):
    __slots__ = ("include_inactive",)
    INCLUDE_INACTIVE_FIELD_NUMBER: _ClassVar[int]
    include_inactive: bool
    def __init__(self, include_inactive: _Optional[bool] = ...) -> None: ...

class GetNodesResponse(_message.Message):
    __slots__ = ("nodes", "total_nodes", "healthy_nodes")
    NODES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_NODES_FIELD_NUMBER: _ClassVar[int]
    HEALTHY_NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeInfo]
    total_nodes: int
    healthy_nodes: int
    def __init__(self, nodes: _Optional[_Iterable[_Union[NodeInfo, _Mapping]]] = ..., total_nodes: _Optional[int] = ..., healthy_nodes: _Optional[int] = ...) -> None: ...

class NodeInfo(_message.Message):
    __slots__ = ("node_id", "address", "status", "last_heartbeat", "active_queries")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    address: str
    status: str
    last_heartbeat: str
    active_queries: int
    def __init__(self, node_id: _Optional[str] = ..., address: _Optional[str] = ..., status: _Optional[str] = ..., last_heartbeat: _Optional[str] = ..., active_queries: _Optional[int] = ...) -> None: ...

class TriggerMetadataBackupRequest(_message.Message):
    __slots__ = ("force",)
    FORCE_FIELD_NUMBER: _ClassVar[int]
    force: bool
    def __init__(self, force: _Optional[bool] = ...) -> None: ...

class TriggerMetadataBackupResponse(_message.Message):
    __slots__ = ("success", "message", "backup_id")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    backup_id: str
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., backup_id: _Optional[str] = ...) -> None: ...

class ListMetadataBackupsRequest(_message.Message):
    __slots__ = ("days",)
    DAYS_FIELD_NUMBER: _ClassVar[int]
    days: int
    def __init__(self, days: _Optional[int] = ...) -> None: ...

class ListMetadataBackupsResponse(_message.Message):
    __slots__ = ("backups", "total")
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    backups: _containers.RepeatedCompositeFieldContainer[MetadataBackupInfo]
    total: int
    def __init__(self, backups: _Optional[_Iterable[_Union[MetadataBackupInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class MetadataBackupInfo(_message.Message):
    __slots__ = ("id", "timestamp", "size", "status", "description")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    timestamp: str
    size: int
    status: str
    description: str
    def __init__(self, id: _Optional[str] = ..., timestamp: _Optional[str] = ..., size: _Optional[int] = ..., status: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class RecoverMetadataRequest(_message.Message):
    __slots__ = ("backup_file", "mode", "force_overwrite", "backup_current")
    BACKUP_FILE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    FORCE_OVERWRITE_FIELD_NUMBER: _ClassVar[int]
    BACKUP_CURRENT_FIELD_NUMBER: _ClassVar[int]
    backup_file: str
    mode: str
    force_overwrite: bool
    backup_current: bool
    def __init__(self, backup_file: _Optional[str] = ..., mode: _Optional[str] = ..., force_overwrite: _Optional[bool] = ..., backup_current: _Optional[bool] = ...) -> None: ...

class RecoverMetadataResponse(_message.Message):
    __slots__ = ("success", "message", "recovered_items", "recovered_keys", "warnings")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_KEYS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    message: str
    recovered_items: int
    recovered_keys: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, success: _Optional[bool] = ..., message: _Optional[str] = ..., recovered_items: _Optional[int] = ..., recovered_keys: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMetadataStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MetadataStatusResponse(_message.Message):
    __slots__ = ("status", "last_backup", "next_backup", "total_entries", "type_counts")
    class TypeCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_BACKUP_FIELD_NUMBER: _ClassVar[int]
    NEXT_BACKUP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    TYPE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    status: str
    last_backup: str
    next_backup: str
    total_entries: int
    type_counts: _containers.ScalarMap[str, int]
    def __init__(self, status: _Optional[str] = ..., last_backup: _Optional[str] = ..., next_backup: _Optional[str] = ..., total_entries: _Optional[int] = ..., type_counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class ValidateMetadataBackupRequest(_message.Message):
    __slots__ = ("backup_file",)
    BACKUP_FILE_FIELD_NUMBER: _ClassVar[int]
    backup_file: str
    def __init__(self, backup_file: _Optional[str] = ...) -> None: ...

class ValidateMetadataBackupResponse(_message.Message):
    __slots__ = ("valid", "message", "errors")
    VALID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    message: str
    errors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, valid: _Optional[bool] = ..., message: _Optional[str] = ..., errors: _Optional[_Iterable[str]] = ...) -> None: ...
