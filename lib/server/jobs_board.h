// The jobs surface in the hub. Of jobs that have not ended it keeps the current row in memory; one
// that has, or that it does not know, is looked up in the database, while the hub goes on.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/position.h"
#include "proto/job_row.h"
#include "server/board.h"
#include "server/errands.h"
#include "server/job_changes.h"

namespace rt::server {

class JobsBoard final : public Board {
 public:
  struct Options {
    std::string table = "job_runs";
    // Both on a thread of their own, may wait, one at a time.
    std::function<Result<std::optional<JobRow>>(const std::string& id)> look;
    // The new job's id. Code::refused: no such queue; negative: no room in it.
    std::function<Result<std::string>(const std::string& queue, const std::string& data)> send;
    // Rows held, frames and all; a job beyond it is known, and looked up when somebody asks.
    std::size_t row_bytes_max = std::size_t{64} << 20;
  };
  // For GET /health: jobs that have not ended. Any thread.
  using Count = std::shared_ptr<std::atomic<std::uint64_t>>;

  explicit JobsBoard(Options options);

  Result<void> open(BoardPort& port) override;
  void join(const Asker& subscriber, const Opening& opening) override;
  void part(const Asker& subscriber, const Hash128& target, bool gzip) override;
  void ask(const Asker& asker, Question question) override;
  void hear(const RecordView& record) override { changes_.take(record); }
  bool hears_rows() const override { return true; }
  bool turn() override;
  bool drain() override { return senders_->outstanding() == 0; }
  const Count& unfinished_count() const { return count_; }

 private:
  struct HashTarget {
    std::size_t operator()(const Hash128& target) const { return target.low; }
  };
  template <typename T>
  using ByJob = std::unordered_map<Hash128, T, HashTarget>;

  struct Kept {
    Position position;
    std::string frame;  // empty: not held
  };
  struct Watcher {
    Asker asker;
    std::uint64_t number = 0;  // of its lookup; 0: none is out, or what it says is old by now
  };
  struct Watched {
    std::string id;
    std::vector<Watcher> watchers;
  };

  void take_row(Position position, const JobRow& row);
  void take_end(Position position, const std::string& id);
  void take_truncate(Position position);
  void begin_anew();
  void complete(Position position);
  void forget(const Hash128& job);
  void remember_end(const Hash128& job, Position position);
  void send(const Hash128& job, Position position, std::string_view frame, bool last);
  void look_up(const Hash128& job, Watcher& watcher);
  void looked_up(const Hash128& job, std::uint64_t number,
                 const Result<std::optional<JobRow>>& found);

  Options options_;
  JobChanges changes_;
  BoardPort* port_ = nullptr;
  ByJob<Kept> unfinished_;
  std::size_t row_bytes_ = 0;
  // A snapshot was taken, so that every unfinished job is known; else one that is not in memory may
  // well be in the database.
  bool knows_all_ = false;
  // When the last jobs ended: who has seen it is told nothing again. 24 bytes each.
  static constexpr std::size_t kEndedMax = 65'536;
  ByJob<Position> ended_;
  std::deque<Hash128> ended_order_;
  ByJob<Watched> watched_;
  std::uint64_t lookups_ = 0;
  Count count_;
  std::unique_ptr<Errands> lookers_;
  std::unique_ptr<Errands> senders_;  // apart: a burst of new jobs holds up no watcher
};

}  // namespace rt::server
