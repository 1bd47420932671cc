"""REST with the standard library: `python over_rest.py http://127.0.0.1:8081`."""

import json
import sys
import urllib.request


def call(url: str, body: object, **headers: str) -> bytes:
    """POSTs JSON; an error answer raises `urllib.error.HTTPError`, whose body says what was wrong."""
    given = {"content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, json.dumps(body).encode(), given)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def main(address: str) -> None:
    """Writes two rows twice under one key, asks for them as JSON and as CSV."""
    rows = [
        {"table": "example_remarks", "id": "r1", "payload": {"stars": 5, "text": "on time"}},
        {"table": "example_remarks", "id": "r2", "payload": {"stars": 2, "text": "late"}},
    ]
    for _ in range(2):
        print(json.loads(call(f"{address}/v1/data", rows, idempotency_key="example-1")))
    question = {"sql": "SELECT id, payload.stars FROM example_remarks ORDER BY id"}
    print(json.loads(call(f"{address}/v1/query", question))["rows"])
    print(call(f"{address}/v1/query", question, accept="text/csv").decode())


if __name__ == "__main__":
    main(sys.argv[1])
