// What a shard does with the items of a stream. Private to the shard's source files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "load/payload.h"
#include "load/shard.h"
#include "load/shard_slot.h"

namespace rt {

// Takes what one read brought. `now`: right after that read.
struct Shard::Events {
  Shard& shard;
  std::size_t number;
  Slot& slot;
  Instant now;
  std::int64_t stamp_unix_ns;  // when the kernel took the last byte of that read; 0: unknown

  void on_open();
  void on_event(const sse::EventView& event);
  // shard_content.cc
  void check_content(std::optional<Payload>& payload, std::string_view text, std::string_view rest);
  void count_corrupt(const std::string& which);
  void count_unasked(const Payload& payload);
  void on_state(const std::optional<Payload>& payload);
  void begin_anew();
  bool is_repeat(const Ledger::Verdict& verdict, std::uint32_t sequence);
  void on_delivery(const Payload& payload, std::uint32_t place, std::string_view id);
  void on_comment(std::string_view) {
    ++shard.counts_.integrity.comments;
    heard();
  }
  void heard();
  void on_retry(std::chrono::milliseconds delay) {
    slot.retry_ms = static_cast<std::uint32_t>(delay.count());  // at most a day
  }
};

// Why an attempt failed, by the error of the socket.
ConnectFailure failure_of(int os_errno);
// The same for the text of an os_error(), which ends in the error's name.
ConnectFailure failure_named_in(std::string_view why);

}  // namespace rt
