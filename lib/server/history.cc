#include "server/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/log.h"
#include "base/text.h"
#include "io/poller.h"
#include "server/history_files.h"

namespace rt::server {
namespace {

// The body of a snapshot_begin record: a JSON object.
archive::Origin read_origin(std::string_view body) {
  archive::Origin origin;
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return origin;
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  origin.system_identifier = parse_decimal(text("system_id")).value_or(0);
  origin.consistent_point = parse_lsn(text("consistent_point")).value_or(0);
  origin.timeline = json.value("timeline", 0U);
  origin.server_version = json.value("server_version", 0U);
  origin.notes_json = body;
  return origin;
}

archive::WriterOptions writer_options(const HistoryLimits& limits) {
  archive::WriterOptions options;
  options.rotate_bytes = limits.segment_bytes();
  options.rotate_age = limits.segment_age();
  return options;
}

}  // namespace

Result<std::unique_ptr<History>> History::open(const std::string& directory, HistoryLimits limits,
                                               const Clock& clock, Counters& counters) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  std::unique_ptr<History> history(
      new History(directory, limits, clock, counters, std::move(wakeup)));
  if (archive::Writer::exists(directory)) {
    archive::Writer writer = RT_TRY(
        archive::Writer::open(directory, archive::Moment::of(clock), writer_options(limits)));
    RT_TRY(remove_folded(directory));
    if (writer.recovered().torn_bytes > 0) {
      log::warn("the history's end was torn and is cut off",
                fmt::format("bytes={} {}", writer.recovered().torn_bytes,
                            log::field("saved_as", writer.recovered().saved_as)));
    }
    history->writer_ = std::make_unique<archive::Writer>(std::move(writer));
  }
  if (limits.any()) {
    history->pruner_ = std::make_unique<HistoryPruner>(directory, limits, clock, counters,
                                                       RT_TRY(io::Wakeup::create()));
  }
  return history;
}

History::History(std::string directory, HistoryLimits limits, const Clock& clock,
                 Counters& counters, io::Wakeup wakeup)
    : directory_(std::move(directory)),
      limits_(limits),
      clock_(clock),
      counters_(counters),
      wakeup_(std::move(wakeup)) {}

History::~History() {
  stop();
}

Result<std::optional<History::Resume>> History::read_back(
    const std::function<void(const RecordView&)>& take) {
  if (writer_ == nullptr) return std::optional<Resume>();
  const auto read = [&take](archive::Reader recording) -> Result<void> {
    archive::Entry entry;
    while (RT_TRY(recording.next(entry))) take(entry.record);
    return {};
  };
  if (const auto state = history_state(directory_)) {
    auto folded = RT_TRY(archive::Reader::open(state->path, {.committed_only = true}));
    RT_CHECKED(read(std::move(folded)));
  }
  auto reader = RT_TRY(archive::Reader::open(directory_, {.live = true, .committed_only = true}));
  RT_CHECKED(read(std::move(reader)));
  const archive::Origin& origin = writer_->header().origin;
  return std::optional<Resume>(
      Resume{writer_->durable_end_lsn(), origin.system_identifier, origin.timeline});
}

void History::start(std::function<void(std::uint64_t)> on_durable,
                    std::function<void(Error)> on_failed) {
  on_durable_ = std::move(on_durable);
  on_failed_ = std::move(on_failed);
  thread_ = std::thread([this] { run(); });
  if (pruner_ != nullptr) pruner_->start();
}

void History::append(std::shared_ptr<const RecordBatch> batch) {
  while (!batches_.push(std::move(batch))) {
    if (counters_.history_failed) return;
    wakeup_.ring();
    std::this_thread::yield();
  }
  wakeup_.ring();
}

void History::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wakeup_.ring();
  thread_.join();
  if (pruner_ != nullptr) pruner_->stop();
}

void History::run() {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(wakeup_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  Result<void> outcome;
  while (outcome) {
    std::shared_ptr<const RecordBatch> batch;
    while (outcome && batches_.pop(batch)) outcome = write(*batch);
    if (outcome && writer_ != nullptr) {
      const auto moved = writer_->tick(clock_.now());
      if (!moved) outcome = fail(moved.error());
      report_durable();
      if (std::exchange(segment_, writer_->header().number) != writer_->header().number &&
          pruner_ != nullptr) {
        pruner_->look();
      }
    }
    if (stopping_ && batches_.size() == 0) break;
    const auto deadline = writer_ != nullptr ? writer_->deadline() : std::nullopt;
    if (outcome) poller->wait(ready, deadline, clock_.now());
    wakeup_.answer();
  }
  if (outcome && writer_ != nullptr) outcome = writer_->close(clock_.now());
  report_durable();
  if (!outcome) {
    counters_.history_failed = true;
    on_failed_(std::move(outcome).error());
  }
}

Result<void> History::write(const RecordBatch& batch) {
  if (writer_ == nullptr) RT_CHECKED(create_writer(batch));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const RecordView record = batch[i];
    RT_CHECKED(writer_->append(record, clock_.now()));
    if (record.kind == RecordKind::snapshot_end) snapshot_lsn_ = record.lsn;
    // In the middle of a batch too, so that a busy stream is synced on time.
    if ((i & 255) == 255) {
      RT_TRY(writer_->tick(clock_.now()));
      report_durable();
    }
  }
  counters_.history_bytes = writer_->totals().file_bytes;
  return {};
}

// Whose stream this is stands in the snapshot that it begins with; without a database, in nothing.
Result<void> History::create_writer(const RecordBatch& batch) {
  archive::Origin origin;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].kind == RecordKind::snapshot_begin) origin = read_origin(batch[i].body);
  }
  writer_ = std::make_unique<archive::Writer>(RT_TRY(archive::Writer::create(
      directory_, origin, archive::Moment::of(clock_), writer_options(limits_))));
  return {};
}

void History::report_durable() {
  if (writer_ == nullptr) return;
  std::uint64_t durable = writer_->durable_end_lsn();
  if (!writer_->undurable()) durable = std::max(durable, snapshot_lsn_);
  if (durable == reported_lsn_) return;
  reported_lsn_ = durable;
  on_durable_(durable);
}

}  // namespace rt::server
