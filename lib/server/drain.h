// The server's way out, as its threads share it: whether it has begun, until when it may take, and
// what came of it. It begins once; a later deadline, or an earlier one, may be set at any time.
// docs/serving.md, "Draining". Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "server/surface.h"

namespace rt::server {

// What was delivered, and what was not.
struct DrainReport {
  std::uint64_t goodbyes = 0;       // subscribers that were told
  std::uint64_t cut_off = 0;        // of those, whose socket did not take all of it in time
  std::uint64_t unsent_events = 0;  // events that these were owed
  std::uint64_t unanswered = 0;     // requests answered 503, because their answer was not there
  std::uint32_t behind = 0;         // surfaces (bits) with something still on its way to the hub

  bool is_complete() const { return cut_off == 0 && unanswered == 0 && behind == 0; }
  // "goodbyes=3 cut_off=1 unsent_events=12 unanswered=0 behind=topics"
  std::string text() const;
};

class Drain {
 public:
  void begin(Instant deadline) {
    deadline_ = deadline;
    has_begun_ = true;
  }
  bool has_begun() const { return has_begun_; }
  Instant deadline() const { return deadline_; }

  // A shard has nothing left to send. All stay until this holds for all: an open connection may ask
  // for health, wherever it is.
  void add_shard_done() { shards_done_.fetch_add(1, std::memory_order_acq_rel); }
  std::size_t shards_done() const { return shards_done_.load(std::memory_order_acquire); }

  // Shards, each its own.
  void add_goodbye() { goodbyes_.fetch_add(1, std::memory_order_relaxed); }
  void add_cut_off(std::uint64_t unsent_events) {
    cut_off_.fetch_add(1, std::memory_order_relaxed);
    unsent_events_.fetch_add(unsent_events, std::memory_order_relaxed);
  }
  void add_unanswered() { unanswered_.fetch_add(1, std::memory_order_relaxed); }
  // The hub: its last words to the shards are said.
  void set_hub_done() { hub_done_.store(true, std::memory_order_release); }
  bool is_hub_done() const { return hub_done_.load(std::memory_order_acquire); }
  void set_behind(Surface surface) {
    behind_.fetch_or(1U << static_cast<unsigned>(surface), std::memory_order_relaxed);
  }

  // Complete when the threads are through.
  DrainReport report() const { return {goodbyes_, cut_off_, unsent_events_, unanswered_, behind_}; }

 private:
  std::atomic<Instant> deadline_{Instant::max()};
  std::atomic<bool> has_begun_{false};
  std::atomic<bool> hub_done_{false};
  std::atomic<std::size_t> shards_done_{0};
  std::atomic<std::uint64_t> goodbyes_{0};
  std::atomic<std::uint64_t> cut_off_{0};
  std::atomic<std::uint64_t> unsent_events_{0};
  std::atomic<std::uint64_t> unanswered_{0};
  std::atomic<std::uint32_t> behind_{0};
};

}  // namespace rt::server
