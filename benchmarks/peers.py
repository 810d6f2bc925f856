# Licensed under the Apache License, Version 2.0; see LICENSE.
"""FAISS and sqlite-vec on the same table, one thread; what isn't installed is left out.

A line each: name, tab, milliseconds (the median), tab, the least processor time of a round; and how many of the
ten nearest rows, by distances in double, each finds.
"""
import os
import sqlite3
import statistics
import sys
import time

TRIED = 20


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


def searched(name, index, queries, truth):
    report(name + ": one search", median(30, lambda i: index.search(queries[i : i + 1], 10)))
    report(name + ": each of 100 in a call", median(9, lambda i: index.search(queries, 10)), 100)
    recall(name, index.search(queries[:TRIED], 10)[1].tolist(), truth)


def faiss_indexes(numpy, data, queries, truth):
    try:
        import faiss
    except ImportError:
        print("no faiss for this Python")
        return
    faiss.omp_set_num_threads(1)
    name = f"FAISS {faiss.__version__}"
    dims = data.shape[1]
    contiguous = numpy.ascontiguousarray(data)
    index = faiss.IndexFlatL2(dims)
    index.add(contiguous)
    searched(name + " IndexFlatL2", index, queries, truth)
    if not hasattr(faiss, "IndexFlatL2Panorama"):
        print("no IndexFlatL2Panorama in this FAISS")
        return
    index = faiss.IndexFlatL2Panorama(dims, 8)
    index.add(contiguous)
    searched(name + " IndexFlatL2Panorama", index, queries, truth)
    # Its bound is on the rest of a vector, so it wants the first elements to carry the most.
    rotated = faiss.IndexPreTransform(faiss.PCAMatrix(dims, dims), faiss.IndexFlatL2Panorama(dims, 8))
    rotated.train(contiguous[:20000])
    rotated.add(contiguous)
    searched(name + " PCA and IndexFlatL2Panorama", rotated, queries, truth)


def sqlite_vec(rows, dims, queries, truth):
    extension = os.environ.get("SQLITE_VEC")
    if not extension:
        print("no sqlite-vec: SQLITE_VEC doesn't name vec0.so")
        return
    vec = sqlite3.connect(":memory:")
    if not hasattr(vec, "enable_load_extension"):
        print("no sqlite-vec: this Python's sqlite3 loads no extensions")
        return
    vec.enable_load_extension(True)
    vec.load_extension(extension)
    name = f"sqlite-vec {vec.execute('select vec_version()').fetchone()[0]}"
    vec.execute(f"create virtual table v using vec0(id integer primary key, e float[{dims}])")
    start = time.perf_counter()
    vec.executemany("insert into v values (?, ?)", rows)
    took = (time.perf_counter() - start) * 1000
    report(f"{name}: insert", (took, took))

    def search(i):
        sql = "select id from v where e match ? and k = 10"
        return [row[0] - rows[0][0] for row in vec.execute(sql, (queries[i].tobytes(),))]

    report(f"{name}: one search", median(15, search))
    recall(name, [search(i) for i in range(TRIED)], truth)


def main(path):
    import numpy

    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, embedding FROM embeddings ORDER BY id").fetchall()
    data = numpy.frombuffer(b"".join(r[1] for r in rows), dtype="<f4").reshape(len(rows), -1)
    queries = (0.7 * data[:100] + 0.3 * data[100:200]).astype("float32")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'queries'").fetchone():
        found = connection.execute("SELECT embedding FROM queries LIMIT 100").fetchall()
        queries = numpy.frombuffer(b"".join(r[0] for r in found), dtype="<f4").reshape(100, -1)
    report("numpy: read the floats once (sum)", median(9, lambda i: data.sum()))
    truth = exact(numpy, data, queries[:TRIED])
    faiss_indexes(numpy, data, queries, truth)
    sqlite_vec(rows, data.shape[1], queries, truth)


main(sys.argv[1])
