"""Metadata answers: exact schemas in FlightInfo, GetSchema and stream, and true facts."""

import pyarrow as pa
import pytest
from pyarrow import flight

from flightdb.flight import sqlinfo, types
from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.metadata import matches

UTF8 = pa.string()


def field(name, kind=UTF8, nullable=True):
    return pa.field(name, kind, nullable=nullable)


def needed(name, kind=UTF8):
    return pa.field(name, kind, nullable=False)


TABLES = [
    field("catalog_name"),
    field("db_schema_name"),
    needed("table_name"),
    needed("table_type"),
]
FOREIGN = [
    field("pk_catalog_name"),
    field("pk_db_schema_name"),
    needed("pk_table_name"),
    needed("pk_column_name"),
    field("fk_catalog_name"),
    field("fk_db_schema_name"),
    needed("fk_table_name"),
    needed("fk_column_name"),
    needed("key_sequence", pa.int32()),
    field("fk_key_name"),
    field("pk_key_name"),
    needed("update_rule", pa.uint8()),
    needed("delete_rule", pa.uint8()),
]
SQL_INFO = [
    needed("info_name", pa.uint32()),
    needed(
        "value",
        pa.dense_union(
            [
                needed("string_value"),
                needed("bool_value", pa.bool_()),
                needed("bigint_value", pa.int64()),
                needed("int32_bitmask", pa.int32()),
                needed("string_list", pa.list_(UTF8)),
                needed("int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.int32()))),
            ]
        ),
    ),
]

CASES = [
    (pb.CommandGetCatalogs(), [needed("catalog_name")]),
    (pb.CommandGetDbSchemas(), [field("catalog_name"), needed("db_schema_name")]),
    (pb.CommandGetTables(), TABLES),
    (pb.CommandGetTables(include_schema=True), [*TABLES, needed("table_schema", pa.binary())]),
    (pb.CommandGetTableTypes(), [needed("table_type")]),
    (
        pb.CommandGetPrimaryKeys(table="t"),
        [
            field("catalog_name"),
            field("db_schema_name"),
            needed("table_name"),
            needed("column_name"),
            needed("key_sequence", pa.int32()),
            field("key_name"),
        ],
    ),
    (pb.CommandGetExportedKeys(table="t"), FOREIGN),
    (pb.CommandGetImportedKeys(table="t"), FOREIGN),
    (pb.CommandGetCrossReference(pk_table="t", fk_table="u"), FOREIGN),
    (pb.CommandGetSqlInfo(), SQL_INFO),
]


def ask(client, command) -> pa.Table:
    """The answer; its three schemas are compared on the way."""
    descriptor = flight.FlightDescriptor.for_command(pack(command))
    info = client.get_flight_info(descriptor)
    table = client.do_get(info.endpoints[0].ticket).read_all()
    assert table.schema.equals(info.schema)
    assert table.schema.equals(client.get_schema(descriptor).schema)
    return table


@pytest.mark.parametrize(("command", "fields"), CASES, ids=lambda case: type(case).__name__)
def test_an_answer_has_the_schema_of_the_protocol(client, command, fields):
    assert ask(client, command).schema.equals(pa.schema(fields))


STRINGS = {0, 1, 2, 6, 7, 504, 513, 514, 529, 530, 531}
BITMASKS = {8, 100, 101, 522, 525, 526, 528, 533, 534, 535, 538, 540, 564, *range(567, 572)}
BIGINTS = {503, 505, 507, 562, *range(541, 556), *range(557, 562)}
LISTS = set(range(508, 513))
FLAGS = {3, 4, 5, 9, 10, 11, 500, 501, 502, 506, 515, 516, 518, 519, 520, 521, 523, 524, 527, 532}
FLAGS |= {536, 537, 539, 556, 563, 565, 566, *range(572, 577)}


def test_every_fact_is_in_the_child_of_the_union_that_drivers_read(client):
    table = ask(client, pb.CommandGetSqlInfo())
    table.validate(full=True)
    children = dict(
        zip(
            table["info_name"].to_pylist(),
            table["value"].combine_chunks().type_codes.to_pylist(),
            strict=True,
        )
    )
    for child, codes in enumerate((STRINGS, FLAGS, BIGINTS, BITMASKS, LISTS, {517})):
        assert {code for code, found in children.items() if found == child} == codes


def test_facts_that_are_not_known_are_left_out(client):
    table = ask(client, pb.CommandGetSqlInfo(info=[8, 4, 99_999]))
    assert table["info_name"].to_pylist() == [4, 8]
    assert table["value"].to_pylist() == [True, 0]


def test_no_fact_claims_transactions():
    facts = sqlinfo.facts("1", statement_idle_ms=5)
    assert [facts[code][1] for code in (8, 11, 562, 563, 573)] == [0, False, 0, False, False]


def test_types_are_ordered_by_code_and_filtered(client):
    every = ask(client, pb.CommandGetXdbcTypeInfo())
    codes = every["data_type"].to_pylist()
    assert codes == sorted(codes)
    assert every.schema.equals(types.SCHEMA)
    some = ask(client, pb.CommandGetXdbcTypeInfo(data_type=-5))
    assert some["type_name"].to_pylist() == ["BIGINT", "UBIGINT"]


def test_tables_are_filtered_by_catalog_schema_name_and_type(client):
    batch = pa.record_batch({"i": [1]})
    for name in ("one", "other"):
        writer, _ = client.do_put(flight.FlightDescriptor.for_path(name), batch.schema)
        with writer:
            writer.write_batch(batch)

    def names(**filters) -> list[str]:
        return ask(client, pb.CommandGetTables(**filters))["table_name"].to_pylist()

    assert names() == ["one", "other"]
    assert names(catalog="flightdb", db_schema_filter_pattern="m%") == ["one", "other"]
    assert names(catalog="") == []
    assert names(db_schema_filter_pattern="") == []
    assert names(table_name_filter_pattern="o_e") == ["one"]
    assert names(table_types=["VIEW"]) == []
    assert names(table_types=["VIEW", "TABLE"]) == ["one", "other"]


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (None, "anything", True),
        ("", "a", False),
        ("%", "", True),
        ("a_c", "abc", True),
        ("a\\_c", "abc", False),
        ("a\\_c", "a_c", True),
        ("a.c", "abc", False),
        ("100\\%", "100%", True),
        ("\\", "\\", True),
        ("[ab]", "a", False),
    ],
)
def test_patterns_are_those_of_like(pattern, name, expected):
    assert matches(pattern, name) is expected


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.int64(), "BIGINT"),
        (pa.decimal128(10, 2), "DECIMAL(10,2)"),
        (pa.timestamp("us", tz="UTC"), "TIMESTAMP WITH TIME ZONE"),
        (pa.timestamp("ns"), "TIMESTAMP_NS"),
        (pa.list_(pa.struct([("a", pa.int8())])), "STRUCT(a TINYINT)[]"),
        (pa.map_(pa.string(), pa.float64()), "MAP(VARCHAR, DOUBLE)"),
    ],
)
def test_arrow_types_have_sql_names(kind, name):
    assert types.name_of(kind) == name
