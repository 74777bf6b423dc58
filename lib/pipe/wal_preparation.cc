// WalReader before the stream: publication, slot, snapshot.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "pg/setup.h"
#include "pipe/wal_reader.h"
#include "pipe/wal_snapshot.h"

namespace rt {

namespace {

using namespace std::chrono_literals;

constexpr Duration kSlotPoll = 200ms;
constexpr Duration kTakeoverPoll = 10ms;
// wal_sender_timeout may be off; then a dead connection's slot is free when TCP gives up.
constexpr Duration kSlotWaitWithoutTimeout = 120s;

}  // namespace

Result<std::uint64_t> WalReader::prepare(Connection& connection) {
  RT_CHECKED(check_slot_name(options_.slot));
  if (!status_) {
    if (options_.create_publication) {
      RT_CHECKED(ensure_publication(connection, options_.publication, options_.tables,
                                    /*all_operations=*/false, [this](const SetupStep& step) {
                                      if (step.changed) notice(Notice::setup, "made " + step.text);
                                    }));
    }
    tables_ = RT_TRY(published_tables(connection, options_.publication, options_.tables));
  }
  const auto slot = RT_TRY(free_slot(connection));
  RT_CHECKED(check_resumable(slot));
  if (!slot) RT_CHECKED(check_free_slot(connection));
  if (status_) {
    check_own_position(slot);
    return status_->resume_lsn();
  }

  const bool wanted = options_.snapshot == SnapshotMode::always ||
                      (options_.snapshot == SnapshotMode::if_new_slot && (!slot || created_slot_));
  return wanted && !snapshot_done_ ? take_snapshot(connection, slot)
                                   : start_without_snapshot(connection, slot);
}

// The slot's state, once nobody uses it; nullopt if there is none.
Result<std::optional<SlotState>> WalReader::free_slot(Connection& connection) {
  if (options_.temporary) return std::nullopt;
  const Duration patience = !status_                        ? options_.slot_wait
                            : sender_timeout_ > Duration(0) ? sender_timeout_ * 2
                                                            : kSlotWaitWithoutTimeout;
  const Instant deadline = clock_.now() + patience;
  bool told = false;
  for (;;) {
    auto slot = RT_TRY(read_slot(connection, options_.slot));
    if (!slot) return slot;
    RT_CHECKED(check_slot(*slot, options_.slot, server_.database));
    if (slot->active_pid == 0) return slot;
    const bool take = options_.takeover && !status_;
    if (take && slot->active_pid != std::exchange(ended_pid_, slot->active_pid)) {
      RT_CHECKED(end_other_consumer(connection, *slot));
    }
    Error in_use = slot_in_use(options_.slot, slot->active_pid);
    if (clock_.now() >= deadline) return fail(std::move(in_use));
    if (take) {  // before the other one, who comes back after 100 ms or so
      RT_CHECKED(pause(kTakeoverPoll));
      continue;
    }
    if (!told) notice(Notice::waiting, in_use.text + ": waiting for it");
    told = true;
    const auto jitter = random_.below(static_cast<std::uint64_t>(kSlotPoll.count()));
    RT_CHECKED(pause(kSlotPoll + Duration(static_cast<std::int64_t>(jitter))));
  }
}

Result<void> WalReader::check_resumable(const std::optional<SlotState>& slot) const {
  if (slot || options_.temporary) return {};
  const bool resuming =
      status_ || (options_.start_lsn != 0 && options_.snapshot == SnapshotMode::never);
  if (resuming) {
    return fail(
        Code::integrity,
        fmt::format("slot \"{}\" no longer exists on the server: changes after {} are "
                    "missing for good",
                    options_.slot, lsn_text(status_ ? status_->resume_lsn() : options_.start_lsn)),
        "start with a fresh snapshot");
  }
  if (!options_.create_slot) {
    return fail(Code::refused, fmt::format("slot \"{}\" does not exist", options_.slot),
                "let it be created, or name another slot");
  }
  return {};
}

Result<std::uint64_t> WalReader::make_slot(Connection& connection, const NewSlot& slot) {
  // It waits for every running transaction to end; an idle one can hold it for hours. Say which.
  Instant next_report{};
  auto created = create_slot(connection, slot, [&] {
    if (clock_.now() < next_report) return;
    next_report = clock_.now() + 30s;
    ConnectOptions connect;
    connect.application_name = options_.application_name;
    connect.cancel_fd = cancel_fd_;
    auto other = Connection::connect(options_.dsn, connect);
    const auto oldest = other ? oldest_transaction(*other) : Result<std::string>();
    notice(Notice::waiting,
           fmt::format("creating slot \"{}\" waits for running transactions to end{}{}", slot.name,
                       oldest && !oldest->empty() ? ", the oldest is of " : "",
                       oldest ? *oldest : ""));
  });
  // A closed connection would go unnoticed by a server that waits for somebody else's transaction.
  if (!created && created.error().code == Code::cancelled) connection.cancel_query();
  if (created && !slot.temporary) {
    created_slot_ = true;
    notice(Notice::setup, fmt::format("made slot \"{}\" at {}", slot.name, lsn_text(*created)));
  }
  return created;
}

Result<std::uint64_t> WalReader::start_without_snapshot(Connection& connection,
                                                        const std::optional<SlotState>& slot) {
  std::uint64_t start_lsn = options_.start_lsn;
  if (slot) {
    check_own_position(slot);
    start_lsn = std::max(start_lsn, slot->confirmed_flush);
  } else {
    start_lsn =
        RT_TRY(make_slot(connection, {options_.slot, options_.temporary, /*use_snapshot=*/false}));
  }
  append_prelude(writer_, tables_, unix_us(clock_.wall()));
  RT_CHECKED(writer_.flush());
  status_.emplace(StandbyStatus::timing_for(sender_timeout_), start_lsn, clock_.now());
  return start_lsn;
}

// A new slot's snapshot is the state at its first change. For a slot that exists, a temporary slot
// lends its snapshot: the state at its consistent point, from where the real slot then starts,
// which skips what the snapshot holds already.
Result<std::uint64_t> WalReader::take_snapshot(Connection& connection,
                                               const std::optional<SlotState>& slot) {
  const std::string lender = fmt::format("rt_snapshot_{:016x}", random_.next());
  const NewSlot source{slot ? lender : options_.slot, slot ? true : options_.temporary,
                       /*use_snapshot=*/true};
  RT_CHECKED(connection.exec("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ",
                             "cannot begin the snapshot"));
  const std::uint64_t point = RT_TRY(make_slot(connection, source));
  // Inside the transaction: the schema as of the consistent point.
  tables_ = RT_TRY(published_tables(connection, options_.publication, options_.tables));
  notice(Notice::snapshot,
         fmt::format("snapshot of {} tables at {}", tables_.size(), lsn_text(point)));
  tell_open();
  const std::uint64_t rows = RT_TRY(copy_snapshot(
      connection, writer_, {server_, options_.slot, options_.publication, point}, tables_, clock_));
  RT_CHECKED(connection.exec("COMMIT", "cannot end the snapshot"));
  if (slot) RT_CHECKED(drop_slot(connection, lender));
  notice(Notice::snapshot, fmt::format("snapshot complete: {} rows", rows));
  snapshot_done_ = true;
  status_.emplace(StandbyStatus::timing_for(sender_timeout_), slot ? slot->confirmed_flush : 0,
                  clock_.now());
  status_->await(point);
  return point;
}

void WalReader::check_own_position(const std::optional<SlotState>& slot) {
  if (!slot || owned_lsn_ == 0 || slot->confirmed_flush <= owned_lsn_) return;
  const std::string reason = fmt::format(
      "slot \"{}\" was moved by another consumer from {} to {}: changes between may be missing",
      options_.slot, lsn_text(owned_lsn_), lsn_text(slot->confirmed_flush));
  writer_.append({RecordKind::gap, false, owned_lsn_, unix_us(clock_.wall()), reason});
  owned_lsn_ = slot->confirmed_flush;
  notice(Notice::warning, reason);
}

Result<void> WalReader::end_other_consumer(Connection& connection, const SlotState& slot) {
  RT_TRY(connection.query(fmt::format("SELECT pg_terminate_backend({})", slot.active_pid),
                          fmt::format("cannot end process {}, which uses slot \"{}\"",
                                      slot.active_pid, options_.slot)));
  notice(Notice::warning, fmt::format("slot \"{}\" is taken over: process {} was ended",
                                      options_.slot, slot.active_pid));
  return {};
}

// A temporary slot died with its connection: what follows is not connected to what came before.
void WalReader::forget_temporary_slot() {
  if (!status_) return;
  const std::string reason =
      fmt::format("connection lost: the temporary slot is gone, changes after {} may be missing",
                  lsn_text(status_->resume_lsn()));
  writer_.append({RecordKind::gap, false, status_->resume_lsn(), unix_us(clock_.wall()), reason});
  status_.reset();
  owned_lsn_ = 0;
  snapshot_done_ = false;
  notice(Notice::warning, reason);
}

// A slot whose snapshot was never finished must not pass for one that has state behind it.
void WalReader::drop_unfinished_slot() {
  if (!created_slot_ || options_.temporary || snapshot_done_ ||
      options_.snapshot == SnapshotMode::never) {
    return;
  }
  ConnectOptions connect;
  connect.replication = true;
  connect.application_name = options_.application_name;
  connect.connect_timeout = std::chrono::seconds(1);
  auto connection = Connection::connect(options_.dsn, connect);
  if (!connection || !drop_slot(*connection, options_.slot)) {
    notice(Notice::warning,
           fmt::format("slot \"{}\" is left behind without a snapshot: drop it", options_.slot));
  }
}

}  // namespace rt
