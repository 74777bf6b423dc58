// Recording and reading, without a database: rows a second and bytes on the disk.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/random.h"
#include "rtreplay/output.h"
#include "rtreplay/record_printer.h"

namespace {

using namespace rt;
using namespace rt::archive;

template <typename T>
void put(std::string& out, T value) {
  for (int shift = (static_cast<int>(sizeof value) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

// An insert of about 160 bytes: bigint, int, text, numeric, timestamptz, jsonb.
std::string row(Random& random, std::uint64_t number) {
  std::string out = "I";
  put(out, std::uint32_t{16'384});
  out += 'N';
  put(out, std::uint16_t{6});
  const auto text = [&](const std::string& value) {
    out += 't';
    put(out, static_cast<std::uint32_t>(value.size()));
    out += value;
  };
  text(std::to_string(number));
  text(std::to_string(random.below(100'000)));
  std::string words;
  while (words.size() < 40) words += static_cast<char>('a' + random.below(26));
  text(words);
  text(std::to_string(random.below(1'000'000)) + ".25");
  text("2026-03-29 00:30:00." + std::to_string(100'000 + random.below(900'000)) + "+00");
  text(R"({"state": "running", "attempt": )" + std::to_string(random.below(9)) + "}");
  return out;
}

std::uint64_t write_rows(Writer& writer, std::uint64_t transactions, std::uint64_t rows_each) {
  const SystemClock clock;
  Random random(7);
  std::vector<std::string> rows;
  for (std::uint64_t i = 0; i < 4096; ++i) rows.push_back(row(random, i));
  std::uint64_t lsn = 0x1000;
  std::string begin(21, '\0');
  std::string commit(26, '\0');
  begin[0] = 'B';
  commit[0] = 'C';
  const auto big_endian = [](std::string& out, std::size_t at, std::uint64_t value) {
    std::string bytes;
    put(bytes, value);
    out.replace(at, 8, bytes);
  };
  std::uint64_t written = 0;
  for (std::uint64_t t = 0; t < transactions; ++t) {
    const Instant now = clock.now();
    const std::int64_t received = 1'780'000'000'000'000 + static_cast<std::int64_t>(t) * 10;
    big_endian(begin, 1, lsn + rows_each * 0x100);
    (void)writer.append({RecordKind::wal, false, lsn, received, begin}, now);
    for (std::uint64_t r = 0; r < rows_each; ++r) {
      (void)writer.append({RecordKind::wal, false, lsn += 0x100, received, rows[written++ % 4096]},
                          now);
    }
    big_endian(commit, 2, lsn);
    big_endian(commit, 10, lsn + 0x30);
    (void)writer.append({RecordKind::wal, false, lsn, received, commit}, now);
    (void)writer.tick(now);
  }
  return written;
}

std::string scratch_file() {
  return (std::filesystem::temp_directory_path() / ("bench-" + std::to_string(::getpid()) + ".rtr"))
      .string();
}

// Argument: rows of a transaction. Framing, compression, fdatasync as when recording.
void append(benchmark::State& state) {
  const auto rows_each = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t rows = 0;
  double ratio = 0;
  for (auto _ : state) {
    const std::string path = scratch_file();
    std::filesystem::remove(path);
    Writer writer = Writer::create(path, {}, Moment::of(SystemClock())).value();
    rows += write_rows(writer, 400'000 / rows_each, rows_each);
    (void)writer.close(SystemClock().now());
    ratio = static_cast<double>(writer.totals().raw_bytes) /
            static_cast<double>(writer.totals().file_bytes);
    std::filesystem::remove(path);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["ratio"] = ratio;
}
BENCHMARK(append)->Arg(1)->Arg(10'000)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_to_null(benchmark::State& state) {
  const std::string path = scratch_file();
  std::filesystem::remove(path);
  {
    Writer writer = Writer::create(path, {}, Moment::of(SystemClock())).value();
    write_rows(writer, 400'000 / static_cast<std::uint64_t>(state.range(0)),
               static_cast<std::uint64_t>(state.range(0)));
    (void)writer.close(SystemClock().now());
  }
  std::int64_t rows = 0;
  for (auto _ : state) {
    Reader reader = Reader::open(path).value();
    Entry entry;
    while (reader.next(entry).value_or(false)) {
      if (!entry.record.body.empty() && is_row_letter(entry.record.body.front())) ++rows;
    }
  }
  std::filesystem::remove(path);
  state.SetItemsProcessed(rows);
}
BENCHMARK(read_to_null)->Arg(1)->Arg(10'000)->Unit(benchmark::kMillisecond);

// A table with the columns of row(), so that the printer knows their names.
std::string relation() {
  std::string out = "R";
  put(out, std::uint32_t{16'384});
  out += std::string("public") + '\0' + "orders" + '\0' + 'd';
  put(out, std::uint16_t{6});
  const std::pair<const char*, std::uint32_t> columns[] = {{"id", 20},           {"customer", 23},
                                                           {"note", 25},         {"total", 1700},
                                                           {"created_at", 1184}, {"doc", 3802}};
  for (const auto& [name, type] : columns) {
    out += type == 20 ? '\1' : '\0';
    out += name;
    out += '\0';
    put(out, type);
    put(out, std::int32_t{-1});
  }
  return out;
}

// As `rtreplay cat`: rows as NDJSON, written to /dev/null.
void read_to_ndjson(benchmark::State& state) {
  const std::string path = scratch_file();
  std::filesystem::remove(path);
  {
    Writer writer = Writer::create(path, {}, Moment::of(SystemClock())).value();
    const std::string described = relation();
    (void)writer.append({RecordKind::wal, true, 0, 0, described}, SystemClock().now());
    write_rows(writer, 400'000 / static_cast<std::uint64_t>(state.range(0)),
               static_cast<std::uint64_t>(state.range(0)));
    (void)writer.close(SystemClock().now());
  }
  const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::uint64_t rows = 0;
  for (auto _ : state) {
    ReadOptions options;
    options.committed_only = true;
    Reader reader = Reader::open(path, options).value();
    rtreplay::RecordPrinter printer(rtreplay::LineFormat::ndjson, false);
    rtreplay::Output output(null.get());
    Entry entry;
    while (reader.next(entry).value_or(false)) {
      printer.print(entry.record, entry.position, output.buffer());
      (void)output.poll();
    }
    (void)output.flush();
    rows += printer.lines();
  }
  std::filesystem::remove(path);
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}
BENCHMARK(read_to_ndjson)->Arg(1)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
