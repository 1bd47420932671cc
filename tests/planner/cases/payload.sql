-- a key with and without the table's name
SELECT payload.age, u.payload.name FROM users u
=> SELECT u.age, u."name" FROM __flightdb_0 AS u

-- the table's own name serves as well
SELECT users.payload.age FROM users
=> SELECT users.age FROM __flightdb_0 AS users

-- names compare without case
SELECT PAYLOAD.Age FROM Users
=> SELECT users.age FROM __flightdb_0 AS Users

-- all of it is a struct
SELECT payload FROM users
=> SELECT struct_pack(age := users.age, "name" := users."name", address := users.address, score := users.score) AS payload FROM __flightdb_0 AS users

-- all of it as columns
SELECT payload.* FROM users
=> SELECT users.* EXCLUDE (id, "timestamp") FROM __flightdb_0 AS users

-- nested JSON by path, named by its last part
SELECT payload.address.city.zip FROM users
=> SELECT json_extract_string(TRY_CAST(users.address AS "JSON"), '$."city"."zip"') AS zip FROM __flightdb_0 AS users

-- an alias that is given stays
SELECT payload.age AS years, payload.address.city town FROM users
=> SELECT users.age AS "years", json_extract_string(TRY_CAST(users.address AS "JSON"), '$."city"') AS town FROM __flightdb_0 AS users

-- in every clause
SELECT count(payload.name) FROM users WHERE payload.age > 1 GROUP BY payload.age HAVING max(payload.score) > 2 ORDER BY payload.age
=> SELECT count(users."name") FROM __flightdb_0 AS users WHERE (users.age > 1) GROUP BY users.age HAVING (max(users.score) > 2) ORDER BY users.age

-- inside functions, windows, CASE and stars
SELECT upper(payload.name), sum(payload.age) OVER (PARTITION BY payload.name), CASE WHEN payload.age > 1 THEN payload.name END, * REPLACE (payload.age + 1 AS age) FROM users
=> SELECT upper(users."name"), sum(users.age) OVER (PARTITION BY users."name"), CASE  WHEN ((users.age > 1)) THEN (users."name") ELSE NULL END, * REPLACE ((users.age + 1) AS age) FROM __flightdb_0 AS users

-- a real column named payload comes first
SELECT payload, payload.x FROM plain
=> SELECT payload, payload.x FROM __flightdb_0 AS plain

-- with a qualified name the record table's payload is still there
SELECT u.payload.age, p.payload FROM users u JOIN plain p ON u.age = p.a
=> SELECT u.age, p.payload FROM (__flightdb_0 AS u INNER JOIN __flightdb_1 AS p ON ((u.age = p.a)))

-- a relation named payload comes first
SELECT payload.age FROM users AS payload
=> SELECT payload.age FROM __flightdb_0 AS payload

-- the one record table that has the key
SELECT payload.kind FROM users, events
=> SELECT events.kind FROM __flightdb_0 AS users , __flightdb_1 AS events

-- from an inner query to the outer table
SELECT (SELECT max(a) FROM odd2 WHERE b = u.payload.age) FROM users u, (SELECT 1 AS a) x
!! NotFound

-- correlated
SELECT (SELECT max(e.payload.age) FROM events e WHERE e.age = u.payload.age) FROM users u
=> SELECT (SELECT max(e.age) FROM __flightdb_0 AS e WHERE (e.age = u.age)) FROM __flightdb_1 AS u

-- through a star in a subquery or CTE
WITH x AS (SELECT * FROM users) SELECT payload.age FROM x
=> WITH x AS (SELECT * FROM __flightdb_0 AS users) SELECT x.age FROM x

-- a column called payload that a subquery makes is itself
SELECT payload.x FROM (SELECT {'x': 1} AS payload) s
=> SELECT payload.x FROM (SELECT struct_pack(x := 1) AS payload) AS s

-- a lambda's parameter hides it
SELECT list_transform([1], lambda payload: payload + 1) FROM users
=> SELECT list_transform(list_value(1), (lambda payload: (payload + 1))) FROM __flightdb_0 AS users

-- the JSON arrow still works on a key
SELECT payload.address -> '$.city' FROM users
=> SELECT (users.address -> '$.city') FROM __flightdb_0 AS users

-- two record tables that both have it
SELECT payload.age FROM users, events
!! InvalidQuery

-- all of it, of two tables
SELECT payload FROM users, events
!! InvalidQuery
