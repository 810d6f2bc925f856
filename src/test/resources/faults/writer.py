# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A writer that does to a database what programs do: commits, replaces, locks, vacuums, alters, cuts.

Says "B<n>" before it begins version n and "C<n>" when it is committed, as the class Writer does, and
"D<what>" when it has done something. Ends when its input ends.
"""

import os
import random
import sqlite3
import struct
import sys
import threading
import time

path = sys.argv[1]
rnd = random.Random(int(sys.argv[2]))
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
COLUMNS = "id INTEGER PRIMARY KEY, v INTEGER, embedding BLOB, filler TEXT"


def say(what):
    print(what, flush=True)


def connect(file):
    return sqlite3.connect(file, timeout=20, isolation_level=None)


def fill(db, version):
    db.execute("DELETE FROM docs")
    rows = [
        (i, version, struct.pack("<2f", version, i), "version %d" % version + " " * 500)
        for i in range(1, 40 + version % 7 + 1)
    ]
    db.executemany("INSERT INTO docs (id, v, embedding, filler) VALUES (?, ?, ?, ?)", rows)


def commit(version, alter=None):
    db = connect(path)
    db.execute("BEGIN IMMEDIATE")
    if alter:
        alter(db)
    fill(db, version)
    db.execute("COMMIT")
    db.close()


def replace(version):
    other = path + ".new"
    db = connect(other)
    db.execute("PRAGMA page_size = %d" % rnd.choice([1024, 4096, 8192]))
    db.execute("CREATE TABLE docs (%s)" % COLUMNS)
    db.execute("BEGIN")
    fill(db, version)
    db.execute("COMMIT")
    db.close()
    put(other)


def put(other):
    os.rename(other, path)
    for beside in ("-wal", "-shm", "-journal"):
        if os.path.exists(path + beside):
            os.remove(path + beside)


def recreate(db):
    types = rnd.choice(
        [
            COLUMNS,
            "filler, embedding, v INT, id INTEGER NOT NULL",
            "id INTEGER PRIMARY KEY, extra REAL DEFAULT 1.5, v BIGINT, filler, embedding BLOB",
        ]
    )
    db.execute("DROP TABLE docs")
    db.execute("CREATE TABLE docs (%s)" % types)


def with_column(db):
    names = [row[1] for row in db.execute("PRAGMA table_info(docs)")]
    if "extra" in names:
        db.execute("ALTER TABLE docs DROP COLUMN extra")
    else:
        db.execute("ALTER TABLE docs ADD COLUMN extra TEXT DEFAULT 'x'")


def vacuum(version):
    commit(version)
    db = connect(path)
    db.execute("VACUUM")
    db.close()


def journal_mode(version):
    commit(version)
    db = connect(path)
    db.execute("PRAGMA journal_mode = " + rnd.choice(["WAL", "DELETE", "TRUNCATE", "PERSIST"]))
    db.close()


def locked(version):
    db = connect(path)
    db.execute("BEGIN EXCLUSIVE")
    fill(db, version)
    time.sleep(0.1 * rnd.random())
    db.execute("COMMIT")
    db.close()


def rolled_back(version):
    db = connect(path)
    db.execute("PRAGMA cache_size = 3")
    db.execute("BEGIN IMMEDIATE")
    fill(db, version)
    db.execute("ROLLBACK")
    db.close()
    commit(version)


def renamed(version):
    db = connect(path)
    db.execute("ALTER TABLE docs RENAME TO elsewhere")
    time.sleep(0.02)
    db.execute("ALTER TABLE elsewhere RENAME TO docs")
    db.close()
    commit(version)


def truncated(version):
    # A part of a copy comes in the place. Cutting the file itself passes by SQLite's locks: what
    # is read of it at that moment nobody can say.
    with open(path, "rb") as file:
        content = file.read()
    with open(path + ".new", "wb") as file:
        file.write(content[: rnd.randrange(0, len(content))])
    put(path + ".new")
    time.sleep(0.02)
    replace(version)


def deleted(version):
    os.remove(path)
    time.sleep(0.02)
    replace(version)


WAYS = [
    commit,
    commit,
    replace,
    vacuum,
    journal_mode,
    locked,
    rolled_back,
    renamed,
    truncated,
    deleted,
    lambda version: commit(version, recreate),
    lambda version: commit(version, with_column),
]
version = 1
while not over.is_set():
    way = rnd.choice(WAYS)
    version += 1
    say("B%d" % version)
    try:
        way(version)
        say("C%d" % version)
        say("D" + way.__name__)
    except sqlite3.OperationalError as e:
        # A reader held it for too long, or SQLite was in the middle of something: try another.
        say("D" + way.__name__ + " failed: " + str(e))
    time.sleep(0.02 * rnd.random())
say("E")
