// One event, encoded once: immutable, shared by every shard and connection that wants it.
// Who may want it is in its keys. What a subscriber of runs sees of it depends on whether its
// filter held before and after the change: `initial` (it begins to match), `delta`, or `left` (it
// stops). A message of a topic has one frame, and the same once more as a part of a gzip stream.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/position.h"
#include "server/run_facts.h"
#include "server/run_filter.h"
#include "server/surface.h"

namespace rt::server {

class EventBlock {
 public:
  // Each frame is one whole server-sent event, its first line "id: <position>\n"; empty if no
  // subscriber can be owed it.
  struct Content {
    Surface surface = Surface::runs;
    Position position;                    // of runs only
    std::int64_t commit_us = 0;           // the database's commit time, Unix microseconds
    std::uint32_t run = 0;                // slot of the run in the store
    std::optional<RunFacts> before;       // absent: the run did not exist
    std::optional<RunFacts> after;        // absent: it no longer does
    std::span<const std::uint64_t> keys;  // no key twice
    std::string_view initial;
    std::string_view delta;
    std::string_view left;
    // Other surfaces: whom it is for among the subscribers of its keys (zero: all of them), and its
    // one frame.
    Hash128 target;
    bool last = false;  // the subscriber's stream ends with it
    std::string_view frame;
    std::string_view gzip_frame;  // a whole number of deflate blocks; empty: nobody wants it
    // How many subscribers' sockets do not take it, or others that it is counted with, yet; null:
    // nobody asks.
    std::shared_ptr<std::atomic<std::uint64_t>> held_back;
  };
  // Copies everything into one allocation. The caller holds the first reference.
  static EventBlock* create(const Content& content);

  const Content& content() const { return content_; }
  const Position& position() const { return content_.position; }
  std::size_t memory_bytes() const { return memory_bytes_; }

  // What a subscriber with this filter sees: one of the frames, or nothing.
  std::string_view frame_for(const RunFilter& filter) const;
  // The same for a filter on one run id and nothing else.
  std::string_view frame_for_run(const Hash128& id) const;
  // What a subscriber of this target sees, on a surface without state.
  std::string_view frame_for_target(const Hash128& target, bool gzip) const;

  void hold() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();

 private:
  EventBlock() = default;
  ~EventBlock() = default;

  std::atomic<std::uint32_t> references_{1};
  std::size_t memory_bytes_ = 0;
  Content content_;
};

// A counted reference.
class EventRef {
 public:
  EventRef() = default;
  static EventRef adopt(EventBlock* block) { return EventRef(block); }
  static EventRef share(EventBlock* block) {
    block->hold();
    return EventRef(block);
  }
  EventRef(EventRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  EventRef& operator=(EventRef&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  EventRef(const EventRef& other) : block_(other.block_) {
    if (block_ != nullptr) block_->hold();
  }
  EventRef& operator=(const EventRef& other) {
    EventRef copy(other);
    std::swap(block_, copy.block_);
    return *this;
  }
  ~EventRef() {
    if (block_ != nullptr) block_->release();
  }
  EventBlock* operator->() const { return block_; }
  EventBlock& operator*() const { return *block_; }
  explicit operator bool() const { return block_ != nullptr; }

 private:
  explicit EventRef(EventBlock* block) : block_(block) {}
  EventBlock* block_ = nullptr;
};

}  // namespace rt::server
