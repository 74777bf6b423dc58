#include "rtreplay/record_plan.h"

#include <fmt/format.h>

#include "base/text.h"
#include "rtreplay/archive_end.h"

namespace rt::rtreplay {
namespace {

// A tenth of the time after which a recording is durable: nobody waits for a record sooner.
constexpr Duration kGather = std::chrono::milliseconds(10);

Result<void> check_timeline(const OpenedArchive& opened, const ServerIdentity& server) {
  const std::uint32_t recorded = opened.writer.header().origin.timeline;
  if (!opened.resumed || recorded == server.timeline) return {};
  return fail(
      Code::refused,
      fmt::format("cannot go on with {}: it records timeline {}, the server is on timeline {}",
                  opened.writer.path(), recorded, server.timeline),
      "the server was promoted or restored, so its history is another one: record into a new "
      "archive");
}

// Why what follows cannot be joined to what the archive holds; "" if it can, or if the source is to
// say that it cannot.
Result<std::string> reason_of_gap(Connection& connection, const WalWish& wish,
                                  const WalSourceOptions& source) {
  if (!wish.keep_slot)
    return std::string("the recorder was not running, and its slot was temporary");
  if (!wish.snapshot) return std::string();
  const auto slot = RT_TRY(read_slot(connection, source.slot));
  if (slot && !slot->lost) return std::string();
  if (slot) RT_CHECKED(drop_slot(connection, source.slot));
  return fmt::format(
      "slot \"{}\" {}", source.slot,
      slot ? "was lost: the server had removed WAL that it needed" : "no longer existed");
}

// What such a slot has told of a prepared transaction it does not tell again when it commits.
Result<bool> tells_prepared(Connection& connection, const WalWish& wish,
                            const WalSourceOptions& source) {
  if (source.two_phase || !wish.keep_slot) return source.two_phase;
  const auto slot = RT_TRY(read_slot(connection, source.slot));
  return slot && slot->two_phase;
}

}  // namespace

Result<WalPlan> plan_recording(Connection& connection, const ServerIdentity& server,
                               const OpenedArchive& opened, const WalWish& wish,
                               WalSourceOptions& source) {
  RT_CHECKED(check_timeline(opened, server));
  const ArchiveEnd end = RT_TRY(read_archive_end(opened.writer.path(), opened.writer));
  WalPlan plan;
  plan.says_gap = end.gap;
  plan.gap_lsn = end.held_lsn;
  const bool goes_on = opened.resumed && end.held_lsn > 0;
  if (goes_on) plan.gap = RT_TRY(reason_of_gap(connection, wish, source));
  const bool anew = !goes_on || !plan.gap.empty() || end.snapshot_open;
  if (end.gap) plan.gap.clear();

  source.two_phase = RT_TRY(tells_prepared(connection, wish, source));
  source.temporary = !wish.keep_slot;
  source.snapshot = wish.snapshot && anew ? SnapshotMode::always : SnapshotMode::never;
  source.start_lsn = source.snapshot == SnapshotMode::always ? 0 : end.held_lsn;
  source.held_lsn = source.start_lsn;
  source.expected = {server.system_id, server.timeline, end.held_lsn, /*same_timeline=*/true};
  source.confirms_keepalives = false;
  source.gather = kGather;
  return plan;
}

}  // namespace rt::rtreplay
