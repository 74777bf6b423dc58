// How the connection beneath a realtime bus fares: what its source says of it, for any thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "pipe/link_watch.h"
#include "pipe/realtime_bus.h"

namespace rt {

// Outlives the source that it watches. Thread-safe.
class RealtimeLink {
 public:
  // watch: told what is told here, on the source's thread.
  explicit RealtimeLink(LinkWatch watch) : outer_(std::move(watch)) {}

  // For the source. begin: asked on its thread, when it is first connected, where it begins.
  LinkWatch watch(std::function<std::optional<RedisEntryId>()> begin = {});

  // What the source's run() returned: an error is why it will not come back.
  Result<void> ended(Result<void> outcome);

  RealtimeBusStatus status() const;
  bool is_connected() const { return status().connected; }
  void on_change(std::function<void()> call);

 private:
  void opened(bool again, std::optional<RedisEntryId> begin);
  void lost(const Error& reason);
  void changed();

  const LinkWatch outer_;
  mutable std::mutex mutex_;
  RealtimeBusStatus status_;
  std::mutex change_mutex_;  // held during the call, so that {} means that none runs any more
  std::function<void()> on_change_;
};

}  // namespace rt
