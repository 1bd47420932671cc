SELECT 1
select 1;
SELECT 1; -- done
/* hint */ SELECT 1
(SELECT 1)
SELECT * FROM users
SELECT * FROM main.users
SELECT main.users.age FROM main.users
SELECT * FROM USERS
FROM users
TABLE users
FROM users SELECT age
SELECT u.* FROM users AS u
SELECT * FROM users WHERE name = 'update'
SELECT * FROM users WHERE name = 'DROP TABLE users; --'
SELECT 'a--b', '#1', 'a/*b*/', 'delete from x'
SELECT "delete", "a--b" FROM odd
SELECT odd."select" FROM odd
SELECT age AS "insert" FROM users
SELECT 'read_text(''/etc/passwd'')'
SELECT $$it's; dollar$$
SELECT E'a\'b;c'
SELECT count(*) FROM users
SELECT count(*), count(DISTINCT name), sum(age), avg(age), median(age) FROM users
SELECT name, count(*) FROM users GROUP BY name HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 10 OFFSET 5
SELECT name, count(*) FROM users GROUP BY ALL ORDER BY ALL
SELECT name, age, count(*) FROM users GROUP BY ROLLUP (name, age)
SELECT name, age, grouping(name) FROM users GROUP BY GROUPING SETS ((name), (age), ())
SELECT name, count(*) FILTER (WHERE age > 3) FROM users GROUP BY CUBE (name)
SELECT string_agg(name, ',' ORDER BY age) FROM users
SELECT row_number() OVER (PARTITION BY name ORDER BY age) FROM users
SELECT lag(age, 1, 0) OVER w FROM users WINDOW w AS (ORDER BY id)
SELECT sum(age) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM users
SELECT * FROM users QUALIFY rank() OVER (ORDER BY age) < 3
SELECT DISTINCT name FROM users
SELECT DISTINCT ON (name) name, age FROM users ORDER BY name, age
SELECT * FROM users u JOIN plain p ON u.age = p.a
SELECT * FROM users u LEFT JOIN plain p ON u.age = p.a WHERE p.a IS NULL
SELECT * FROM users FULL JOIN plain ON users.age = plain.a
SELECT u.id FROM users u SEMI JOIN plain p ON u.age = p.a
SELECT u.id FROM users u ANTI JOIN plain p ON u.age = p.a
SELECT * FROM users ASOF JOIN plain ON users.age >= plain.a
SELECT * FROM users, plain
SELECT * FROM users CROSS JOIN plain
SELECT * FROM users a JOIN users b USING (id)
SELECT * FROM users NATURAL JOIN plain
SELECT * FROM users u, LATERAL (SELECT p.a FROM plain p WHERE p.a = u.age) x
WITH x AS (SELECT age FROM users) SELECT * FROM x
WITH x AS (SELECT 1 a), y AS (SELECT a + 1 b FROM x) SELECT * FROM x, y
WITH x AS MATERIALIZED (SELECT age FROM users) SELECT * FROM x a, x b
WITH users AS (SELECT 1 AS age) SELECT age FROM users
WITH users AS (SELECT * FROM users) SELECT age FROM users
WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(x, y)
VALUES (1), (2)
SELECT * FROM (SELECT age FROM users) WHERE age > (SELECT avg(age) FROM users)
SELECT * FROM users WHERE age IN (SELECT a FROM plain)
SELECT * FROM users WHERE EXISTS (SELECT 1 FROM plain WHERE a = age)
SELECT * FROM users WHERE age = ANY (SELECT a FROM plain)
SELECT age FROM users UNION SELECT a FROM plain
SELECT age FROM users UNION ALL BY NAME SELECT a FROM plain
SELECT age FROM users EXCEPT SELECT a FROM plain
SELECT age FROM users INTERSECT SELECT a FROM plain ORDER BY 1
SELECT * EXCLUDE (age) FROM users
SELECT * REPLACE (age + 1 AS age) FROM users
SELECT COLUMNS('a.*') FROM users
SELECT * FROM range(10)
SELECT * FROM range(1, 100, 3) r(i)
SELECT * FROM generate_series(1, 10)
SELECT * FROM generate_series(DATE '2024-01-01', DATE '2024-02-01', INTERVAL 1 DAY)
SELECT unnest([1, 2, 3])
SELECT * FROM unnest([1, 2, 3]) u(x)
SELECT list_transform([1, 2], lambda x: x + 1)
SELECT [x + 1 FOR x IN [1, 2, 3] IF x > 1]
SELECT {'a': 1, 'b': 'x'}.b, MAP {'k': 1}['k'], [1, 2][1], [1, 2, 3][1:2]
SELECT CAST('1' AS INTEGER), '2024-01-01'::DATE, TRY_CAST('x' AS DOUBLE), 1::DECIMAL(10, 2)
SELECT CASE WHEN age > 3 THEN 'a' ELSE 'b' END, coalesce(name, 'x'), nullif(age, 1), if(age > 1, 1, 2) FROM users
SELECT * FROM users WHERE name LIKE 'a%' AND name ILIKE '%b' AND name SIMILAR TO 'c.*' AND name NOT LIKE 'x'
SELECT * FROM users WHERE age BETWEEN 1 AND 3 AND age IS NOT NULL AND NOT (age <> 2)
SELECT * FROM users WHERE age IS DISTINCT FROM 3
SELECT extract(year FROM timestamp), date_trunc('day', timestamp), timestamp + INTERVAL 1 DAY FROM users
SELECT substring(name FROM 2 FOR 3), trim(BOTH 'x' FROM name), position('a' IN name), name || 'x' FROM users
SELECT upper(name), regexp_replace(name, 'a', 'b'), strftime(timestamp, '%Y'), md5(name) FROM users
SELECT now(), current_date, current_timestamp, random(), gen_random_uuid()
SELECT json_extract(address, '$.city'), address ->> '$.city', address -> 'city' FROM users
SELECT payload.age, payload.address.city, payload FROM users
SELECT * FROM users WHERE payload.age > 3 ORDER BY payload.name
SELECT repeat('=', 20), lpad('7', 3, '0'), rpad('7', 3, '0')
SELECT * FROM users USING SAMPLE 10
SELECT * FROM users TABLESAMPLE 10%
SELECT name COLLATE NOCASE FROM users
SELECT * FROM users WHERE age = ? AND name IN (?, ?) LIMIT ?
SELECT * FROM users WHERE age = $1 OR age = $1 + 1
SELECT pg_typeof(1), typeof(1), version()
SELECT list_resize([1], 10), range(10), format('{:05d}', age), printf('%d', age) FROM users
SELECT -1, +1, 1.5e3, 0x1F, 1_000, true, NULL
SELECT current_user, user FROM odd
DESCRIBE users
SUMMARIZE users
DESCRIBE SELECT age FROM users
SELECT * FROM (DESCRIBE users)
SELECT error FROM odd
SELECT "query" FROM odd
INSERT INTO plain VALUES (1, 2.0, '2024-01-01', 'x')
INSERT INTO plain (a, payload) VALUES (1, 'update; delete'), (2, NULL);
INSERT INTO plain (a) SELECT age FROM users -- copy
INSERT INTO main.plain (b, a) VALUES (?, ?)
INSERT INTO plain (a, b) VALUES (DEFAULT, 1)
WITH x AS (SELECT 1 a) INSERT INTO plain (a) SELECT a FROM x
CREATE TABLE x (a INTEGER NOT NULL, "select" VARCHAR, c DECIMAL(10, 2), d INTEGER[])
CREATE TABLE IF NOT EXISTS x (a INT)
CREATE OR REPLACE TABLE x AS SELECT * FROM users
CREATE TABLE x AS WITH y AS (SELECT 1 AS a) SELECT * FROM y
DROP TABLE users
DROP TABLE IF EXISTS users;
