// The realtime bus between instances of one process, as NOTIFY would be: no past, own events
// included, and a listener that lags too far behind loses events and is told.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "archive/bodies.h"
#include "pipe/outlet.h"
#include "pipe/realtime_bus.h"
#include "pipe/realtime_link.h"
#include "proto/realtime_event.h"

namespace rt {

class RealtimeExchange {
 public:
  struct Listener {
    std::vector<std::string> waiting;
    std::size_t bytes = 0;
    bool lost = false;  // since it last looked
  };

  void publish(std::string_view event) {
    {
      const std::lock_guard lock(mutex_);
      for (Listener* const listener : listeners_) {
        if (listener->bytes + event.size() > kBytesMax) {
          listener->lost = true;
        } else {
          listener->bytes += event.size();
          listener->waiting.emplace_back(event);
        }
      }
    }
    published_.notify_all();
  }

  void join(Listener& listener) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(&listener);
  }
  void part(Listener& listener) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(std::find(listeners_.begin(), listeners_.end(), &listener));
  }
  // What came since; nothing when stopped.
  Listener wait(Listener& listener, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    published_.wait(lock, stop, [&] { return !listener.waiting.empty() || listener.lost; });
    return std::exchange(listener, {});
  }

 private:
  // A listener is the server's hub, which takes thousands of events in a turn.
  static constexpr std::size_t kBytesMax = std::size_t{16} << 20;

  std::mutex mutex_;
  std::condition_variable_any published_;
  std::vector<Listener*> listeners_;
};

namespace {

class MemoryBus final : public RealtimeBus {
 public:
  explicit MemoryBus(std::shared_ptr<RealtimeExchange> exchange)
      : exchange_(std::move(exchange)), watch_(link_.watch()) {}

  Result<void> run(std::stop_token stop, const Take& take) override {
    RealtimeExchange::Listener listener;
    exchange_->join(listener);
    watch_.on_open(false);
    const Result<void> ended = listen(listener, stop, take);
    exchange_->part(listener);
    return ended;
  }

  Result<void> publish(std::string_view, std::string_view event) override {
    exchange_->publish(event);
    return {};
  }
  // Each subscriber's queue is to hold several.
  std::size_t event_bytes_max() const override { return std::size_t{1} << 20; }

  RealtimeBusStatus status() const override { return link_.status(); }
  void on_change(std::function<void()> call) override { link_.on_change(std::move(call)); }
  void close() override {}

 private:
  Result<void> listen(RealtimeExchange::Listener& listener, const std::stop_token& stop,
                      const Take& take) {
    Outlet outlet(take);
    std::string body;
    while (!stop.stop_requested()) {
      const RealtimeExchange::Listener heard = exchange_->wait(listener, stop);
      for (const std::string& event : heard.waiting) {
        body.clear();
        archive::encode(body, archive::NotifyBody{kRealtimePostgresChannel, event, 0});
        outlet.put(RecordKind::notify, body);
      }
      if (heard.lost) outlet.put(RecordKind::gap, "too many events at once: some are lost");
      if (!outlet.hand_over()) break;
    }
    return outlet.taken();
  }

  const std::shared_ptr<RealtimeExchange> exchange_;
  RealtimeLink link_{{}};
  const LinkWatch watch_;
};

}  // namespace

std::shared_ptr<RealtimeExchange> make_realtime_exchange() {
  return std::make_shared<RealtimeExchange>();
}

std::unique_ptr<RealtimeBus> realtime_over_memory(std::shared_ptr<RealtimeExchange> exchange) {
  return std::make_unique<MemoryBus>(std::move(exchange));
}

}  // namespace rt
