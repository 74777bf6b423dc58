// `rtctl serve`: row changes of the database, by one replication slot, for every surface that needs
// them.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "pg/names.h"
#include "pipe/wal_source.h"
#include "rtctl/serve_surface.h"
#include "rtctl/verbs.h"
#include "server/server.h"

namespace rt::rtctl {

struct RowsFlags {
  std::string table = "task_run";
  std::string slot = "trigger_realtime_slot";
  std::string publication{kDefaultPublication};
};
void declare_rows(CLI::App* verb, RowsFlags& flags);

// What must hold before a table is worth following; its identity and the publication are made on
// the way. Code::refused: a need that is not met.
Result<void> prepare_rows(const ServeContext& context, const TableName& table,
                          const std::string& publication);

// Feeds a server. Outlives it, because the server confirms to it.
class RowsFeed {
 public:
  // cancel_fd: calls start() off.
  RowsFeed(std::string dsn, const RowsFlags& flags, std::vector<TableName> tables, int cancel_fd)
      : dsn_(std::move(dsn)), flags_(flags), tables_(std::move(tables)), cancel_fd_(cancel_fd) {}

  Result<void> start(server::Server& server);
  bool ended() const { return ended_; }
  void stop();
  const Result<void>& outcome() const { return outcome_; }  // after stop()

  // Any thread.
  server::SourceHealth health() const;

 private:
  Result<SnapshotMode> snapshot_mode(bool has_state) const;

  const std::string dsn_;
  const RowsFlags flags_;
  const std::vector<TableName> tables_;
  const int cancel_fd_;
  std::unique_ptr<WalSource> source_;
  std::atomic<const WalSource*> shown_{nullptr};  // source_, once it is there
  std::atomic<bool> ended_{false};
  Result<void> outcome_;
  std::jthread thread_;
};

}  // namespace rt::rtctl
