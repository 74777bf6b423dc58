// A small recording with one of everything that a row change can be.
#pragma once

#include <nlohmann/json.hpp>

#include "archive/bodies.h"
#include "archive/fixture.h"
#include "integration/running_tool.h"

namespace rt::test {

using namespace rt::archive::testing;  // NOLINT: the vocabulary of these tests

// Columns of a tuple: text, or one of these.
inline const std::string kNull = "\x01null";
inline const std::string kUnchanged = "\x01unchanged";

inline std::string tuple(const std::vector<std::string>& values) {
  std::string out;
  put(out, static_cast<std::uint16_t>(values.size()));
  for (const std::string& value : values) {
    if (value == kNull || value == kUnchanged) {
      out += value == kNull ? 'n' : 'u';
      continue;
    }
    out += 't';
    put(out, static_cast<std::uint32_t>(value.size()));
    out += value;
  }
  return out;
}

// Columns id (the key) and note.
inline std::string two_columns(std::uint32_t oid, const std::string& name, char identity,
                               bool all_keys) {
  std::string out = "R";
  put(out, oid);
  out += std::string("public") + '\0' + name + '\0' + identity;
  put(out, std::uint16_t{2});
  for (const char* column : {"id", "note"}) {
    out += all_keys || column[0] == 'i' ? '\1' : '\0';
    out += std::string(column) + '\0';
    put(out, std::uint32_t{25});
    put(out, std::int32_t{-1});
  }
  return out;
}

inline std::string change(char letter, std::uint32_t oid, const std::string& rest) {
  std::string out(1, letter);
  put(out, oid);
  return out + rest;
}

// Table 1 "plain" with a key, table 2 "full" with REPLICA IDENTITY FULL whose key only the source
// knew.
inline void write_sample(const std::string& path) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  const auto add = [&](const std::string& body, bool prelude = false) {
    RecordView record = wal(body, 1, kStart);
    record.prelude = prelude;
    REQUIRE(writer.append(record, clock.now()));
  };
  add(two_columns(2, "full", 'f', false), true);
  add(begin(commit_lsn(0), commit_time(0), 700));
  add(two_columns(1, "plain", 'd', false));
  add(two_columns(2, "full", 'f', true));
  add(change('I', 1, 'N' + tuple({"1", "say \"hi\"\n\xC3\xA9"})));
  add(change('U', 1, 'N' + tuple({"1", kUnchanged})));
  add(change('U', 1, 'K' + tuple({"1", kNull}) + 'N' + tuple({"2", kNull})));
  add(change('D', 1, 'K' + tuple({"2", kNull})));
  add(commit(commit_lsn(0), end_lsn(0), commit_time(0)));
  add(begin(commit_lsn(1), commit_time(1), 701));
  add(change('U', 2, 'O' + tuple({"5", "old"}) + 'N' + tuple({"5", kUnchanged})));
  add(change('D', 2, 'O' + tuple({"5", kNull})));
  std::string truncate = "T";
  put(truncate, std::uint32_t{2});
  truncate += '\0';
  put(truncate, std::uint32_t{1});
  put(truncate, std::uint32_t{2});
  add(truncate);
  add(change('I', 1, 'N' + tuple({"9", std::string("\xFF\x00", 2)})));
  add(commit(commit_lsn(1), end_lsn(1), commit_time(1)));
  REQUIRE(writer.append({RecordKind::gap, false, 0, kStart, "the slot was lost"}, clock.now()));
  std::string event;
  archive::encode(event, archive::SseBody{"e-1", "delta", "{\"a\":1}"});
  REQUIRE(writer.append({RecordKind::sse, false, 0, commit_time(2), event}, clock.now()));
  add(begin(commit_lsn(3), commit_time(3), 702));
  add(change('I', 1, 'N' + tuple({"never", "committed"})));
  REQUIRE(writer.abandon(clock.now(), kStart));
  REQUIRE(writer.close(clock.now()));
}

// Ten transactions, an hour apart: nothing moves unless somebody steers. Two rows of "orders"
// each; the first of the sixth has failed.
inline void write_hours(const std::string& path) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  const std::string table = two_columns(1, "orders", 'd', false);
  for (int t = 0; t < 10; ++t) {
    const std::int64_t at = kStart + t * 3'600'000'000;
    for (const std::string& body :
         {begin(commit_lsn(t), at, 1), t == 0 ? table : std::string("O") + std::string(9, '\0'),
          change('I', 1, 'N' + tuple({std::to_string(t), t == 5 ? "failed" : "fine"})),
          change('I', 1, 'N' + tuple({std::to_string(t) + "b", "fine"})),
          commit(commit_lsn(t), end_lsn(t), at)}) {
      REQUIRE(writer.append(wal(body, 1, at), clock.now()));
    }
  }
  REQUIRE(writer.close(clock.now()));
}

inline std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

}  // namespace rt::test
