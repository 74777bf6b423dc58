#include "rtreplay/play_forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/reader.h"
#include "base/units.h"
#include "proto/relation_cache.h"

namespace rt::rtreplay {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Forecaster {
 public:
  explicit Forecaster(const PacerOptions& pace) : pacer_(pace) {}

  void take(const archive::Entry& entry) {
    const RecordView& record = entry.record;
    if (record.kind == RecordKind::wal) {
      take_wal(record);
    } else if (record.kind == RecordKind::gap) {
      found_.gaps.emplace_back(record.body);
    } else if (record.kind == RecordKind::snapshot_row) {
      ++found_.snapshot_rows;
    } else if (record.kind == RecordKind::sse || record.kind == RecordKind::notify ||
               record.kind == RecordKind::redis) {
      ++found_.events;
    }
    if (record.prelude || entry.t_hi == 0) return;
    pacer_.due(entry.t_hi, Instant());
    if (first_us_ == 0) first_us_ = last_us_ = entry.t_hi;
    const Duration pause = std::chrono::microseconds(entry.t_hi - last_us_);
    found_.longest_pause = std::max(found_.longest_pause, pause);
    last_us_ = entry.t_hi;
  }

  Forecast finish() {
    found_.recorded = pacer_.recorded();
    found_.span = std::chrono::microseconds(last_us_ - first_us_);
    return std::move(found_);
  }

 private:
  void take_wal(const RecordView& record) {
    const pgoutput::DecodeResult decoded = pgoutput::decode(record.body);
    if (!decoded) return;
    if (const auto* relation = std::get_if<pgoutput::Relation>(&decoded.message)) {
      relations_.apply(*relation);
    }
    if (record.prelude) return;
    bytes_ += record.body.size();
    if (const auto* begin = std::get_if<pgoutput::Begin>(&decoded.message)) {
      bytes_ = record.body.size();
      rows_ = 0;
      const std::int64_t at = begin->commit_time.unix_us();
      if (at < newest_us_) ++found_.out_of_order;
      newest_us_ = std::max(newest_us_, at);
    } else if (std::holds_alternative<pgoutput::Commit>(decoded.message)) {
      ++found_.transactions;
      found_.rows += rows_;
      found_.largest_rows = std::max(found_.largest_rows, rows_);
      found_.largest_bytes = std::max(found_.largest_bytes, bytes_);
    } else {
      take_row(decoded.message);
    }
  }

  void take_row(const pgoutput::Message& message) {
    if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
      ++rows_;
      ++table(insert->relation).inserts;
    } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
      ++rows_;
      TableForecast& counts = table(update->relation);
      ++counts.updates;
      if (!has_key(update->relation)) ++counts.without_key;
      const bool sent_all =
          std::none_of(update->row.begin(), update->row.end(), [](const pgoutput::Value& value) {
            return value.kind == pgoutput::ValueKind::unchanged;
          });
      if (!sent_all && update->old_kind != pgoutput::OldRow::full) ++counts.unchanged;
    } else if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
      ++rows_;
      TableForecast& counts = table(gone->relation);
      ++counts.deletes;
      if (!has_key(gone->relation)) ++counts.without_key;
    } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
      for (std::size_t i = 0; i < truncate->relations.size(); ++i) {
        ++rows_;
        ++table(truncate->relations[i]).truncates;
      }
    }
  }

  TableForecast& table(std::uint32_t oid) {
    const pgoutput::CachedRelation* relation = relations_.find(oid);
    return found_.tables[relation == nullptr ? fmt::format("relation {}", oid)
                                             : relation->schema + "." + relation->name];
  }
  // With identity FULL the target's own key serves, if it has one: only that can be said here.
  bool has_key(std::uint32_t oid) const {
    const pgoutput::CachedRelation* relation = relations_.find(oid);
    return relation != nullptr && relation->identity != 'f';
  }

  Pacer pacer_;
  pgoutput::RelationCache relations_;
  Forecast found_;
  std::int64_t first_us_ = 0;
  std::int64_t last_us_ = 0;
  std::int64_t newest_us_ = 0;
  std::uint64_t rows_ = 0;   // of the open transaction
  std::uint64_t bytes_ = 0;  // .. of its messages
};

}  // namespace

Result<Forecast> forecast(const ArchiveSourceOptions& options) {
  archive::ReadOptions read;
  read.on_damage = options.on_damage;
  read.committed_only = true;
  archive::Reader reader = RT_TRY(archive::Reader::open(options.path, read));
  Forecaster found(options.pace);
  archive::Entry entry;
  RT_CHECKED(go_to_start(reader, options.from));
  bool last = false;
  while (RT_TRY(reader.next(entry))) {
    if (is_past_end(entry, options)) break;
    found.take(entry);
    if (options.last_row && options.last_row(entry.record)) last = true;
    if (last && !reader.tracker().open()) break;
  }
  return found.finish();
}

std::string forecast_text(const Forecast& forecast, const std::string& path, double speed) {
  std::string text = fmt::format(
      "would play {} rows in {} transactions (largest {} rows, {}) and {} events of {}\n",
      format_count(forecast.rows), format_count(forecast.transactions),
      format_count(forecast.largest_rows),
      format_bytes(static_cast<double>(forecast.largest_bytes)), format_count(forecast.events),
      path);
  const bool paced = speed != kMaxSpeed;
  text +=
      fmt::format("recorded span {:.3f} s, longest pause {:.3f} s; {}\n", seconds(forecast.span),
                  seconds(forecast.longest_pause),
                  paced ? fmt::format("at {}x {:.3f} s", speed, seconds(forecast.recorded) / speed)
                        : std::string("as fast as the target takes it"));
  if (forecast.snapshot_rows > 0) {
    text += fmt::format("snapshot of {} rows\n", format_count(forecast.snapshot_rows));
  }
  for (const auto& [name, table] : forecast.tables) {
    text += fmt::format("table {}: {} inserts, {} updates, {} deletes, {} truncates\n", name,
                        format_count(table.inserts), format_count(table.updates),
                        format_count(table.deletes), format_count(table.truncates));
    if (table.without_key > 0) {
      text += fmt::format(
          "  {} changes know their row by all columns, no key (REPLICA IDENTITY "
          "FULL)\n",
          format_count(table.without_key));
    }
    if (table.unchanged > 0) {
      text += fmt::format("  {} updates lack large values that they did not change\n",
                          format_count(table.unchanged));
    }
  }
  if (forecast.out_of_order > 0) {
    text += fmt::format("{} transactions are stamped before one that committed earlier\n",
                        format_count(forecast.out_of_order));
  }
  for (const std::string& gap : forecast.gaps) text += "gap: " + gap + "\n";
  return text;
}

}  // namespace rt::rtreplay
