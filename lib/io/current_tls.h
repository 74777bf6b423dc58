// The TLS context that new connections begin with. One thread sets it, at start and when files are
// loaded anew; others look at it, and take a lock only after a change. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "io/tls.h"

namespace rt::io {

class CurrentTls {
 public:
  void set(std::shared_ptr<const TlsContext> context) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
    version_.fetch_add(1, std::memory_order_release);
  }

  // A reader's own copy; belongs to one thread.
  class View {
   public:
    explicit View(const CurrentTls& current) : current_(current) {}
    // Null: connections are not encrypted.
    const std::shared_ptr<const TlsContext>& look() {
      const std::uint32_t version = current_.version_.load(std::memory_order_acquire);
      if (version == seen_) return context_;
      const std::lock_guard lock(current_.mutex_);
      context_ = current_.context_;
      seen_ = version;
      return context_;
    }

   private:
    const CurrentTls& current_;
    std::shared_ptr<const TlsContext> context_;
    std::uint32_t seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> context_;
  std::atomic<std::uint32_t> version_{0};
};

}  // namespace rt::io
