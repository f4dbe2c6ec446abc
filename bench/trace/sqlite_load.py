#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The load of sqlite.trace: a script for the sqlite3 shell, a fixed seed.

Tables with indexes are filled row by row within transactions, joined,
grouped, sorted, updated, searched and thinned out; VACUUM, and DROP in the
end. Prints the script.
"""
import random

PEOPLE = 260
ORDERS = 550
SEED = 20261129

TABLES = """\
PRAGMA journal_mode=MEMORY;
PRAGMA temp_store=MEMORY;
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, town TEXT, note TEXT);
CREATE TABLE orders(id INTEGER PRIMARY KEY, person INT, day INT, price REAL);
CREATE INDEX orders_person ON orders(person, day);
CREATE INDEX person_town ON person(town);
CREATE VIEW spent AS SELECT person, sum(price) AS total FROM orders
 GROUP BY person;
"""

QUESTIONS = """\
SELECT town, count(*), sum(price) FROM person JOIN orders
 ON person.id = orders.person WHERE day < {n} GROUP BY town ORDER BY 3;
SELECT name, total FROM person JOIN spent ON person.id = spent.person
 ORDER BY total DESC LIMIT {few};
SELECT group_concat(name, ', ') FROM person WHERE note LIKE '%{few}%';
SELECT a.name, b.name FROM person a, person b
 WHERE a.town = b.town AND a.id < b.id AND a.id % 50 = {few} % 50;
WITH RECURSIVE day(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM day
 WHERE n < {few}) SELECT n, (SELECT max(price) FROM orders WHERE day = n)
 FROM day;
SELECT upper(substr(name, 1, 3)) || printf('%06d', id), length(note)
 FROM person ORDER BY note LIMIT {few};
"""


def rows(rnd):
    """The tables' contents, some of them changed at once."""
    for i in range(PEOPLE):
        note = "".join(rnd.choices("abcdefgh 0123456789",
                                   k=int(rnd.lognormvariate(4, 1))))
        yield (f"INSERT INTO person VALUES({i}, 'name{rnd.random()}', "
               f"'town{rnd.randrange(30)}', '{note}');")
    for i in range(ORDERS):
        yield (f"INSERT INTO orders VALUES({i}, {rnd.randrange(PEOPLE)}, "
               f"{rnd.randrange(365)}, {rnd.random() * 100});")
        if i % 5 == 0:
            yield (f"UPDATE person SET town = 'town{rnd.randrange(30)}' "
                   f"WHERE id = {rnd.randrange(PEOPLE)};")
        if i % 7 == 0:
            yield f"DELETE FROM orders WHERE id = {rnd.randrange(ORDERS)};"


def main():
    """Prints the script."""
    rnd = random.Random(SEED)
    print(TABLES)
    for number, row in enumerate(rows(rnd)):
        if number % 100 == 0:
            print("BEGIN;" if number == 0 else "COMMIT; BEGIN;")
        print(row)
    print("COMMIT;")
    for _ in range(30):
        print(QUESTIONS.format(n=rnd.randrange(365), few=rnd.randrange(40)))
    print("DELETE FROM person WHERE id % 3 = 0; VACUUM;")
    print(QUESTIONS.format(n=200, few=20))
    print("DROP VIEW spent; DROP TABLE orders; DROP TABLE person; VACUUM;")


if __name__ == "__main__":
    main()
