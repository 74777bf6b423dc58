// A WalSource running on a thread, and what came out of it: the state it builds, who was seen
// twice.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pipe/wal_source.h"
#include "proto/pgoutput.h"

namespace rt::test {

// What a consumer knows after some records. Row text is "a|b|c", NULL as \N, unchanged TOAST as \U.
struct Consumed {
  std::vector<std::string> snapshot_rows;  // COPY lines
  std::vector<std::string> inserted, updated, deleted;
  std::vector<std::string> old_rows;          // of updates and deletes
  std::vector<std::string> relation_columns;  // "name,name" per Relation message of the stream
  std::vector<std::string> key_columns;       // the same, key columns of preludes only
  std::set<std::pair<std::uint64_t, std::uint32_t>> positions;  // (commit LSN, index)
  std::vector<std::string> notices;
  std::string snapshot_json;
  std::uint64_t consistent_point = 0;
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  std::uint64_t last_keepalive = 0;
  std::uint32_t index = 0;
  int snapshots = 0, truncates = 0, abandons = 0, gaps = 0, messages = 0, doubled = 0, dropped = 0;
  bool in_transaction = false;
  bool skipping = false;

  void take(const RecordView& record, std::uint64_t durable_lsn);
  // Forgets what came of a transaction without its Commit.
  void roll_back();

 private:
  struct Sizes {
    std::size_t inserted = 0, updated = 0, deleted = 0, old_rows = 0;
    int truncates = 0, dropped = 0;
  };
  Sizes before_;  // at the last Begin
  void take_message(const RecordView& record, std::uint64_t durable_lsn);
  bool count_row();
};

class WalReading {
 public:
  struct Habits {
    bool confirm = true;
    // Already held: transactions that end at or before it are dropped, as a restarted consumer
    // does.
    std::uint64_t durable_lsn = 0;
    std::function<void()> before_take;
  };
  explicit WalReading(WalSourceOptions options) : WalReading(std::move(options), Habits()) {}
  WalReading(WalSourceOptions options, Habits habits);
  ~WalReading() { stop(); }

  // Waits until the predicate holds; false after `patience` or when the source has ended.
  bool wait_for(const std::function<bool(const Consumed&)>& predicate,
                std::chrono::seconds patience = std::chrono::seconds(30));
  bool wait_streaming();
  bool wait_ended(std::chrono::seconds patience = std::chrono::seconds(30));
  // Stops the source and returns what run() returned.
  Result<void> stop();
  Consumed consumed();
  WalSource& source() { return source_; }

 private:
  Result<void> take(RecordBatch& batch);

  Habits habits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Consumed consumed_;
  bool ended_ = false;
  Result<void> result_;
  WalSource source_;
  std::jthread thread_;
};

}  // namespace rt::test
