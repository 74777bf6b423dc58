#include "pipe/wal_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "pg/setup.h"

namespace rt {

namespace {

using namespace std::chrono_literals;

// Below this many messages since the socket was last empty, every microsecond of latency counts;
// above, a nap halves the cost of a message on both sides. On a unix socket the kernel's small
// buffer would fill.
constexpr std::size_t kBurstMessages = 8;
constexpr Duration kNap = 500us;
constexpr Duration kKeepaliveRecordInterval = 1s;
constexpr int kMaxSilenceFactor = 16;

std::uint64_t seed_from(const Clock& clock) {
  return static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
}

std::string little_endian_pair(std::uint64_t first, std::uint64_t second) {
  std::string out;
  for (const std::uint64_t value : {first, second}) {
    for (int shift = 0; shift < 64; shift += 8) {
      out += static_cast<char>((value >> shift) & 0xFF);
    }
  }
  return out;
}

}  // namespace

WalReader::WalReader(const WalSourceOptions& options, const Listeners& listeners,
                     WalSource::Progress& progress, BatchQueue& queue, int cancel_fd)
    : options_(options),
      on_notice_(listeners.on_notice),
      watch_(listeners.watch),
      progress_(progress),
      writer_(queue),
      cancel_fd_(cancel_fd),
      random_(seed_from(clock_)),
      backoff_(Random(random_.next())),
      expected_(options.expected),
      owned_lsn_(options.held_lsn) {
  expected_.end_lsn = std::max(expected_.end_lsn, options.start_lsn);
}

Result<void> WalReader::run() {
  for (;;) {
    Result<void> ended = session();
    progress_.connected.store(false, std::memory_order_relaxed);
    if (ended) return ended;
    const bool may_mend = ended.error().code == Code::unreachable;
    const bool first = !reached_ && !options_.retry_first_connect;
    if (!may_mend || first) {
      drop_unfinished_slot();
      return ended;
    }
    abandon_transaction();
    RT_CHECKED(writer_.flush());
    if (options_.retries_max && backoff_.failures() >= *options_.retries_max) return ended;
    const Duration delay = backoff_.next();
    tell_retry(ended.error(), delay);
    notice(Notice::reconnecting,
           fmt::format("{}; trying again in {}", ended.error().text, format_duration(delay)));
    progress_.reconnects.fetch_add(1, std::memory_order_relaxed);
    RT_CHECKED(pause(delay));
  }
}

Result<void> WalReader::session() {
  ConnectOptions connect;
  connect.replication = true;
  connect.application_name = options_.application_name;
  connect.cancel_fd = cancel_fd_;
  Connection connection = RT_TRY(Connection::connect(options_.dsn, connect));
  RT_CHECKED(check_server(connection));
  if (options_.temporary) forget_temporary_slot();
  const std::uint64_t start_lsn = RT_TRY(prepare(connection));

  auto started = ReplicationStream::start(
      std::move(connection), {options_.slot, options_.publication, start_lsn, /*messages=*/true,
                              options_.streaming, options_.two_phase});
  if (!started && started.error().code == Code::refused && !std::exchange(start_refused_, true)) {
    // The slot may have been lost since we looked at it: look once more.
    started.error().code = Code::unreachable;
  }
  ReplicationStream streaming = RT_TRY(std::move(started));
  start_refused_ = false;
  if (!options_.confirms_keepalives) status_->let_consumer_confirm_keepalives();
  owned_lsn_ = std::max(owned_lsn_, start_lsn);
  StandbyStatus::Timing timing = StandbyStatus::timing_for(sender_timeout_);
  timing.silence *= silence_factor_;
  status_->reconnected(timing, start_lsn, clock_.now());
  if (first_lsn_ == 0) first_lsn_ = start_lsn;
  progress_.connected.store(true, std::memory_order_relaxed);
  notice(Notice::streaming,
         fmt::format("streaming from {}, slot \"{}\", at {}", streaming.connection().endpoint(),
                     options_.slot, lsn_text(start_lsn)));
  tell_open();
  if (start_lsn >= news_lsn_) RT_CHECKED(tell_caught_up(streaming));
  Result<void> ended = stream(streaming);
  if (!ended && ended.error().code == Code::cancelled) say_goodbye(streaming);
  return ended;
}

Result<void> WalReader::check_server(Connection& connection) {
  server_ = RT_TRY(identify_server(connection));
  if (status_) expected_.end_lsn = std::max(expected_.end_lsn, status_->resume_lsn());
  RT_CHECKED(check_same_server(server_, expected_));
  expected_.system_id = server_.system_id;
  expected_.timeline = server_.timeline;
  RT_CHECKED(check_logical_wal(connection));
  reached_ = true;
  open_told_ = false;
  if (news_lsn_ == 0) news_lsn_ = server_.wal_end;
  sender_timeout_ = RT_TRY(wal_sender_timeout(connection));
  return warn_of_settings(connection);
}

Result<void> WalReader::warn_of_settings(Connection& connection) {
  const Rows rows = RT_TRY(connection.query(
      "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')",
      "cannot read the settings of commits"));
  const std::string_view standbys = rows.text(0, 0);
  if (standbys.find('*') != standbys.npos ||
      standbys.find(options_.application_name) != standbys.npos) {
    notice(Notice::warning,
           fmt::format("synchronous_standby_names is '{}': commits may wait for this consumer",
                       standbys));
  }
  // The server sends what it has flushed; nothing a consumer does makes that sooner.
  if (rows.text(0, 1) == "off") {
    notice(Notice::setup,
           "synchronous_commit is off here: such commits arrive up to three times "
           "wal_writer_delay late");
  }
  return {};
}

Result<void> WalReader::stream(ReplicationStream& stream) {
  // libpq reads 16 KiB at most: after many messages the socket may hold more, and an encrypted
  // connection may hide some after any.
  const std::size_t look_again = stream.connection().is_encrypted() ? 1 : kBurstMessages;
  std::size_t burst = 0;
  for (;;) {
    const std::size_t taken = RT_TRY(take_available(stream));
    note_keepalive(clock_.now());
    RT_CHECKED(report_position(stream));
    burst += taken;
    if (taken >= look_again) {
      RT_CHECKED(stream.fill());
      continue;
    }
    RT_CHECKED(hand_over_if_due(stream));
    const bool nap = burst >= kBurstMessages && stream.connection().uses_tcp();
    burst = 0;
    if (nap) {
      stream.nap(kNap);
    } else {
      const Instant due = gathering_since_ ? *gathering_since_ + options_.gather : Instant::max();
      RT_CHECKED(stream.wait(std::min(due, status_->next_due())));
    }
    RT_CHECKED(stream.fill());
  }
}

Result<std::size_t> WalReader::take_available(ReplicationStream& stream) {
  Instant now = clock_.now();
  wall_us_ = unix_us(clock_.wall());
  std::size_t taken = 0;
  for (;;) {
    const auto copy_data = RT_TRY(stream.next());
    if (!copy_data) return taken;
    ++taken;
    const StreamMessage message = RT_TRY(decode_stream_message(*copy_data));
    if (!caught_up_ && begins_news(message)) RT_CHECKED(tell_caught_up(stream));
    accept(message, now);
    if (!caught_up_ && ends_past(message)) RT_CHECKED(tell_caught_up(stream));
    if (writer_.due()) {
      RT_CHECKED(hand_over(stream));  // may have taken long
      now = clock_.now();
      wall_us_ = unix_us(clock_.wall());
    }
  }
}

void WalReader::accept(const StreamMessage& message, Instant now) {
  status_->received(message, now);
  backoff_.reset();
  if (message.kind == StreamMessage::Kind::wal) {
    silence_factor_ = 1;
    writer_.append({RecordKind::wal, false, message.lsn, wall_us_, message.payload});
  } else if (message.kind == StreamMessage::Kind::keepalive) {
    keepalive_time_us_ = message.server_time_us;
    note_keepalive(now);
  }
}

// One a second; at once when the server asks, for one that shuts down waits until its last position
// is confirmed.
void WalReader::note_keepalive(Instant now) {
  const std::uint64_t lsn = status_->keepalive_lsn();
  if (lsn <= keepalive_noted_lsn_) return;
  if (!status_->reply_requested() && now - keepalive_noted_ < kKeepaliveRecordInterval) return;
  keepalive_noted_ = now;
  keepalive_noted_lsn_ = lsn;
  writer_.append({RecordKind::keepalive, false, lsn, wall_us_,
                  little_endian_pair(lsn, static_cast<std::uint64_t>(keepalive_time_us_))});
}

Result<void> WalReader::hand_over_if_due(ReplicationStream& stream) {
  if (writer_.empty()) return {};
  const Instant now = clock_.now();
  if (!gathering_since_) gathering_since_ = now;
  return now - *gathering_since_ >= options_.gather ? hand_over(stream) : Result<void>();
}

// While the consumer is slow nothing is read, but the server still hears from us.
Result<void> WalReader::hand_over(ReplicationStream& stream) {
  gathering_since_.reset();
  return writer_.flush([&]() -> Result<void> {
    status_->not_reading(clock_.now());
    return report_position(stream);
  });
}

Result<void> WalReader::report_position(ReplicationStream& stream) {
  status_->confirmed(progress_.confirmed.load(std::memory_order_acquire));
  progress_.wal_end.store(status_->last_wal_end(), std::memory_order_relaxed);
  const Instant now = clock_.now();
  const StandbyStatus::Due due = status_->due(now);
  if (due == StandbyStatus::Due::nothing) return {};
  if (due == StandbyStatus::Due::dead) {
    // It may be decoding a huge transaction: a new connection would start that anew.
    silence_factor_ = std::min(silence_factor_ * 2, kMaxSilenceFactor);
    return fail(Code::unreachable,
                fmt::format("the server {} no longer answers", stream.connection().endpoint()));
  }
  const bool ask = due == StandbyStatus::Due::status_with_reply_request;
  const StandbyPositions positions = status_->take(now, ask);
  owned_lsn_ = std::max(owned_lsn_, positions.flush);
  // A snapshot that is not confirmed yet is no lag: WAL counts from its consistent point.
  progress_.flushed.store(std::max(positions.flush, first_lsn_), std::memory_order_relaxed);
  return stream.send_status(positions, unix_us(clock_.wall()), ask);
}

void WalReader::say_goodbye(ReplicationStream& stream) {
  status_->confirmed(progress_.confirmed.load(std::memory_order_acquire));
  const StandbyPositions positions = status_->take(clock_.now(), false);
  owned_lsn_ = std::max(owned_lsn_, positions.flush);
  // Best effort: what is not confirmed comes again, and is recognised.
  static_cast<void>(stream.send_status(positions, unix_us(clock_.wall()), false));
}

void WalReader::abandon_transaction() {
  if (!status_ || (!status_->in_transaction() && !options_.streaming)) return;
  writer_.append(
      {RecordKind::abandon, false, status_->open_transaction_lsn(), unix_us(clock_.wall()), {}});
  status_->reconnected(StandbyStatus::timing_for(sender_timeout_), status_->resume_lsn(),
                       clock_.now());
}

void WalReader::notice(Notice kind, std::string text) {
  if (on_notice_) on_notice_({kind, std::move(text), server_});
}

}  // namespace rt
