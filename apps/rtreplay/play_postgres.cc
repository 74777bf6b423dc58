#include "rtreplay/play_postgres.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "pg/target_check.h"

namespace rt::rtreplay {
namespace {

constexpr const char* kApplication = "rtreplay-play";

std::string recording_name(const archive::SegmentHeader& recording) {
  std::string name = "rtreplay_";
  for (const std::uint8_t byte : recording.recording_id) {
    char hex[2];
    write_hex(hex, byte, 2);
    name.append(hex, sizeof hex);
  }
  return name;
}

// The publication that was recorded, from the header's notes; empty if they do not say.
std::string recorded_publication(const archive::SegmentHeader& recording) {
  const auto notes = nlohmann::json::parse(recording.origin.notes_json, nullptr, false);
  if (!notes.is_object()) return {};
  if (notes.contains("publication") && notes["publication"].is_string()) {
    return notes["publication"].get<std::string>();
  }
  const std::string source = notes.value("source", "");
  constexpr std::string_view kBefore = ", publication ";
  const auto at = source.find(kBefore);
  if (at == source.npos) return {};
  const auto from = at + kBefore.size();
  return source.substr(from, source.find(',', from) - from);
}

Result<void> guard_against_loop(const PostgresTarget& target,
                                const archive::SegmentHeader& recording,
                                const ConnectOptions& connect) {
  if (target.i_know || recording.origin.system_identifier == 0) return {};
  Connection connection = RT_TRY(Connection::connect(target.dsn, connect));
  const auto recorded = RT_TRY(is_recorded_database(connection, recording.origin.system_identifier,
                                                    recorded_publication(recording)));
  if (recorded != true) return {};
  return fail(Code::refused,
              fmt::format("{} is the database that was recorded: what is played would be recorded "
                          "again, without end",
                          connection.endpoint()),
              "name another database, or say --i-know");
}

}  // namespace

Result<void> check_postgres_target(const PostgresTarget& target) {
  RT_TRY(parse_on_conflict(target.on_conflict));
  if (target.yes || RT_TRY(is_local_database(target.dsn))) return {};
  return fail(Code::usage, "the target database is not on this machine",
              "say --yes if it is the one to write to");
}

Result<std::unique_ptr<PostgresSink>> open_postgres_target(const PostgresTarget& target,
                                                           const archive::SegmentHeader& recording,
                                                           int cancel_fd, const Clock& clock) {
  ConnectOptions connect;
  connect.application_name = kApplication;
  connect.cancel_fd = cancel_fd;
  RT_CHECKED(guard_against_loop(target, recording, connect));
  ApplierOptions options;
  options.dsn = target.dsn;
  options.progress_name = target.progress_name.empty() ? recording_name(recording) + target.variant
                                                       : target.progress_name;
  options.on_conflict = RT_TRY(parse_on_conflict(target.on_conflict));
  options.with_triggers = target.with_triggers;
  options.application_name = kApplication;
  options.cancel_fd = cancel_fd;
  auto applier = RT_TRY(Applier::open(options, clock));
  const std::uint64_t applied = applier->applied_lsn();
  std::fprintf(stderr, "rtreplay: playing into %s%s%s\n", applier->endpoint().c_str(),
               applied > 0 ? ", which holds everything up to " : "",
               applied > 0 ? lsn_text(applied).c_str() : "");
  if (!applier->by_origin()) {
    std::fprintf(stderr,
                 "rtreplay: no replication origin is to be had: progress is kept in table "
                 "rtreplay.progress\n");
  }
  return std::make_unique<PostgresSink>(std::move(applier));
}

void report_postgres(PostgresSink& sink) {
  const ApplyTotals& totals = sink.applier().totals();
  std::string line = fmt::format("committed {} transactions, {} rows",
                                 format_count(totals.transactions), format_count(totals.rows));
  const auto add = [&](std::uint64_t n, const char* what) {
    if (n > 0) line += fmt::format(", {} {}", format_count(n), what);
  };
  add(totals.snapshot_rows, "rows of the snapshot");
  add(totals.messages, "messages");
  add(totals.sequences, "sequences moved");
  add(totals.known_transactions, "transactions applied before");
  add(sink.left_out(), "records that are no row changes left out");
  add(sink.gaps(), "gaps in the recording");
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
  if (totals.conflicts() == 0) return;
  line = fmt::format("{} conflicts", format_count(totals.conflicts()));
  add(totals.already_equal, "inserted rows were there, equal");
  add(totals.overwritten, "were there and were overwritten");
  add(totals.kept, "were there and stayed");
  add(totals.restored, "updated rows were missing and were inserted");
  add(totals.missing, "updated or deleted rows were missing");
  std::fprintf(stderr, "rtreplay: %s; first: %s\n", line.c_str(), totals.first_conflict.c_str());
}

}  // namespace rt::rtreplay
