// The receiving end of every `rtreplay record`: records into an archive, made durable on time even
// when nothing arrives, counted, and shown.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/writer.h"
#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"

namespace rt::rtreplay {

struct RecorderOptions {
  std::optional<std::uint64_t> rows_max;  // stop after the transaction (or event) that reaches it
  bool quiet = false;                     // no progress on standard error
};

// take() and put() from one thread; one more thread of its own syncs and shows progress.
class Recorder {
 public:
  // Called when the position to confirm has moved, on either thread.
  using OnDurable = std::function<void(std::uint64_t lsn)>;

  // `stop` is asked to stop when rows_max is reached or the archive fails.
  Recorder(archive::Writer writer, RecorderOptions options, std::stop_source stop,
           OnDurable on_durable);
  ~Recorder();

  // Transactions that the archive holds already are dropped.
  Result<void> take(const RecordBatch& batch);
  Result<void> put(const RecordView& record);
  // Bytes behind the server, for the progress line. Thread-safe function.
  void show_lag(std::function<std::uint64_t()> lag) { lag_ = std::move(lag); }

  // Syncs, closes and prints the summary. Nothing is taken after it.
  Result<void> finish();

  std::uint64_t rows() const { return rows_; }
  // What on_durable was last told; from the thread of take().
  std::uint64_t confirmed() const { return confirmed_; }

 private:
  Result<void> put_locked(const RecordView& record, Instant now);
  bool is_known(const RecordView& record);
  bool is_known_message(std::string_view body) const;
  void report_durable();
  void tick_until_stopped(const std::stop_token& stop);
  void show_progress(bool last);

  std::mutex mutex_;  // guards the writer and the counters; taken once a batch
  archive::Writer writer_;
  RecorderOptions options_;
  std::stop_source stop_;
  OnDurable on_durable_;
  std::function<std::uint64_t()> lag_;
  SystemClock clock_;
  Instant started_;
  Instant shown_;
  std::uint64_t held_commit_lsn_;  // of the last transaction in the archive at the start
  std::uint64_t held_end_lsn_;     // what the archive could have confirmed at the start
  std::uint64_t noted_lsn_ = 0;    // of the last keepalive
  std::uint64_t confirmed_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t rows_shown_ = 0;
  std::uint64_t transactions_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t snapshot_rows_ = 0;
  std::uint64_t known_transactions_ = 0;  // dropped, because the archive has them
  std::uint64_t gaps_ = 0;
  bool inside_known_ = false;
  bool reached_ = false;
  std::optional<Error> failed_;
  bool finished_ = false;
  std::jthread ticker_;
};

}  // namespace rt::rtreplay
