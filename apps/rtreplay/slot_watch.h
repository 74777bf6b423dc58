// Looks from time to time at what a recorder's slot costs the server, on a thread and a connection
// of its own, and says so before it hurts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/fd.h"
#include "base/result.h"
#include "pg/connection.h"
#include "pg/slot_lag.h"

namespace rt::rtreplay {

struct SlotLimits {
  std::optional<std::uint64_t> lag_max;    // bytes not confirmed: to be warned of
  std::optional<std::uint64_t> drop_over;  // bytes pinned: then the slot must go
};

class SlotWatch {
 public:
  // All are called on the watch's thread; each text is one line.
  struct Listeners {
    std::function<void(const std::string& text)> on_warning;  // the server will drop the slot
    std::function<void(const std::string& text)> on_lag;      // more than lag_max
    std::function<void(const std::string& text)> on_drop;     // once
  };
  static Result<std::unique_ptr<SlotWatch>> start(std::string dsn, std::string slot,
                                                  const SlotLimits& limits, Listeners listeners);
  SlotWatch(const SlotWatch&) = delete;
  SlotWatch& operator=(const SlotWatch&) = delete;
  ~SlotWatch();

 private:
  SlotWatch(std::string dsn, std::string slot, const SlotLimits& limits, Listeners listeners,
            Fd cancel);
  // Until the slot must be dropped, or an error: stopped, or a lost connection.
  Result<void> watch();
  Result<void> look(Connection& connection);
  void judge(const SlotLag& lag);

  std::string dsn_;
  std::string slot_;
  SlotLimits limits_;
  Listeners listeners_;
  Fd cancel_;  // eventfd: ends its waits
  bool lagging_ = false;
  bool endangered_ = false;
  bool dropped_ = false;
  std::jthread thread_;
};

}  // namespace rt::rtreplay
