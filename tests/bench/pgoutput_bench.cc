// Nanoseconds to decode one row message and walk every column, for the run table's 11 columns.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "proto/pg_json.h"
#include "proto/pg_types.h"
#include "proto/pgoutput_writer.h"

namespace {

using namespace rt::pgoutput;

std::array<Value, 11> sample_row() {
  const auto text = [](std::string_view bytes) { return Value{ValueKind::text, bytes}; };
  return {text("run_cm9xk2v4p0001"),
          text("EXECUTING"),
          text("proj_7fj3k2"),
          text("env_prod_01"),
          text("send-email"),
          text("{billing,\"user 42\"}"),
          text("{\"step\": 3, \"of\": 10, \"note\": \"sending\"}"),
          Value{},
          text("2025-06-01 12:34:56.789012+00"),
          text("1.10"),
          text("t")};
}

std::size_t walk(TupleView row) {
  std::size_t sum = 0;
  for (const Value value : row) {
    benchmark::DoNotOptimize(value.bytes.data());
    sum += value.bytes.size();
  }
  return sum;
}

void decode_insert(benchmark::State& state) {
  std::string body;
  append_insert(body, 16'384, sample_row());
  for (auto _ : state) {
    const DecodeResult result = decode(body);
    benchmark::DoNotOptimize(walk(std::get_if<Insert>(&result.message)->row));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(decode_insert);

void decode_full_update(benchmark::State& state) {
  std::string body;
  append_update(body, 16'384, OldRow::full, sample_row(), sample_row());
  for (auto _ : state) {
    const DecodeResult result = decode(body);
    const Update* update = std::get_if<Update>(&result.message);
    benchmark::DoNotOptimize(walk(update->old_row) + walk(update->row));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(decode_full_update);

void write_insert(benchmark::State& state) {
  const auto row = sample_row();
  std::string body;
  for (auto _ : state) {
    body.clear();
    append_insert(body, 16'384, row);
    benchmark::DoNotOptimize(body.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_insert);

void json_of_row(benchmark::State& state) {
  namespace type = rt::pg_type;
  constexpr std::uint32_t kTextArray = type::oid_of("_text");
  constexpr std::array<std::uint32_t, 11> kTypes = {
      type::kText,  type::kText, type::kText,        type::kText,    type::kText, kTextArray,
      type::kJsonb, type::kText, type::kTimestamptz, type::kNumeric, type::kBool};
  const auto row = sample_row();
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (std::size_t i = 0; i < row.size(); ++i)
      rt::append_json_value(out, kTypes[i], row[i].bytes);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(json_of_row);

}  // namespace
