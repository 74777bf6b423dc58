// What a run costs: time to store it, and memory beyond its row's own bytes (the target is 200).
#include <benchmark/benchmark.h>

#include "server/run_memory.h"

namespace {

void BM_store_runs(benchmark::State& state) {
  const auto runs = static_cast<std::size_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    rt::test::RunMemory memory(1);
    memory.add(runs);
    bytes = memory.bytes_per_run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_run"] = bytes;
}

BENCHMARK(BM_store_runs)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
