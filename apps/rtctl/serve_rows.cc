#include "rtctl/serve_rows.h"

#include <fmt/format.h>

#include "base/log.h"
#include "pg/connection.h"
#include "pg/setup.h"

namespace rt::rtctl {
namespace {

void log_notice(const WalNotice& notice) {
  const std::string text = log::field("detail", notice.text);
  switch (notice.kind) {
    case WalNotice::Kind::reconnecting:
    case WalNotice::Kind::waiting:
    case WalNotice::Kind::warning:
      log::warn("database", text);
      break;
    default:
      log::info("database", text);
  }
}

}  // namespace

void declare_rows(CLI::App* verb, RowsFlags& flags) {
  verb->add_option("--table", flags.table, "The runs table")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--slot", flags.slot, "Replication slot; created if missing")
      ->type_name("NAME")
      ->envname("REPLICATION_SLOT")
      ->capture_default_str();
  verb->add_option("--publication", flags.publication, "Publication; created if missing")
      ->type_name("NAME")
      ->envname("PUBLICATION_NAME")
      ->capture_default_str();
}

Result<void> prepare_rows(const ServeContext& context, const TableName& table,
                          const std::string& publication) {
  Connection connection = RT_TRY(Connection::connect(
      context.dsn, {.application_name = "rtctl serve setup", .cancel_fd = context.cancel_fd}));
  RT_CHECKED(check_logical_wal(connection));
  RT_CHECKED(check_replication_privilege(connection));
  const Rows found = RT_TRY(
      connection.query("SELECT to_regclass($1) IS NOT NULL", {table.quoted()}, "look up a table"));
  if (found.text(0, 0) != "t") {
    return fail(Code::refused, fmt::format("table {} does not exist", table.text()),
                "create it with \"rtctl setup\", or name another with --table");
  }
  const auto on_step = [](const SetupStep& step) {
    if (step.changed) log::info("database", log::field("created", step.text));
  };
  RT_CHECKED(ensure_full_identity(connection, table, on_step));
  return ensure_publication(connection, publication, {table}, /*all_operations=*/false, on_step);
}

// With a state in the history the slot only has to go on; if it is gone, the state is read anew.
Result<SnapshotMode> RowsFeed::snapshot_mode(bool has_state) const {
  if (!has_state) return SnapshotMode::always;
  Connection connection = RT_TRY(Connection::connect(
      dsn_, {.replication = true, .application_name = "rtctl serve", .cancel_fd = cancel_fd_}));
  const auto slot = RT_TRY(read_slot(connection, flags_.slot));
  if (slot && !slot->lost) return SnapshotMode::never;
  log::warn("the slot is gone: changes since the last stop cannot be replayed",
            log::field("slot", flags_.slot));
  return SnapshotMode::always;
}

Result<void> RowsFeed::start(server::Server& server) {
  const auto& resume = server.resume();
  WalSourceOptions options;
  options.dsn = dsn_;
  options.slot = flags_.slot;
  options.publication = flags_.publication;
  options.tables = tables_;
  options.snapshot = RT_TRY(snapshot_mode(resume.has_value()));
  options.application_name = "rtctl serve";
  if (resume && options.snapshot == SnapshotMode::never) {
    options.start_lsn = resume->end_lsn;
    options.expected = {resume->system_identifier, resume->timeline, resume->end_lsn};
  }
  source_ = std::make_unique<WalSource>(std::move(options), log_notice);
  shown_ = source_.get();
  thread_ = std::jthread([this, &server](const std::stop_token& stop) {
    outcome_ = server.feed(*source_, stop);
    ended_ = true;
  });
  return {};
}

void RowsFeed::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

server::SourceHealth RowsFeed::health() const {
  server::SourceHealth health;
  health.kind = "postgres";
  health.connected = false;
  const WalSource* const source = shown_;
  if (source == nullptr) return health;
  health.connected = source->connected();
  health.lag_bytes = source->lag_bytes();
  health.reconnects = source->reconnects();
  return health;
}

}  // namespace rt::rtctl
