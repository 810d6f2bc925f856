// Licensed under the Apache License, Version 2.0; see LICENSE.
//
// FAISS's IndexFlatL2 on a file of float32 rows: a line each, name, tab, milliseconds (median).
//   faiss_flat ROWS.f32 DIMS [THREADS]
// For a FAISS built with AVX2 (cmake -DFAISS_OPT_LEVEL=avx2 …, target faiss_avx2):
//   g++ -O3 -march=native -fopenmp -I FAISS benchmarks/faiss_flat.cpp -o faiss_flat
//       FAISS/build/faiss/libfaiss_avx2.a -lopenblas
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" void openblas_set_num_threads(int);

template <class Step>
static double median(int rounds, Step step) {
  std::vector<double> millis;
  for (int i = 0; i < rounds; i++) {
    auto start = std::chrono::steady_clock::now();
    step(i);
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    millis.push_back(took.count());
  }
  std::sort(millis.begin(), millis.end());
  return millis[rounds / 2];
}

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: faiss_flat ROWS.f32 DIMS [THREADS]\n");
    return 2;
  }
  const int dims = std::atoi(arguments[2]);
  const int threads = count > 3 ? std::atoi(arguments[3]) : 1;
  const int queries = 100, k = 10;
  omp_set_num_threads(threads);
  openblas_set_num_threads(threads);
  FILE* file = std::fopen(arguments[1], "rb");
  if (!file) {
    std::perror(arguments[1]);
    return 1;
  }
  std::fseek(file, 0, SEEK_END);
  const long rows = std::ftell(file) / (4L * dims);
  std::rewind(file);
  std::vector<float> data(rows * dims);
  if (rows < 2 * queries || std::fread(data.data(), 4, data.size(), file) != data.size()) {
    std::fprintf(stderr, "too few rows in %s\n", arguments[1]);
    return 1;
  }
  std::fclose(file);
  faiss::IndexFlatL2 index(dims);
  index.add(rows, data.data());
  std::vector<float> query(queries * dims);
  for (int i = 0; i < queries * dims; i++) {
    query[i] = 0.7f * data[i] + 0.3f * data[i + queries * dims];
  }
  std::vector<float> distances(queries * k);
  std::vector<faiss::idx_t> ids(queries * k);
  const int rounds = rows > 200000 ? 15 : 40;
  double one = median(rounds, [&](int i) {
    index.search(1, &query[i % queries * dims], k, distances.data(), ids.data());
  });
  double many = median(7, [&](int) {
    index.search(queries, query.data(), k, distances.data(), ids.data());
  });
  std::printf("FAISS %d.%d.%d IndexFlatL2, %d thread(s): one search\t%.2f\n", FAISS_VERSION_MAJOR,
              FAISS_VERSION_MINOR, FAISS_VERSION_PATCH, threads, one);
  std::printf("FAISS %d.%d.%d IndexFlatL2, %d thread(s): each of %d in a call\t%.2f\n",
              FAISS_VERSION_MAJOR, FAISS_VERSION_MINOR, FAISS_VERSION_PATCH, threads, queries,
              many / queries);
}
