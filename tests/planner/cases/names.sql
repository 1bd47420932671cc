-- a table keeps its name as alias
SELECT users.age FROM users
=> SELECT users.age FROM __flightdb_0 AS users

-- the schema main may be said
SELECT main.users.age FROM main.users
=> SELECT users.age FROM __flightdb_0 AS users

-- a CTE hides a table of its name, but not inside itself
WITH users AS (SELECT * FROM users) SELECT age FROM users
=> WITH users AS (SELECT * FROM __flightdb_0 AS users) SELECT age FROM users

-- main.x is never a CTE
WITH users AS (SELECT 1 AS age) SELECT a.age, b.age FROM users a, main.users b
=> WITH users AS (SELECT 1 AS age) SELECT a.age, b.age FROM users AS a , __flightdb_0 AS b

-- a CTE is seen by later CTEs only
WITH a AS (SELECT * FROM events), events AS (SELECT 1 AS age) SELECT * FROM a, events
=> WITH a AS (SELECT * FROM __flightdb_0 AS events), events AS (SELECT 1 AS age) SELECT * FROM a , events

-- a CTE of an inner query ends with it
SELECT * FROM (WITH events AS (SELECT 1 AS x) SELECT * FROM events) s, events
=> SELECT * FROM (WITH events AS (SELECT 1 AS x) SELECT * FROM events) AS s , __flightdb_0 AS events

-- a recursive CTE sees itself
WITH RECURSIVE r AS (SELECT a FROM plain UNION ALL SELECT a + 1 FROM r WHERE a < 9) SELECT * FROM r
=> WITH RECURSIVE r AS ((SELECT a FROM __flightdb_0 AS plain) UNION ALL (SELECT (a + 1) FROM r WHERE (a < 9))) SELECT * FROM r

-- twice the same table is one source
SELECT * FROM users a, users b
=> SELECT * FROM __flightdb_0 AS a , __flightdb_0 AS b

-- set operations, at every depth
(SELECT a FROM plain UNION SELECT age FROM users) EXCEPT SELECT age FROM events ORDER BY 1
=> ((SELECT a FROM __flightdb_0 AS plain) UNION (SELECT age FROM __flightdb_1 AS users)) EXCEPT (SELECT age FROM __flightdb_2 AS events) ORDER BY 1

-- DESCRIBE reads the table
DESCRIBE users
=> DESCRIBE (SELECT * FROM __flightdb_0 AS users)

-- an unknown table
SELECT * FROM nope
!! NotFound
