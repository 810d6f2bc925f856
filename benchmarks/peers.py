# Licensed under the Apache License, Version 2.0; see LICENSE.
"""FAISS and sqlite-vec on the same table, one thread.

A line each: name, tab, milliseconds (the median), tab, the least processor time of a round; and how many of the
ten nearest rows, by distances in double, each finds.
"""
import os
import sqlite3
import statistics
import sys
import time


def median(rounds, step):
    times, busy = [], []
    for i in range(rounds):
        start, began = time.perf_counter(), time.process_time()
        step(i)
        busy.append((time.process_time() - began) * 1000)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), min(busy)


def report(name, millis, parts=1):
    print(f"{name}\t{millis[0] / parts:.2f}\t{millis[1] / parts:.2f}", flush=True)


def recall(name, found, truth):
    hits = sum(len(set(f) & set(t)) for f, t in zip(found, truth))
    print(f"{name}: recall of {len(truth[0])}\t{hits / sum(len(t) for t in truth):.4f}", flush=True)


def exact(numpy, data, queries):
    nearest = []
    for query in queries.astype("float64"):
        squares = numpy.zeros(len(data))
        for start in range(0, len(data), 10000):
            part = data[start : start + 10000].astype("float64") - query
            squares[start : start + 10000] = numpy.einsum("ij,ij->i", part, part)
        nearest.append(numpy.lexsort((numpy.arange(len(data)), squares))[:10].tolist())
    return nearest


def main(path):
    import numpy

    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, embedding FROM embeddings ORDER BY id").fetchall()
    data = numpy.frombuffer(b"".join(r[1] for r in rows), dtype="<f4").reshape(len(rows), -1)
    queries = (0.7 * data[:100] + 0.3 * data[100:200]).astype("float32")
    report("numpy: read the floats once (sum)", median(9, lambda i: data.sum()))
    try:
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.IndexFlatL2(data.shape[1])
        index.add(numpy.ascontiguousarray(data))
        name = f"FAISS {faiss.__version__} IndexFlatL2"
        report(name + ": one search", median(30, lambda i: index.search(queries[i : i + 1], 10)))
        report(name + ": each of 100 in a call", median(9, lambda i: index.search(queries, 10)), 100)
        truth = exact(numpy, data, queries[:20])
        recall(name, index.search(queries[:20], 10)[1].tolist(), truth)
    except ImportError:
        print("no faiss for this Python")
    extension = os.environ.get("SQLITE_VEC")
    if extension:
        vec = sqlite3.connect(":memory:")
        vec.enable_load_extension(True)
        vec.load_extension(extension)
        version = vec.execute("select vec_version()").fetchone()[0]
        vec.execute(f"create virtual table v using vec0(id integer primary key, e float[{data.shape[1]}])")
        start = time.perf_counter()
        vec.executemany("insert into v values (?, ?)", rows)
        took = (time.perf_counter() - start) * 1000
        report(f"sqlite-vec {version}: insert", (took, took))
        search = "select id from v where e match ? and k = 10"
        report(
            f"sqlite-vec {version}: one search",
            median(15, lambda i: vec.execute(search, (queries[i].tobytes(),)).fetchall()),
        )
    else:
        print("no sqlite-vec: SQLITE_VEC doesn't name vec0.so")


main(sys.argv[1])
