#include "rtreplay/recorder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <utility>

#include "archive/wire.h"
#include "base/units.h"

namespace rt::rtreplay {
namespace {

// A fifth of the time after which data must be durable.
constexpr auto kTick = std::chrono::milliseconds(20);
constexpr Duration kShowOnTerminal = std::chrono::seconds(1);
constexpr Duration kShowElsewhere = std::chrono::seconds(10);

}  // namespace

Recorder::Recorder(archive::Writer writer, RecorderOptions options, std::stop_source stop,
                   OnDurable on_durable)
    : writer_(std::move(writer)),
      options_(options),
      stop_(std::move(stop)),
      on_durable_(std::move(on_durable)),
      started_(clock_.now()),
      shown_(started_),
      held_commit_lsn_(writer_.durable_commit_lsn()),
      held_end_lsn_(writer_.durable_end_lsn()),
      confirmed_(writer_.durable_end_lsn()),
      ticker_([this](const std::stop_token& token) { tick_until_stopped(token); }) {}

Recorder::~Recorder() {
  ticker_.request_stop();
  if (ticker_.joinable()) ticker_.join();
}

// A message outside transactions stands at its own LSN, and comes in the order of the WAL.
bool Recorder::is_known_message(std::string_view body) const {
  constexpr std::size_t kLsnAt = 2;  // 'M', u8 flags (1: transactional), u64 LSN
  if (body.size() < kLsnAt + 8 || (body[1] & 1) != 0) return false;
  return archive::load_be<std::uint64_t>(body.data() + kLsnAt) <= held_end_lsn_;
}

// A source may send again what was stored but not yet confirmed when we were last stopped.
bool Recorder::is_known(const RecordView& record) {
  if (record.kind == RecordKind::abandon) return std::exchange(inside_known_, false);
  if (record.kind != RecordKind::wal || record.prelude) return false;
  const char letter = archive::wal_letter(record.body);
  if (letter == 'M' && !inside_known_) return is_known_message(record.body);
  if (letter == 'B' && record.body.size() >= 9) {
    inside_known_ = archive::load_be<std::uint64_t>(record.body.data() + 1) <= held_commit_lsn_;
    if (inside_known_) ++known_transactions_;
  }
  if (!inside_known_) return false;
  if (letter == 'C') inside_known_ = false;
  return letter != 'R' && letter != 'Y';  // what they describe is still needed
}

Result<void> Recorder::put_locked(const RecordView& record, Instant now) {
  if (reached_ || is_known(record)) return {};
  RT_CHECKED(writer_.append(record, now));
  if (record.prelude) return {};
  switch (record.kind) {
    case RecordKind::wal: {
      const char letter = archive::wal_letter(record.body);
      rows_ += archive::row_changes(record.body);
      if (letter != 'C') return {};
      ++transactions_;
      break;
    }
    case RecordKind::sse:
    case RecordKind::notify:
    case RecordKind::redis:
      ++events_;
      break;
    case RecordKind::snapshot_row:
      ++snapshot_rows_;
      return {};
    case RecordKind::gap:
      ++gaps_;
      return {};
    case RecordKind::keepalive:
      noted_lsn_ = std::max(noted_lsn_, record.lsn);
      return {};
    default:
      return {};
  }
  if (options_.rows_max && rows_ + events_ >= *options_.rows_max) {
    reached_ = true;
    stop_.request_stop();
  }
  return {};
}

Result<void> Recorder::take(const RecordBatch& batch) {
  const std::lock_guard lock(mutex_);
  if (failed_) return fail(*failed_);
  const Instant now = clock_.now();
  for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(put_locked(batch[i], now));
  RT_TRY(writer_.tick(clock_.now()));
  report_durable();
  return {};
}

Result<void> Recorder::put(const RecordView& record) {
  const std::lock_guard lock(mutex_);
  if (failed_) return fail(*failed_);
  return put_locked(record, clock_.now());
}

void Recorder::report_durable() {
  std::uint64_t durable = writer_.durable_end_lsn();
  if (!writer_.undurable()) durable = std::max(durable, noted_lsn_);
  if (durable <= confirmed_) return;
  confirmed_ = durable;
  if (on_durable_) on_durable_(confirmed_);
}

void Recorder::tick_until_stopped(const std::stop_token& stop) {
  std::mutex idle;
  std::condition_variable_any wake;
  std::unique_lock waiting(idle);
  while (!wake.wait_for(waiting, stop, kTick, [&] { return stop.stop_requested(); })) {
    const std::lock_guard lock(mutex_);
    if (finished_ || failed_) return;
    const Instant now = clock_.now();
    if (const auto ticked = writer_.tick(now); !ticked) {
      failed_ = ticked.error();
      stop_.request_stop();
      return;
    }
    report_durable();
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    if (!options_.quiet && now - shown_ >= (terminal ? kShowOnTerminal : kShowElsewhere)) {
      show_progress(false);
      shown_ = now;
      rows_shown_ = rows_ + events_;
    }
  }
}

void Recorder::show_progress(bool last) {
  const Instant now = clock_.now();
  const double since_s = std::chrono::duration<double>(now - (last ? started_ : shown_)).count();
  const std::uint64_t news = rows_ + events_ - (last ? 0 : rows_shown_);
  std::string line = fmt::format("{}: {} rows in {} transactions", last ? "recorded" : "recording",
                                 format_count(rows_), format_count(transactions_));
  if (events_ > 0)
    line = fmt::format("{}: {} events", last ? "recorded" : "recording", format_count(events_));
  if (snapshot_rows_ > 0) line += fmt::format(", {} snapshot rows", format_count(snapshot_rows_));
  line +=
      fmt::format(", {:.0f}/s, {} on disk", since_s > 0 ? static_cast<double>(news) / since_s : 0.0,
                  format_bytes(static_cast<double>(writer_.totals().file_bytes)));
  if (lag_ && !last) line += fmt::format(", {} behind", format_bytes(static_cast<double>(lag_())));
  if (last && known_transactions_ > 0) {
    line += fmt::format(", {} transactions were there already", format_count(known_transactions_));
  }
  if (gaps_ > 0) line += fmt::format(", {} gaps", gaps_);
  if (last) line += fmt::format(", in {}", format_duration(now - started_));
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
}

Result<void> Recorder::finish() {
  ticker_.request_stop();
  if (ticker_.joinable()) ticker_.join();
  const std::lock_guard lock(mutex_);
  finished_ = true;
  if (failed_) return fail(*failed_);
  RT_CHECKED(writer_.close(clock_.now()));
  report_durable();
  show_progress(true);
  return {};
}

}  // namespace rt::rtreplay
