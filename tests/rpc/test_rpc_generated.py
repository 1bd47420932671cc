"""The generated code is what the protos say."""

import subprocess
import sys
from pathlib import Path

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap

ROOT = Path(__file__).resolve().parents[2]


def test_generating_again_gives_the_code_that_is_checked_in(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts/generate", tmp_path], check=True)

    here, there = ROOT / "flightdb/rpc/generated", tmp_path / "flightdb/rpc/generated"
    assert _files(here) == _files(there)


def _files(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*.py*")
        if "__pycache__" not in path.parts
    }


def test_the_services_have_all_rpcs_of_the_contract():
    counts = {
        service.full_name: len(service.methods)
        for file in (olap, miniodb)
        for service in file.DESCRIPTOR.services_by_name.values()
    }

    assert counts == {
        "olap.v1.OlapService": 16,
        "miniodb.v1.MinIODBService": 17,
        "miniodb.v1.AuthService": 3,
    }


def test_field_numbers_are_the_contract_s():
    wanted = {
        (olap, "ListTablesRequest"): "pattern page limit",
        (olap, "ListTablesResponse"): "tables total page limit",
        (olap, "TriggerBackupRequest"): "table id day",
        (olap, "RecoverDataRequest"): "table backup_source target_date",
        (olap, "HealthCheckResponse"): "overall_status component_status",
        (olap, "GetStatsResponse"): (
            "total_queries total_writes avg_query_time_ms total_data_size_bytes active_tables"
        ),
        (olap, "NodeInfo"): "node_id address status last_heartbeat active_queries",
        (olap, "MetadataBackupInfo"): "id timestamp size status description",
        (olap, "MetadataStatusResponse"): (
            "status last_backup next_backup total_entries type_counts"
        ),
        (miniodb, "DataRecord"): "id timestamp payload",
        (miniodb, "WriteRequest"): "table id timestamp payload",
        (miniodb, "StreamWriteRequest"): "records table",
        (miniodb, "StreamWriteResponse"): "success records_count errors",
        (miniodb, "UpdateDataRequest"): "table id payload timestamp",
        (miniodb, "TableConfig"): (
            "buffer_size flush_interval_seconds retention_days backup_enabled properties "
            "id_strategy id_prefix auto_generate_id id_validation"
        ),
        (miniodb, "TableInfo"): "name config created_at last_write status stats",
        (miniodb, "GetTokenResponse"): "access_token refresh_token expires_in token_type",
    }
    for (file, message), names in wanted.items():
        fields = file.DESCRIPTOR.message_types_by_name[message].fields
        found = {field.number: field.name for field in fields}
        assert found == dict(enumerate(names.split(), start=1)), message
