// A scratch directory, pgoutput messages made by hand, and a stream of transactions to record.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/clock.h"

namespace rt::archive::testing {

class Scratch {
 public:
  Scratch() {
    // In memory where that exists: these tests sync thousands of times.
    const std::filesystem::path memory = "/dev/shm";
    const auto base =
        std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (base / "rtr-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

template <typename T>
void put(std::string& out, T value) {  // big-endian
  for (int shift = (static_cast<int>(sizeof value) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

inline std::string begin(std::uint64_t lsn, std::int64_t unix_us, std::uint32_t xid) {
  std::string out = "B";
  put(out, lsn);
  put(out, unix_us - kPostgresEpochOffsetUs);
  put(out, xid);
  return out;
}
inline std::string commit(std::uint64_t lsn, std::uint64_t end_lsn, std::int64_t unix_us) {
  std::string out = "C";
  out.push_back('\0');
  put(out, lsn);
  put(out, end_lsn);
  put(out, unix_us - kPostgresEpochOffsetUs);
  return out;
}
inline std::string type(std::uint32_t oid, const std::string& name) {
  std::string out = "Y";
  put(out, oid);
  return out + "public" + '\0' + name + '\0';
}
// One column "id" of the given type.
inline std::string relation(std::uint32_t oid, const std::string& name,
                            std::uint32_t type_oid = 20) {
  std::string out = "R";
  put(out, oid);
  out += std::string("public") + '\0' + name + '\0' + 'd';
  put(out, std::uint16_t{1});
  out += '\1';
  out += std::string("id") + '\0';
  put(out, type_oid);
  put(out, std::int32_t{-1});
  return out;
}
inline std::string insert(std::uint32_t oid, const std::string& value) {
  std::string out = "I";
  put(out, oid);
  out += 'N';
  put(out, std::uint16_t{1});
  out += 't';
  put(out, static_cast<std::uint32_t>(value.size()));
  return out + value;
}

constexpr std::int64_t kStart = 1'780'000'000'000'000;  // Unix us
constexpr std::uint64_t kFirstLsn = 0x1000;
constexpr std::uint64_t kLsnStep = 0x100;  // from one transaction's commit to the next

inline std::uint64_t commit_lsn(int transaction) {
  return kFirstLsn + static_cast<std::uint64_t>(transaction) * kLsnStep;
}
inline std::uint64_t end_lsn(int transaction) {
  return commit_lsn(transaction) + 0x30;
}
inline std::int64_t commit_time(int transaction) {
  return kStart + transaction * 10'000;
}

inline RecordView wal(std::string_view body, std::uint64_t lsn, std::int64_t received_us) {
  return {RecordKind::wal, false, lsn, received_us, body};
}

// Writes transactions first..last-1 of `rows` rows each into relation 7 ("orders").
inline void write_transactions(Writer& writer, int first, int last, int rows, Instant now,
                               int value_bytes = 40) {
  for (int t = first; t < last; ++t) {
    const std::int64_t at = commit_time(t) + 500;
    REQUIRE(writer.append(wal(begin(commit_lsn(t), commit_time(t), 700u + static_cast<unsigned>(t)),
                              commit_lsn(t) - 0x80, at),
                          now));
    if (t == first) {
      REQUIRE(writer.append(wal(type(9000, "mood"), 0, at), now));
      REQUIRE(writer.append(wal(relation(7, "orders", 9000), 0, at), now));
    }
    for (int r = 0; r < rows; ++r) {
      std::string value = fmt::format("{}.{} ", t, r);
      while (value.size() < static_cast<std::size_t>(value_bytes)) {
        value +=
            static_cast<char>('a' + (value.size() * 7 + static_cast<std::size_t>(t * 31 + r)) % 26);
      }
      REQUIRE(writer.append(
          wal(insert(7, value), commit_lsn(t) - 0x80 + static_cast<unsigned>(r), at + r), now));
    }
    REQUIRE(writer.append(
        wal(commit(commit_lsn(t), end_lsn(t), commit_time(t)), commit_lsn(t), at + rows), now));
  }
}

inline Origin origin() {
  Origin o;
  o.system_identifier = 7'301'234'567'890'123'456;
  o.timeline = 1;
  o.server_version = 150'018;
  o.consistent_point = kFirstLsn - 0x80;
  o.notes_json = R"({"slot":"test"})";
  return o;
}

struct Seen {
  std::vector<Position> rows;          // of every row handed out
  std::vector<std::string> values;     // their first value
  std::vector<std::uint64_t> commits;  // commit LSNs
  int abandons = 0;
  int gaps = 0;
  std::string error;  // that ended reading
};

inline Seen read_all(Reader& reader) {
  Seen seen;
  Entry entry;
  for (;;) {
    const auto more = reader.next(entry);
    if (!more) {
      seen.error = more.error().text;
      return seen;
    }
    if (!*more) return seen;
    const RecordView& r = entry.record;
    if (r.kind == RecordKind::abandon) ++seen.abandons;
    if (r.kind == RecordKind::gap) ++seen.gaps;
    if (r.prelude || r.kind != RecordKind::wal || r.body.empty()) continue;
    if (r.body.front() == 'C') seen.commits.push_back(entry.position.lsn);
    if (r.body.front() != 'I') continue;
    seen.rows.push_back(entry.position);
    seen.values.emplace_back(r.body.substr(13));
  }
}

inline Moment moment(const ManualClock& clock) {
  return Moment::of(clock);
}

}  // namespace rt::archive::testing
