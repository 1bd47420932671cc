-- files and URLs as relations
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
SELECT * FROM 'data.parquet'
SELECT * FROM 'data.csv'
SELECT * FROM "users.json"
SELECT * FROM '*.parquet'
SELECT * FROM 's3://bucket/key.parquet'
SELECT * FROM 'http://169.254.169.254/latest/meta-data'
SELECT * FROM 'https://example.com/a.csv'
SELECT * FROM '../secret.parquet'
SELECT * FROM '~/secrets'
SELECT * FROM 'C:\windows\a.csv'
SELECT * FROM '/proc/self/environ'
SELECT * FROM 'file:///etc/passwd'
SELECT * FROM users, '/etc/passwd'
SELECT * FROM users JOIN '/etc/passwd' ON true
SELECT * FROM users WHERE id IN (SELECT * FROM '/etc/passwd')
SELECT (SELECT 1 FROM '/etc/passwd')
WITH x AS (SELECT * FROM '/etc/passwd') SELECT * FROM x
WITH x AS MATERIALIZED (SELECT * FROM '/etc/passwd') SELECT * FROM x
SELECT * FROM users UNION ALL SELECT * FROM '/etc/passwd'
SELECT * FROM (FROM '/etc/passwd')
FROM '/etc/passwd'
TABLE "/etc/passwd"
DESCRIBE '/etc/passwd'
SUMMARIZE '/etc/passwd'
SELECT * FROM (DESCRIBE '/etc/passwd')
SELECT count(*) FILTER (WHERE EXISTS (FROM '/etc/passwd')) FROM users
SELECT * FROM users ORDER BY (SELECT 1 FROM '/etc/passwd')
SELECT * FROM users LIMIT (SELECT 1 FROM '/etc/passwd')
SELECT sum(age) OVER (PARTITION BY (SELECT 1 FROM '/etc/passwd')) FROM users
SELECT list_transform([1], lambda x: (SELECT 1 FROM '/etc/passwd'))
SELECT CASE WHEN true THEN (SELECT 1 FROM '/etc/passwd') END
SELECT * FROM users GROUP BY ALL HAVING EXISTS (FROM '/etc/passwd')
SELECT * FROM users QUALIFY row_number() OVER () = (SELECT 1 FROM '/etc/passwd')
SELECT * REPLACE ((SELECT 1 FROM '/etc/passwd') AS age) FROM users
WITH RECURSIVE r AS (SELECT 1 a UNION ALL SELECT a FROM r, '/etc/passwd') SELECT * FROM r
WITH RECURSIVE r AS (SELECT 1 a FROM '/etc/passwd' UNION ALL SELECT a FROM r) SELECT * FROM r
SELECT * FROM users u, LATERAL (SELECT * FROM '/etc/passwd' WHERE u.age = 1)
SELECT * FROM users TABLESAMPLE 10% JOIN '/etc/passwd' ON true
-- table functions that read
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_json_auto('/etc/passwd')
SELECT * FROM read_ndjson('/etc/passwd')
SELECT * FROM read_json_objects('/etc/passwd')
SELECT * FROM read_parquet('/etc/passwd')
SELECT * FROM parquet_scan('/etc/passwd')
SELECT * FROM parquet_metadata('/etc/passwd')
SELECT * FROM parquet_schema('/etc/passwd')
SELECT * FROM parquet_file_metadata('/etc/passwd')
SELECT * FROM parquet_kv_metadata('/etc/passwd')
SELECT * FROM parquet_bloom_probe('/etc/passwd', 'a', 1)
SELECT * FROM read_duckdb('/etc/passwd')
SELECT * FROM glob('/etc/*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM users, read_text('/etc/passwd')
SELECT * FROM users WHERE id = (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM users, LATERAL read_text(users.name)
WITH x AS (FROM read_text('/etc/passwd')) FROM x
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM arrow_scan_dumb(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM python_map_function(1)
SELECT * FROM seq_scan('users')
SELECT * FROM "read_text"('/etc/passwd')
SELECT * FROM main.read_text('/etc/passwd')
SELECT * FROM system.main.read_text('/etc/passwd')
SELECT * FROM READ_TEXT('/etc/passwd')
-- SQL as text
SELECT * FROM query('SELECT * FROM users')
SELECT * FROM query_table('users')
SELECT * FROM query_table(['users', 'plain'])
SELECT * FROM json_execute_serialized_sql('{}')
SELECT json_serialize_sql('select 1')
SELECT json_serialize_plan('select 1')
SELECT json_deserialize_sql('{}')
-- the engine's catalog and settings
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM INFORMATION_SCHEMA.SCHEMATA
SELECT * FROM pg_catalog.pg_class
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM duckdb_tables
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_external_file_cache()
SELECT * FROM duckdb_variables()
SELECT * FROM duckdb_logs_parsed('x')
SELECT * FROM duckdb_profiling_settings()
SELECT * FROM sqlite_master
SELECT * FROM pragma_table_info('users')
SELECT * FROM pragma_database_size()
SELECT * FROM pragma_version()
SELECT * FROM pragma_show('users')
SELECT * FROM pragma_storage_info('users')
SELECT * FROM which_secret('s3://a', 's3')
SELECT * FROM system.information_schema.tables
SELECT * FROM temp.information_schema.tables
SELECT * FROM memory.main.users
SELECT * FROM temp.users
SELECT * FROM system.main.duckdb_tables
SELECT * FROM other.users
SELECT current_setting('home_directory')
SELECT getvariable('x')
SELECT getenv('HOME')
SELECT current_schemas(true)
SELECT current_database()
SELECT current_schema()
SELECT current_query()
SELECT current_query_id()
SELECT current_connection_id()
SELECT current_transaction_id()
SELECT in_search_path('a', 'b')
SELECT txid_current()
SELECT pg_get_viewdef(1)
SELECT pg_get_expr('a', 1)
SELECT has_table_privilege('users', 'select')
SELECT inet_server_addr()
SELECT col_description(1, 1)
SELECT obj_description(1, 'a')
SELECT get_block_size('a')
SHOW TABLES
SHOW ALL TABLES
SHOW DATABASES
SELECT * FROM (SHOW TABLES)
SELECT * FROM (SHOW ALL TABLES)
SHOW users
-- functions with effects, or that wait, or take internal things
SELECT write_log('x')
SELECT setseed(0.5)
SELECT nextval('s')
SELECT currval('s')
SELECT setval('s', 1)
SELECT sleep_ms(100000)
SELECT pg_sleep(100)
SELECT error('x')
SELECT assert_true(false)
SELECT stats(1)
SELECT vector_type(1)
SELECT finalize(1)
SELECT combine(1, 2)
SELECT to_aggregate_state('a', 1)
SELECT __internal_compress_string_ubigint('a')
SELECT __internal_decompress_string(1)
SELECT sum(age) EXPORT_STATE FROM users
SELECT repeat('x', 1000000000)
SELECT repeat('x', age) FROM users
SELECT repeat('x', ?)
SELECT repeat(repeat('x', 10000), 10000)
SELECT lpad('x', 1000000000, 'y')
SELECT rpad('x', 1000000000, 'y')
SELECT rpad(repeat('x', 100), 9999, 'y')
SELECT list_resize([1], 10000000000)
SELECT list_resize([1], age) FROM users
SELECT array_resize([1], 10000000000)
SELECT bitstring('1', 2000000000)
SELECT format('{:1000000000}', 1)
SELECT format(name, 1) FROM users
SELECT printf('%1000000000d', 1)
SELECT len(range(100000000000))
SELECT flatten([range(100000000)])
SELECT * FROM range(100000000000)
SELECT * FROM generate_series(1, 1000000000)
SELECT * FROM range(0, -1000000000, -1)
SELECT * FROM range(?)
SELECT * FROM users, range(users.age)
SELECT * FROM range((SELECT max(age) FROM users))
SELECT * FROM repeat('x', 10)
SELECT * FROM repeat_row(1, num_rows = 10)
SELECT * FROM test_all_types()
SELECT * FROM summary(users)
SELECT * FROM json_each('{}')
SELECT * FROM checkpoint()
SELECT * FROM force_checkpoint()
SELECT * FROM enable_logging()
SELECT * FROM truncate_duckdb_logs()
SELECT * FROM enable_profiling()
SELECT * FROM pg_timezone_names()
SELECT * FROM icu_calendar_names()
-- statements inside a query
WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x
WITH x AS (UPDATE users SET age = 1 RETURNING *) SELECT * FROM x
WITH x AS (INSERT INTO users VALUES (1) RETURNING *) SELECT * FROM x
WITH x AS (TRUNCATE users) SELECT 1
WITH x AS (COPY users TO '/tmp/x') SELECT 1
WITH x AS (COPY (SELECT 1) TO '/tmp/x') SELECT 1
WITH x AS (COPY users FROM '/tmp/x') SELECT 1
WITH a AS (WITH b AS (DELETE FROM users) SELECT 1) SELECT * FROM a
SELECT * FROM (WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x)
SELECT (WITH x AS (COPY users TO '/tmp/x') SELECT 1)
SELECT * FROM users UNION (WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x)
-- other statements
COPY users TO '/tmp/x'
COPY (SELECT 1) TO '/tmp/x'
COPY users FROM '/etc/passwd'
EXPORT DATABASE '/tmp/x'
IMPORT DATABASE '/tmp/x'
ATTACH '/tmp/x.db'
ATTACH ':memory:' AS m
DETACH m
USE m
SET threads = 1
SET VARIABLE x = 1
RESET threads
PRAGMA database_list
PRAGMA table_info('users')
PRAGMA enable_profiling
INSTALL httpfs
LOAD httpfs
FORCE INSTALL httpfs
CALL pragma_version()
CALL read_text('/etc/passwd')
CHECKPOINT
FORCE CHECKPOINT
VACUUM
ANALYZE
COMMENT ON TABLE users IS 'x'
PREPARE p AS SELECT 1
EXECUTE p
DEALLOCATE p
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW v AS SELECT * FROM '/etc/passwd'
CREATE MACRO f(x) AS x
CREATE FUNCTION f(x) AS x
CREATE TEMP MACRO f() AS TABLE SELECT 1
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TYPE mood AS ENUM ('a')
CREATE INDEX i ON users (age)
CREATE SECRET s (TYPE s3)
CREATE PERSISTENT SECRET s (TYPE s3)
CREATE TABLE other.x (a INT)
CREATE TABLE x AS SELECT * FROM '/etc/passwd'
CREATE TABLE x AS SELECT * FROM read_text('/etc/passwd')
CREATE TABLE x AS FROM duckdb_settings()
DROP VIEW v
DROP SCHEMA main
DROP SEQUENCE s
DROP TABLE other.users
INSERT INTO other.users VALUES (1)
INSERT INTO plain SELECT * FROM '/etc/passwd'
INSERT INTO plain SELECT content, 1, now(), '' FROM read_text('/etc/passwd')
INSERT INTO plain VALUES ((SELECT content FROM read_text('/etc/passwd')), 1, now(), '')
INSERT INTO plain WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x
WITH x AS (COPY users TO '/tmp/x') INSERT INTO plain SELECT 1, 2, now(), ''
INSERT INTO plain (a) VALUES (1)), y AS (COPY users TO '/tmp/x'
INSERT INTO plain (a) VALUES (1)) SELECT 1 --
INSERT INTO plain (a) VALUES (1)) SELECT * FROM read_text('/etc/passwd') --
INSERT INTO plain (a) VALUES (1)) SELECT 1 FROM '/etc/passwd'; --
DELETE FROM users); SELECT 1 --
-- several statements, or none
SELECT 1; SELECT 2
SELECT 1; DROP TABLE users
SELECT 1;; COPY users TO '/tmp/x'
;
--
/* nothing */
SELECT 1 /* open
SELEC 1
SELECT * FROM __flightdb_0
WITH __flightdb_0 AS (SELECT 1) SELECT * FROM users
SELECT * FROM (WITH __FLIGHTDB_0 AS (SELECT 1) SELECT * FROM users)
SELECT * FROM __FLIGHTDB_PARAMETERS
SELECT $name
SELECT $2
