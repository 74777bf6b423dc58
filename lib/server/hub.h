// The hub: takes records, keeps the current row of every run, turns each change into one encoded
// event, and hands it to the shards that have a subscriber for it. One thread owns all of it.
//
// Order: a subscriber's request and the events travel through the same rings, so the state a
// subscriber gets and the events that follow it meet without a seam: none missing, none twice.
//
// The runs surface is the hub's own; every other one has a Board here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "server/board.h"
#include "server/catch_up.h"
#include "server/counters.h"
#include "server/drain.h"
#include "server/history.h"
#include "server/history_ring.h"
#include "server/link.h"
#include "server/memory_table.h"
#include "server/run_changes.h"
#include "server/run_go_frames.h"
#include "server/run_store.h"

namespace rt::server {

class Hub final : private BoardPort {
 public:
  struct Options {
    std::string table = "task_run";
    std::size_t ring_bytes_max = std::size_t{64} << 20;
    bool accepts_publish = false;  // rows come over HTTP: there is no database behind
    bool expects_rows = true;      // a source will bring the state
    bool compat_go = false;        // runs look as the Go service sends them, see RunGoFrames
  };

  // links: one per shard, at most kShardsMax; they and drain outlive the hub. history: or null.
  Hub(Options options, const Clock& clock, std::vector<Link*> links, io::Wakeup wakeup,
      Counters& counters, Drain& drain, std::unique_ptr<History> history);

  static constexpr std::size_t kShardsMax = 64;  // a directory entry is one 64-bit mask

  // Before restore(). One a surface.
  Result<void> add(Surface surface, std::unique_ptr<Board> board);
  // Before run(): applies what the history holds. Returns the LSN to go on from, if there is any.
  Result<std::optional<History::Resume>> restore();

  // Source threads, one a surface: hand over a batch, waiting while the hub is behind
  // (kBatchesMax). For `runs` records of the WAL, or of an archive of it.
  Result<void> take(Surface surface, RecordBatch& batch, const std::stop_token& stop);

  // The hub thread. Once the drain has begun, each shard gets its last message in the end.
  void run(const std::stop_token& stop);
  // Any thread: makes the hub look at its rings.
  io::Wakeup& wakeup() override { return wakeup_; }

 private:
  // A batch is at most 1 MiB, so that what waits here is bounded.
  static constexpr std::size_t kBatchesMax = 16;

  bool round();
  void apply(const RecordBatch& batch);
  void deliver(EventRef event);
  void send_to_subscribers(const EventRef& event);
  // hub_boards.cc
  void send(const EventRef& event) override { send_to_subscribers(event); }
  bool has_room() override;
  void answer(const Asker& asker, Answer answer) override;
  void tell(const Asker& subscriber, std::string text, bool last) override;
  WallTime now() override { return clock_.wall(); }
  bool hear_messages();
  void hear_row(const RecordView& record);
  void serve_board(const Asker& asker, ToHub& message);
  void tidy_boards();
  void begin_in_memory(const std::optional<History::Resume>& resume);
  void begin_anew(Position position);
  void post(std::size_t shard, ToShard&& message);
  void ring_shards();
  bool serve_shard(std::size_t shard);
  void serve(const Asker& asker, ToHub& message);
  void subscribe(std::size_t shard, ToHub& message);
  std::optional<CatchUp> go_on(const ToHub& message);
  RunGoFrames* go_frames() { return go_frames_ ? &*go_frames_ : nullptr; }
  CatchUp from_rows(std::shared_ptr<const RunFilter> filter);
  void advance(std::size_t shard, ConnectionId connection, CatchUp catch_up, std::string text);
  void publish(std::size_t shard, const ToHub& message);
  void update_counters();
  // hub_drain.cc
  bool has_heard_shards() const;
  void drain();
  void tell_shards_done();

  // A connection that is catching up, by (shard, slot).
  static std::uint64_t catch_up_key(std::size_t shard, std::uint32_t slot) {
    return std::uint64_t{shard} << 32 | slot;
  }
  struct CatchingUp {
    std::uint32_t generation;
    CatchUp state;
  };

  const Options options_;
  const Clock& clock_;
  const std::vector<Link*> links_;
  io::Wakeup wakeup_;
  Counters& counters_;
  Drain& drain_;
  std::unique_ptr<History> history_;

  using Batches = io::SpscRing<std::shared_ptr<RecordBatch>>;

  std::array<std::optional<Batches>, kSurfaceCount> batches_;  // those that have a source
  std::array<std::unique_ptr<Board>, kSurfaceCount> boards_;
  RunStore store_;
  std::optional<RunGoFrames> go_frames_;
  RunChanges changes_;
  HistoryRing ring_;
  MemoryTable memory_table_;
  KeyMap<std::uint64_t> directory_;  // key -> shards that have a subscriber for it
  std::unordered_map<std::uint64_t, CatchingUp> catching_up_;
  std::uint64_t shards_to_ring_ = 0;
  bool finished_ = false;     // the shards have their last message
  bool shards_told_ = false;  // that all of them are through
};

}  // namespace rt::server
