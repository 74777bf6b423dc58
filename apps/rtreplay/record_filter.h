// Which records of a stream are kept, and as what: the rules of `rtreplay filter`. An UPDATE whose
// row enters what is kept becomes an INSERT, one whose row leaves it a DELETE, as pgoutput's row
// filters do (PostgreSQL 15, section 31.3.3). Pure; one thread; no allocation per row once warm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/record.h"
#include "base/result.h"
#include "cli/tool.h"
#include "proto/pgoutput.h"
#include "rtreplay/column_test.h"
#include "rtreplay/name_globs.h"

namespace rt::rtreplay {

class RecordFilter {
 public:
  struct Options {
    std::vector<std::string> tables;
    std::vector<std::string> topics;
    std::vector<std::string> ops;
    std::vector<std::string> conditions;
  };
  static void declare(CLI::App* app, Options& options);
  static Result<RecordFilter> parse(const Options& options);

  enum class Verdict : std::uint8_t { keep, drop, changed };
  // Of any record of the stream, in order. If `changed`, the messages in parts() stand instead.
  Verdict judge(const RecordView& record);
  // Each with the number of row changes of the original that come before it (a T may lose tables in
  // its middle). Until the next call.
  struct Part {
    std::string body;
    std::uint32_t changes_before = 0;
  };
  const std::vector<Part>& parts() const { return parts_; }
  // Rows that were kept, or judged by their new values alone, because the recording does not hold
  // the values a condition asks for (REPLICA IDENTITY is not FULL, or unchanged TOAST).
  std::uint64_t undecided() const { return undecided_; }

 private:
  struct Table {
    bool kept = false;
    std::vector<std::optional<std::size_t>> columns;  // of each condition
    std::vector<bool> key;                            // of each column
  };
  void learn(const pgoutput::Relation& relation);
  const Table* find(std::uint32_t oid) const;
  bool keeps_op(char letter) const {
    return ops_.empty() || ops_.find(letter) != std::string::npos;
  }
  Verdict judge_wal(const RecordView& record);
  Verdict judge_update(const Table& table, const pgoutput::Update& update);
  Verdict judge_delete(const Table& table, const pgoutput::Delete& gone);
  Verdict judge_truncate(const pgoutput::Truncate& truncate);
  Verdict keep_unless(Truth truth);
  Truth test(const Table& table, pgoutput::TupleView row, bool key_only,
             pgoutput::TupleView fallback = {}) const;
  void replace(std::string body, std::uint32_t changes_before = 0);

  NameGlobs tables_;
  NameGlobs topics_;
  std::string ops_;  // letters
  std::vector<ColumnTest> conditions_;
  bool rows_ = true;    // row changes may be kept
  bool events_ = true;  // events may be kept
  std::unordered_map<std::uint32_t, Table> known_;
  std::vector<Part> parts_;
  std::uint64_t undecided_ = 0;
};

}  // namespace rt::rtreplay
