"""What is offered where: a table of texts with the cursor as `|`.

`text => a, b` means that a and b are offered first, in this order; `!! c` that c is not offered; `=> -` that nothing is.
`\\n` is a line break.
"""

from __future__ import annotations

import pytest

from completion.schemas import INDEXES
from tusk_magics.completion.candidates import candidates
from tusk_magics.completion.context import context_at

CASES = {
    "postgresql": r"""
# statements
| => SELECT, WITH, INSERT INTO, UPDATE, DELETE FROM
SEL| => SELECT
sel| => select !! SELECT
INSERT | => INTO !! TABLE
DELETE | => FROM
DROP | => TABLE, VIEW
CREATE | => TABLE, VIEW, INDEX
EXPLAIN | => SELECT, WITH
EXPLAIN ANALYZE SELECT | FROM orders => id, customer_id
-- a note\nSEL| => SELECT

# tables
SELECT * FROM | => big_orders, città, customers, "Mixed Case", "order", order_items, orders, returns, audit !! event_id
SELECT * FROM cus| => customers, audit.customers !! orders
SELECT * FROM CUS| => customers
SELECT * FROM eve| => audit.events
SELECT * FROM items| => order_items
SELECT * FROM oitm| => order_items
SELECT * FROM orders, | => big_orders, città, customers
SELECT * FROM orders o JOIN | => customers, big_orders !! SELECT o
SELECT * FROM orders o LEFT JOIN cu| => customers
SELECT * FROM returns r JOIN | => order_items
SELECT * FROM ONLY | => big_orders
SELECT * FROM audit.| => customers, events !! orders
SELECT * FROM audit.ev| => events
SELECT * FROM public.ord| => "order", order_items, orders
SELECT * FROM nowhere.| => -
SELECT * FROM "| => "big_orders", "città", "customers", "Mixed Case"
SELECT * FROM "Mi| => "Mixed Case"
SELECT * FROM mi| => "Mixed Case"
SELECT * FROM "Mi|" => "Mixed Case
SELECT * FROM (| => SELECT, WITH !! WHERE
SELECT * FROM (SELECT * FROM | => big_orders
DROP TABLE | => big_orders, città, customers
DROP TABLE orders, | => big_orders
TRUNCATE | => big_orders
TABLE | => big_orders
INSERT INTO | => big_orders, città, customers
INSERT INTO audit.| => customers, events
UPDATE | => big_orders, città, customers
DELETE FROM | => big_orders, città
COPY | => big_orders
CREATE TABLE | => -
CREATE TABLE t (a INT REFERENCES | => big_orders
CREATE INDEX i ON | => big_orders
LOCK TABLE | => big_orders

# columns
SELECT | FROM orders => id, customer_id, total, placed_at !! sku, name
SELECT t| FROM orders => total !! name
SELECT to| FROM orders => total
SELECT TO| FROM orders => total
SELECT item, pl| FROM orders => placed_at
SELECT at| FROM orders => placed_at
SELECT custid| FROM orders => customer_id
SELECT o.| FROM orders o => id, customer_id, total, placed_at !! o, SELECT
SELECT o.pl| FROM orders AS o => placed_at
SELECT O.| FROM orders o => id
SELECT orders.| FROM orders => id, customer_id
SELECT orders.| FROM orders o => id, customer_id
SELECT public.orders.| FROM public.orders => id, customer_id
SELECT audit.customers.| FROM customers => legacy_id !! email
SELECT x.| FROM orders o => -
SELECT id| FROM orders o JOIN customers c ON true => o.id, c.id, id
SELECT n| FROM orders o JOIN customers c ON true => name
SELECT | FROM customers c, orders o => c.id, name
SELECT * FROM orders WHERE | => id, customer_id, total, placed_at !! sku, SELECT
SELECT * FROM orders WHERE total > 5 AND | => id, customer_id, total
SELECT * FROM orders WHERE total BETWEEN 1 AND | => id, customer_id
SELECT * FROM orders WHERE id IN (| => id, customer_id !! sku
SELECT total| => total
SELECT quant| => quantity
SELECT count(| FROM orders => id, customer_id
SELECT count(DISTINCT | FROM orders => id, customer_id
SELECT coalesce(total, | FROM orders => id
SELECT round(sum(| FROM orders => id
SELECT extract(year FROM |) FROM orders => id, customer_id
SELECT CASE WHEN | THEN 1 END FROM orders => id
SELECT CASE WHEN total > 1 | FROM orders => WHEN, THEN, ELSE, END
SELECT sum(total) OVER (PARTITION BY |) FROM orders => id
SELECT sum(total) OVER (|) FROM orders => PARTITION BY, ORDER BY
SELECT count(*) FILTER (|) FROM orders => WHERE
SELECT count(*) FILTER (WHERE |) FROM orders => id
SELECT * FROM orders ORDER BY | => id, customer_id
SELECT total AS betrag FROM orders ORDER BY | => betrag, id
SELECT total betrag FROM orders ORDER BY be| => betrag
SELECT city, count(*) AS n FROM customers GROUP BY | => id, name, email, city, n
SELECT * FROM orders LIMIT | => ALL !! id
SELECT DISTINCT | FROM orders => id
SELECT DISTINCT ON (|) id FROM orders => id
SELECT DISTINCT ON (id) | FROM orders => id
SELECT total AS | FROM orders => -
SELECT * FROM orders AS | => -

# what follows
SELECT * | FROM orders => FROM
SELECT * fr| => from
SELECT id | => FROM, AS
SELECT * FROM orders | => WHERE, JOIN !! id, SELECT DISTINCT
SELECT * FROM orders o | => WHERE, JOIN
SELECT * FROM orders o wh| => where
SELECT * FROM orders o JOIN customers c | => ON, USING
SELECT * FROM orders LEFT | => JOIN, OUTER JOIN
SELECT * FROM orders WHERE total > 1 | => AND, OR !! total
SELECT * FROM orders WHERE total > 1 an| => and
SELECT * FROM orders WHERE total IS | => NULL, NOT NULL !! id
SELECT * FROM orders GROUP | => BY
SELECT * FROM orders ORDER BY total | => ASC, DESC
INSERT INTO orders (id) | => VALUES, SELECT
UPDATE orders | => SET
INSERT INTO orders (id) VALUES (1) | => ON CONFLICT, RETURNING
SELECT count(*)| FROM orders => -
SELECT 'x'| FROM orders => -

# joins
SELECT * FROM customers c JOIN orders o ON | => c.id = o.customer_id, c.id, name
SELECT * FROM orders o JOIN customers c ON | => o.customer_id = c.id
SELECT * FROM orders JOIN customers ON | => orders.customer_id = customers.id
SELECT * FROM returns r JOIN order_items i ON | => r.order_id = i.order_id AND r.line = i.line
SELECT * FROM returns r JOIN order_items i ON r.line = i.line AND | => id, r.order_id, r.line !! r.line = i.line
SELECT * FROM returns r JOIN order_items i ON r.| => id, order_id, line, reason
SELECT * FROM order_items JOIN returns USING (| => order_id, line !! sku, reason
SELECT * FROM order_items JOIN returns USING (order_id, | => line !! order_id
SELECT * FROM customers c JOIN orders o ON c.id = o.customer_id JOIN returns r ON | => o.id = r.order_id
SELECT * FROM orders o JOIN (customers c JOIN | => orders

# CTEs and subqueries
WITH | => RECURSIVE
WITH x | => AS
WITH x AS (| => SELECT, WITH, VALUES
WITH x AS (SELECT 1) | => SELECT, INSERT INTO
WITH r AS (SELECT id, total AS t FROM orders) SELECT | FROM r => id, t, r !! total
WITH r AS (SELECT id FROM orders) SELECT * FROM r| => r, returns
WITH r AS (SELECT | FROM orders) SELECT * FROM r => id, customer_id
WITH a AS (SELECT id AS k FROM orders), b AS (SELECT | FROM a) SELECT 1 => k !! id
WITH a AS (SELECT 1 AS k), b AS (SELECT * FROM a) SELECT b.| FROM b => k
WITH a AS (SELECT 1 AS k), b AS (SELECT * FROM |) SELECT 1 => a, big_orders !! b
WITH r(x, y) AS (SELECT id, total FROM orders) SELECT | FROM r => x, y !! id
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT | FROM t) SELECT n FROM t => n
WITH RECURSIVE t AS (SELECT id AS n FROM orders UNION ALL SELECT n + 1 FROM | => t
WITH a AS (WITH inner_one AS (SELECT id AS deep FROM orders) SELECT | FROM inner_one) SELECT 1 => deep
WITH a AS (WITH inner_one AS (SELECT 1) SELECT 1) SELECT * FROM in| => !! inner_one
WITH gone AS (DELETE FROM orders RETURNING id, total) SELECT | FROM gone => id, total !! placed_at
SELECT s.| FROM (SELECT id AS k, total FROM orders) s => k, total !! placed_at
SELECT | FROM (SELECT id AS k FROM orders) AS s => k, s !! total
SELECT * FROM (SELECT | FROM orders) s => id, customer_id
SELECT s.| FROM (SELECT * FROM orders) s => id, customer_id, total, placed_at
SELECT s.| FROM (SELECT o.*, 1 AS one FROM orders o, customers c) s => id, customer_id, total, placed_at, one !! email
SELECT * FROM (VALUES (1, 2)) AS v(x, y) WHERE v.| => x, y
SELECT * FROM generate_series(1, 2) AS g(i) WHERE | => i, g
SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.|) => id, name, email, city
SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE em|) => email
SELECT * FROM customers c WHERE id IN (SELECT | FROM orders) => id, customer_id, total !! SELECT
SELECT (SELECT | FROM returns) FROM orders => id, order_id, line, reason
SELECT * FROM customers, (SELECT ema| FROM orders) x => !! email
SELECT * FROM customers, LATERAL (SELECT ema| FROM orders) x => email
SELECT id FROM customers UNION SELECT | FROM orders => id, customer_id !! email
SELECT | FROM customers UNION SELECT id FROM orders => id, name !! total
SELECT id FROM customers EXCEPT SELECT cus| FROM orders => customer_id
(SELECT id FROM customers) UNION (SELECT | FROM orders) => id, customer_id !! email

# writing
INSERT INTO orders (| => id, customer_id, total, placed_at !! sku
INSERT INTO orders (id, | => customer_id, total, placed_at !! id
INSERT INTO orders (id, to|) VALUES (1, 2) => total
INSERT INTO orders (id) VALUES (| => DEFAULT !! id
INSERT INTO orders SELECT | FROM customers => id, name, email !! total
INSERT INTO orders (id) VALUES (1) ON CONFLICT (| => id, customer_id
INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) | => DO NOTHING, DO UPDATE SET
INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET | => id, customer_id
INSERT INTO orders (id) VALUES (1) RETURNING | => id, customer_id
UPDATE orders SET | => id, customer_id, total !! email
UPDATE orders SET total = | => id, customer_id
UPDATE orders SET total = 1, | => id, customer_id, placed_at !! total
UPDATE orders o SET total = c.| FROM customers c => id, name
UPDATE orders SET total = 1 WHERE | => id, customer_id
DELETE FROM orders WHERE | => id, customer_id
DELETE FROM orders USING customers c WHERE c.| => id, name
MERGE INTO orders o USING customers c ON | => o.customer_id = c.id
MERGE INTO orders o USING customers c ON o.customer_id = c.id WHEN MATCHED THEN UPDATE SET | => id, customer_id
ALTER TABLE orders | => ADD COLUMN, DROP COLUMN
ALTER TABLE orders DROP COLUMN | => id, customer_id
CREATE INDEX i ON orders (| => id, customer_id
CREATE TABLE t (a INT REFERENCES orders (| => id, customer_id
CREATE TABLE t (a | => INTEGER, BIGINT
CREATE TABLE t AS | => SELECT
CREATE VIEW v AS SELECT | FROM orders => id
COPY orders (| => id, customer_id

# quotes, case, reserved words, Unicode
SELECT | FROM "Mixed Case" => "Order No", "select", größe, "a""b", plain
SELECT "| FROM "Mixed Case" => "Order No", "select", "größe", "a""b", "plain"
SELECT "Or| FROM "Mixed Case" => "Order No"
SELECT grö| FROM "Mixed Case" => größe
SELECT m."a| FROM "Mixed Case" m => "a""b"
SELECT | FROM "order" => "group", "Total", "when"
SELECT "Mixed Case".| FROM "Mixed Case" => "Order No"
SELECT città.| FROM città => nome, abitanti
SELECT | FROM Orders => id, customer_id
SELECT T.| FROM (SELECT id AS Big, total AS "Big One" FROM orders) T => big, "Big One"

# nothing in comments, literals and numbers
SELECT 'o| FROM orders => -
SELECT 'it''s o| FROM orders => -
SELECT E'it\'s o| FROM orders => -
SELECT $$o| FROM orders => -
SELECT $tag$o|$tag$ FROM orders => -
SELECT 1 -- o| => -
SELECT /* o| */ id FROM orders => -
SELECT /* a /* nested */ o| */ id FROM orders => -
SELECT 12| FROM orders => -
SELECT 'a', | FROM orders => id
SELECT /* a */ | FROM orders => id
SELECT 1 -- a; b\n, | FROM orders => id

# several statements
SELECT 1; SELECT | FROM customers; SELECT 2 => id, name
SELECT * FROM orders;\nSELECT | => !! total, id
SELECT ';' FROM orders; SELECT name FROM customers WHERE | => id, name !! total
SELECT * FROM orders; | => SELECT
SELECT to|; SELECT * FROM customers => total

# casts, parameters, functions
SELECT id::| FROM orders => INTEGER, BIGINT !! id
SELECT id::te| FROM orders => text
SELECT id::text | FROM orders => FROM
SELECT CAST(id AS |) FROM orders => INTEGER
SELECT CAST(| AS text) FROM orders => id
SELECT * FROM orders WHERE id = :| => month, year !! id
SELECT * FROM orders WHERE id = :ye| => year !! month
SELECT ARRAY[1,2][1:mo| => !! month
SELECT co| FROM customers => coalesce, count
SELECT COU| FROM customers => COUNT !! count
SELECT cou|(*) FROM customers => count
SELECT low|er(name) FROM customers => lower

# unfinished
SELECT id, | => !! FROM id
SELECT o. | FROM orders o => -
SELECT * FROM orders o WHERE o.total > (SELECT avg(| FROM order_items) => order_id, line, sku, quantity, id
SELECT ) | FROM orders => id
SELECT ((| FROM orders => id
""",
    "duckdb": r"""
| => SELECT, WITH
FROM | => big_orders, città, customers, "Mixed Case", "order", order_items, orders, returns
FROM orders SELECT | => id, customer_id
FROM orders | => WHERE, JOIN
FROM (FROM orders) x SELECT x.| => id, customer_id
SUMMARIZE | => big_orders
DESCRIBE | => big_orders
SELECT * FROM lake.| => main
SELECT * FROM lake.main.| => big_orders !! events
SELECT * FROM other.main.| => customers, events
SELECT * FROM ev| => other.main.events
SELECT other.main.events.| FROM other.main.events => event_id
SELECT * EXCLUDE (| FROM orders => id, customer_id
SELECT s.| FROM (SELECT * EXCLUDE (id) FROM orders) s => customer_id, total, placed_at !! id
SELECT | FROM "order" => "group", Total, "when"
SELECT x.| FROM orders ASOF JOIN customers x ON true => id, name
SELECT id::| FROM orders => INTEGER
SELECT total AS Big FROM orders ORDER BY | => Big
SELECT $x$ o| FROM orders => -
USE | => main, lake, other
SELECT {'a': to|} FROM orders => total
SELECT * FROM orders QUALIFY | => id, customer_id
""",
    "mysql": r"""
SELECT | FROM `order` => `group`, Total, `when`
SELECT `| FROM `Mixed Case` => `Order No`, `select`
SELECT `Or|` FROM `Mixed Case` => `Order No
SELECT | FROM `Mixed Case` => `Order No`, `select`, größe, `a"b`, plain
SELECT "o| FROM orders => -
SELECT 1 # o| => -
SELECT 5--3, | FROM orders => id
UPDATE orders o, customers c SET | => o.id, customer_id
UPDATE orders o JOIN customers c ON o.customer_id = c.id SET o.| => id, customer_id
INSERT INTO orders (id) VALUES (1) ON DUPLICATE KEY UPDATE | => id, customer_id
REPLACE INTO orders (| => id, customer_id
SELECT * FROM audit.| => customers, events
SELECT * FROM orders STRAIGHT_JOIN | => customers
SELECT * FROM orders o JOIN customers c ON | => o.customer_id = c.id
DESCRIBE | => big_orders
SHOW | => TABLES
SELECT @o| => -
SELECT 'it\'s o| => -
TRUNCATE TABLE | => big_orders
""",
    "sqlite": r"""
SELECT [| FROM [Mixed Case] => [Order No], [select], [größe]
SELECT "| FROM "Mixed Case" => "Order No"
SELECT `Or| FROM "Mixed Case" => `Order No`
SELECT * FROM [Mi| => [Mixed Case]
SELECT | FROM "order" => "group", Total, "when"
SELECT * FROM aux.| => customers, events
INSERT INTO orders (id) VALUES (1) ON CONFLICT (| => id
SELECT 'o| FROM orders => -
SELECT ORDERS.| FROM orders => id
CREATE TRIGGER t AFTER INSERT ON orders BEGIN UPDATE customers SET | => id, name, email, city !! total
SELECT * FROM orders WHERE id = :mo| => month
""",
}


def table() -> list[tuple[str, str, str]]:
    return [
        (dialect, *line.split(" => ", 1))
        for dialect, text in CASES.items()
        for line in text.strip().splitlines()
        if line and not line.startswith("# ")
    ]


def offered(dialect: str, text: str) -> list[str]:
    text = text.replace(r"\n", "\n")
    cursor = text.index("|")
    sql = text[:cursor] + text[cursor + 1 :]
    context = context_at(sql, cursor, dialect)
    if context is None:
        return []
    return [item.text for item in candidates(context, INDEXES[dialect], dialect, parameters=["month", "year"])]


@pytest.mark.parametrize(("dialect", "text", "expected"), table())
def test_what_is_offered(dialect, text, expected):
    first, _, absent = expected.partition("!!")
    found = offered(dialect, text)
    if first.strip() == "-":
        assert found == []
        return
    wanted = [word.strip() for word in first.split(", ") if word.strip()]
    assert found[: len(wanted)] == wanted
    assert not {word.strip() for word in absent.split(", ")} & set(found)


def test_the_table_is_as_long_as_was_asked():
    assert len(table()) >= 120
    assert set(INDEXES) == {dialect for dialect, _, _ in table()}
