// How fast events are parsed, next to memchr over the same bytes: the floor of anything that must
// look at every byte. "allocations" counts operator new per event; in steady state it is 0.
//   argument 1: bytes of one event on the wire; argument 2: bytes of one read
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "proto/sse_parser.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Not inlined: GCC would see malloc's memory meet operator delete and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace rt::sse;

struct Sink {
  std::size_t events = 0;
  std::size_t bytes = 0;
  void on_event(const EventView& event) {
    ++events;
    bytes += event.data.size() + event.id.size();
  }
  void on_comment(std::string_view) {}
  void on_retry(std::chrono::milliseconds) {}
};

// Events as our server sends them, each of exactly event_bytes, about 64 KiB in all: what a busy
// reader has in cache.
constexpr std::size_t kCachedBytes = 64u << 10;
constexpr std::size_t kUncachedBytes = 256u
                                       << 20;  // beyond any cache: what comes fresh from memory

std::string make_stream(std::size_t event_bytes, std::size_t total_bytes = kCachedBytes) {
  std::string stream;
  for (std::size_t n = 0; stream.size() < total_bytes; ++n) {
    char head[80];
    const int size =
        std::snprintf(head, sizeof head, "id: 000000014D7E3B28-%08zX\nevent: delta\ndata: ", n);
    const auto used = static_cast<std::size_t>(size);
    stream.append(head, used).append(event_bytes - used - 2, 'x').append("\n\n");
  }
  return stream;
}

void parse(benchmark::State& state, const ParserOptions& options,
           std::size_t total_bytes = kCachedBytes) {
  const std::string stream = make_stream(static_cast<std::size_t>(state.range(0)), total_bytes);
  const auto read_bytes = static_cast<std::size_t>(state.range(1));
  Parser parser(options);
  Sink sink;
  const auto pass = [&] {
    for (std::size_t at = 0; at < stream.size(); at += read_bytes) {
      parser.receive(std::string_view(stream).substr(at, read_bytes), sink);
    }
  };
  pass();  // grows the buffers
  sink.events = 0;
  allocations = 0;
  for (auto _ : state) pass();
  const std::size_t counted = allocations;
  benchmark::DoNotOptimize(sink.bytes);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(sink.events));
  state.counters["allocations"] = static_cast<double>(counted) / static_cast<double>(sink.events);
}

void BM_parse(benchmark::State& state) {
  parse(state, {});
}
void BM_parse_without_repair(benchmark::State& state) {
  parse(state, {.repair_utf8 = false});
}
void BM_parse_load_engine(benchmark::State& state) {
  parse(state, {.repair_utf8 = false, .keep_buffer = false});
}

void BM_parse_uncached(benchmark::State& state) {
  parse(state, {}, kUncachedBytes);
}

void search(benchmark::State& state, std::size_t total_bytes) {
  const std::string stream = make_stream(static_cast<std::size_t>(state.range(0)), total_bytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::memchr(stream.data(), '\x01', stream.size()));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}

// A byte that never comes: one call over all bytes.
void BM_memchr(benchmark::State& state) {
  search(state, kCachedBytes);
}
void BM_memchr_uncached(benchmark::State& state) {
  search(state, kUncachedBytes);
}

// One call for each line, as a parser built on memchr would make.
void BM_memchr_lines(benchmark::State& state) {
  const std::string stream = make_stream(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const char* at = stream.data();
    const char* const end = at + stream.size();
    while (at != end) {
      const void* const found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
      benchmark::DoNotOptimize(found);
      at = static_cast<const char*>(found) + 1;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}

BENCHMARK(BM_memchr)->Arg(200);
BENCHMARK(BM_memchr_uncached)->Arg(200);
BENCHMARK(BM_parse_uncached)->Args({200, 65'536});
BENCHMARK(BM_memchr_lines)->Arg(200)->Arg(2'000);
BENCHMARK(BM_parse)
    ->Args({200, 65'536})
    ->Args({200, 4'096})
    ->Args({200, 200})
    ->Args({2'000, 65'536});
BENCHMARK(BM_parse_without_repair)->Args({200, 65'536})->Args({200, 4'096})->Args({2'000, 65'536});
BENCHMARK(BM_parse_load_engine)->Args({200, 200})->Args({200, 4'096});

}  // namespace

BENCHMARK_MAIN();
