"""Tables, flush, health, status, metrics, and the documents about all this."""

import json
import re

SPEC_GROUPS = {
    "buffer_stats",
    "redis_stats",
    "minio_stats",
    "query_metrics",
    "cache_metrics",
    "query_engine_stats",
    "memory_usage",
    "connection_pool_metrics",
    "health_status",
    "components",
    "metrics_collection_stats",
}
TABLE = {"table_name": "t", "config": {"buffer_size": 7, "id_strategy": "uuid"}}


def test_a_table_is_created_listed_described_and_dropped(client):
    made = client.post("/v1/tables", json=TABLE)
    listed = client.get("/v1/tables").json()
    described = client.get("/v1/tables/t").json()
    dropped = client.delete("/v1/tables/t")

    assert made.json() == {"success": True, "message": "Table t created successfully"}
    assert listed["total"] == 1
    assert listed["tables"][0]["config"]["buffer_size"] == 7
    info = described["table_info"]
    assert info["config"]["id_strategy"] == "uuid"
    assert info["config"]["backup_enabled"] is False
    assert info["created_at"] == "2026-01-31T12:00:00.000000Z"
    assert info["last_flush"] is None
    assert [column["name"] for column in info["columns"]] == ["id", "timestamp", "temperature"]
    assert info["stats"] == described["stats"]
    assert info["stats"]["record_count"] == 10
    assert dropped.json()["files_deleted"] == 2
    assert client.get("/v1/tables/t").status_code == 404


def test_a_second_table_of_a_name_conflicts_unless_it_may_exist(client):
    client.post("/v1/tables", json=TABLE)

    again = client.post("/v1/tables", json=TABLE)
    fine = client.post("/v1/tables", json={**TABLE, "if_not_exists": True})

    assert (again.status_code, again.json()["error"]) == (409, "already_exists")
    assert fine.status_code == 200


def test_a_table_that_is_not_there_is_dropped_only_if_it_may_be_missing(client):
    assert client.delete("/v1/tables/none").status_code == 404
    assert client.delete("/v1/tables/none?if_exists=true&cascade=true").status_code == 200
    assert client.delete("/v1/tables/none?if_exists=perhaps").status_code == 400


def test_tables_come_in_pages(client):
    for number in range(5):
        client.post("/v1/tables", json={"table_name": f"t{number}"})

    page = client.get("/v1/tables?pattern=t*&page=2&limit=2").json()

    assert [table["name"] for table in page["tables"]] == ["t2", "t3"]
    assert (page["total"], page["page"]) == (5, 2)
    assert client.get("/v1/tables?limit=0").json()["error"] == "validation_error"
    assert client.get("/v1/tables?page=x").status_code == 400


def test_a_wrong_table_body_names_the_place(client):
    cases = {
        "{}": "table_name",
        '{"table_name": 5}': "at table_name",
        '{"table_name":"t","config":{"buffer_size":-1}}': "config.buffer_size",
        '{"table_name":"t","config":{"id_strategy":"chance"}}': "user_provided, uuid",
        '{"table_name":"t","options":{}}': "options",
        '{"table_name":"9"}': "invalid table name",
    }
    for body, says in cases.items():
        answer = client.post(
            "/v1/tables", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400
        assert says in answer.json()["message"]


def test_flush_takes_its_table_from_body_or_query_or_takes_all(client, service):
    whole = client.post("/v1/flush")
    by_query = client.post("/v1/flush?table=t")
    by_body = client.post("/v1/flush", json={"table": "u"})
    both = client.post("/v1/flush?table=t", json={"table": "u"})

    assert whole.json() == {
        "success": True,
        "message": "Buffer flush completed successfully",
        "stats": {"rows": 5},
    }
    assert (by_query.status_code, by_body.status_code, both.status_code) == (200, 200, 400)
    assert service.flushed == ["", "t", "u"]


def test_health_is_503_only_when_unhealthy(client, service):
    seen = {}
    for state in ("healthy", "degraded", "unhealthy"):
        service.state = state
        seen[state] = client.get("/v1/health")

    assert [answer.status_code for answer in seen.values()] == [200, 200, 503]
    assert seen["healthy"].json()["details"] == {"message": "All systems operational"}
    assert seen["degraded"].json()["details"] == {"store": "local directory"}
    assert seen["healthy"].json()["timestamp"] == "2026-01-31T12:00:01.500000Z"


def test_status_has_the_figures_under_the_names_of_the_contract(client):
    status = client.get("/v1/status").json()

    assert status == client.get("/v1/stats").json()
    assert status["buffer_stats"]["pending_writes"] == 3
    assert status["buffer_stats"]["avg_query_time_ms"] == 2.5
    assert status["buffer_stats"]["avg_flush_time_ms"] is None
    assert status["figures"]["query_seconds_total"] == 0.01
    assert status["uptime_seconds"] == 1.5
    assert status["total_nodes"] == 1
    assert status["nodes"][0]["last_seen"] == "2026-01-31T12:00:00.000000Z"
    assert status.keys() >= SPEC_GROUPS


def test_metrics_are_those_of_the_registry(client):
    answer = client.get("/metrics")

    assert "things_total 1.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")


def test_the_document_describes_every_route_and_resolves_its_references(client):
    api = client.get("/openapi.json").json()

    assert api["openapi"] == "3.1.0"
    assert api["info"].keys() >= {"title", "version"}
    operations = [
        (path, method, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) == 13
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, _, operation in operations:
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert operation["responses"]
        assert all(re.fullmatch("[1-5][0-9][0-9]", code) for code in operation["responses"])
        assert all(reply["description"] for reply in operation["responses"].values())
    schemas = api["components"]["schemas"]
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(api))
    assert references
    assert {r.removeprefix("#/components/schemas/") for r in references} <= schemas.keys()


def test_the_document_is_true_of_a_write_and_of_an_error(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    answer = client.post("/v1/data", json={"payload": {}}).json()
    error = client.get("/v1/tables/none").json()

    assert answer.keys() == schemas["WriteAnswer"]["properties"].keys()
    assert set(schemas["ErrorAnswer"]["required"]) <= error.keys()
    assert error.keys() <= schemas["ErrorAnswer"]["properties"].keys()


def test_the_page_needs_nothing_from_elsewhere(client):
    answer = client.get("/docs")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].count("sha256-") == 2
    assert "http://" not in answer.text
    assert "https://" not in answer.text
