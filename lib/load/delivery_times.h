// Turns deliveries into latencies: joins each with the commit time of its transaction, off the hot
// path. A delivery whose commit is not known yet waits (bounded); one whose commit never becomes
// known is counted, because a figure that leaves it out would be a claim without support. The
// control thread's.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "load/histogram.h"
#include "load/shard_messages.h"
#include "load/slowest.h"
#include "load/worst_cases.h"
#include "pipe/commit_times.h"

namespace rt {

class DeliveryTimes {
 public:
  // by_commit false: there is no database clock, and delivery counts from the intended instant.
  // `phases`: kinds of deliveries that are told apart (Delivery::bucket).
  // live: only the first so many of them count in take_second(); the rest are in no phase of the
  // run.
  // worst, slowest: told of each live delivery; outlive this, or nullptr.
  DeliveryTimes(std::size_t phases, bool by_commit, std::size_t live = SIZE_MAX,
                WorstCases* worst = nullptr, Slowest* slowest = nullptr);

  // Ascending LSNs.
  void learn(std::span<const Commit> commits);
  // wall_minus_mono_ns: of this host's clocks, now.
  void take(const Delivery& delivery, std::int64_t wall_minus_mono_ns);
  // Looks again at what waits.
  void resolve();
  // No more commits will be learnt: what waits is counted as untimed.
  void finish();

  const Histogram& delivery(std::size_t phase) const { return phases_[phase].delivery; }
  const Histogram& intended(std::size_t phase) const { return phases_[phase].intended; }
  // Stages, of deliveries that the kernel stamped. Events of one read have the stamp of its last
  // byte, so that the ones before it waited at least as long.
  const Histogram& commit_to_wire(std::size_t phase) const { return phases_[phase].to_wire; }
  const Histogram& wire_to_parse(std::size_t phase) const { return phases_[phase].to_parse; }
  std::uint64_t untimed(std::size_t phase) const { return phases_[phase].untimed; }
  std::size_t waiting() const { return waiting_.size(); }
  // Live deliveries resolved since the last call.
  Histogram take_second();

 private:
  struct Phase {
    Histogram delivery;
    Histogram intended;
    Histogram to_wire;          // commit to kernel's stamp
    Histogram to_parse;         // kernel's stamp to parsed
    std::uint64_t untimed = 0;  // received, and its commit time never became known
  };
  struct Waiting {
    Delivery delivery;
    std::int64_t wall_minus_mono_ns;  // when it was taken
    std::int64_t received_unix_ns() const { return delivery.received_ns + wall_minus_mono_ns; }
  };
  // 1,000,000 commits are some 10 minutes of a fast run and 16 MiB. A delivery later than that
  // finds its commit forgotten and is counted as untimed.
  static constexpr std::size_t kCommitsMax = 1'000'000;
  // The slot that tells commit times runs beside the server's; should it fall behind, so many wait.
  static constexpr std::size_t kWaitingMax = 4'000'000;

  enum class Found : std::uint8_t { yes, not_yet, never };
  Found find(std::uint64_t lsn, std::int64_t& unix_us);
  void record(const Waiting& taken, std::int64_t us, std::int64_t committed_unix_us);

  bool by_commit_;
  std::vector<Phase> phases_;
  std::vector<Commit> commits_;
  std::size_t last_found_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t live_;
  WorstCases* worst_;
  Slowest* slowest_;
  Histogram second_;
};

}  // namespace rt
