// Compares what a subscriber received with what it should have received, one event at a time, and
// counts what is wrong: missing, double, never sent (phantom), out of order, transactions seen in
// part (torn), wrong content. Pure; one thread.
//
// Memory is bounded: at most `window` expected events are held, and of them at most `bytes_max`
// bytes (held_bytes() counts them), those before the newest one received and those looked ahead at.
// An event that comes later than that counts as out of order, the one it may have been as missing.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "rtreplay/event_fields.h"

namespace rt::rtreplay {

struct ExpectedEvent {
  std::string id;                 // empty: it is known by its content
  std::uint64_t transaction = 0;  // commit LSN; 0: none
  std::uint64_t key = 0;          // what it is about: changes of one key have an order
  EventFields fields;
  enum class Body : std::uint8_t {
    exact,
    part,  // the recording does not tell all: what both know must be equal
    any,
  };
  Body body = Body::exact;
  bool required = true;    // false: right if it comes, nothing missing if not
  bool after_gap = false;  // the recorder was blind between the event before and this one
};

struct ReceivedEvent {
  std::size_t line = 0;  // of the log
  std::string id;
  EventFields fields;
  std::uint64_t connection = 0;
  bool state = false;    // a row as it is, no event of the stream
  bool initial = false;  // may be the last of such rows, which carries the position of them all
};

enum class Fault : std::uint8_t { missing, duplicate, phantom, reordered, torn, wrong_body };
inline constexpr std::array<const char*, 6> kFaultNames = {"missing",   "duplicate", "phantom",
                                                           "reordered", "torn",      "wrong_body"};

struct Delivery {
  struct First {
    std::string id;
    std::size_t line = 0;  // of the log; 0: nothing was received
  };
  std::uint64_t expected = 0;  // up to the end of the recording
  std::uint64_t received = 0;  // events of the log
  std::uint64_t matched = 0;   // expected ones among them
  std::array<std::uint64_t, 6> faults{};
  std::array<First, 6> first;
  std::uint64_t missing_at_start = 0;  // of the missing: before the first event received
  std::uint64_t reordered_in_key = 0;  // of the reordered: after a later change of the same key
  std::uint64_t behind = 0;            // expected after the last event received
  std::string behind_from;             // the first of them
  std::uint64_t announced = 0;         // lost in gaps that the subscriber was told of
  std::uint64_t outside = 0;           // received from before or after what is recorded, or in a
                                       // gap of the recording: cannot be judged
  std::uint64_t state_rows = 0;        // rows as they were
  std::uint64_t reconnects = 0;

  std::uint64_t count(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
  bool violated() const;
};

class DeliveryJudge {
 public:
  // As many as a subscriber may be out of step with: half a minute of 3,000 events a second.
  static constexpr std::size_t kWindow = 96 * 1024;
  // Events of few columns have 300 bytes, so this bounds only those of many.
  static constexpr std::size_t kBytesMax = 32 * 1024 * 1024;

  struct Options {
    bool ordered_ids = false;  // ids of one length, in text order
    std::string last_id;       // with ordered ids: nothing later is recorded
    std::size_t window = kWindow;
    std::size_t bytes_max = kBytesMax;
  };
  // The next expected event, in order; false at the end.
  using Next = std::function<Result<bool>(ExpectedEvent&)>;

  DeliveryJudge(Next next, Options options);

  Result<void> take(const ReceivedEvent& event);
  // The subscriber was told that events are lost here.
  void gap();
  // The log has ended.
  Result<Delivery> finish();

  // Of the expected events in memory, with what finds them again. Above bytes_max by one event at
  // most.
  std::size_t held_bytes() const { return held_bytes_; }

 private:
  struct Item {
    ExpectedEvent event;
    bool received = false;
    bool excused = false;
  };
  using Sequence = std::uint64_t;
  static constexpr Sequence kNone = ~Sequence{0};

  Sequence end() const { return begin_ + items_.size(); }
  Item& item(Sequence at) { return items_[at - begin_]; }
  static std::size_t bytes_of(const ExpectedEvent& event);
  bool looks_far() const;
  Result<bool> load();
  void drop_oldest();
  void settle(const Item& passed);
  void stay_behind(const ExpectedEvent& event);
  Result<Sequence> find(const ReceivedEvent& event);
  Sequence choose(const ReceivedEvent& event) const;
  void arrive(Sequence at, const ReceivedEvent& event);
  void not_found(const ReceivedEvent& event);
  bool is_state(Sequence at, const ReceivedEvent& event) const;
  Result<void> skip_to_state(const ReceivedEvent& event);
  void pass_over(Sequence at, bool excused);
  void enter(std::uint64_t transaction);
  bool is_outside(const ReceivedEvent& event) const;
  void note(Fault fault, const std::string& id, std::size_t line);

  Next next_;
  Options options_;
  Delivery found_;
  std::deque<Item> items_;
  std::size_t held_bytes_ = 0;
  Sequence begin_ = 0;  // of items_
  Sequence front_ = 0;  // after the newest received or passed over
  std::unordered_multimap<std::uint64_t, Sequence> index_;     // id or content of items_
  std::unordered_map<std::uint64_t, Sequence> newest_of_key_;  // received
  std::string first_id_;                                       // of all expected
  std::string last_id_;                                        // loaded
  bool ended_ = false;
  bool any_matched_ = false;
  bool excuse_ = false;        // what is skipped next is no loss
  bool may_be_state_ = true;   // an initial may be a row as it is
  bool inside_state_ = false;  // the event before was such a row
  std::uint64_t connection_ = 0;
  std::uint64_t transaction_ = 0;  // of the newest received or passed over
  std::uint64_t seen_in_it_ = 0;
  std::uint64_t skipped_in_it_ = 0;
  std::string first_skipped_;
  std::size_t line_ = 0;
};

}  // namespace rt::rtreplay
