// The thread of the fault proxy: sockets on both sides of each connection, and the faults that are
// at work. Private to the proxy; run() is the body of its thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "io/poller.h"
#include "io/socket.h"
#include "io/wakeup.h"
#include "load/fault_pipe.h"
#include "load/scenario_behaviour.h"

namespace rt {

class FaultRelay {
 public:
  FaultRelay(const io::Address& target, bool shows_events, std::vector<FaultSpec> faults,
             std::uint64_t seed, const Clock& clock, Fd listener, io::Wakeup wakeup);

  void run();

  // Any thread.
  void begin(std::size_t fault, Instant at);
  void stop();

 private:
  struct Side {
    Fd fd;
    bool reads = true;  // what it is watched for
    bool writes = false;
  };
  struct Link {
    Link(std::uint64_t seed, bool watches_events) : down(seed, watches_events) {}

    Side client;
    Side target;
    std::uint64_t number = 0;
    FaultPipe down;
    std::string up;  // requests: a few hundred bytes
    bool target_ended = false;
    Instant armed = Instant::max();  // its earliest place in due_
    std::vector<FaultAtWork> faults;
    std::vector<std::size_t> numbers;  // of those faults
  };
  struct Active {
    std::size_t fault = 0;
    Instant end{};
  };
  struct Due {
    Instant at;
    std::size_t link = 0;
    bool operator>(const Due& other) const { return at > other.at; }
  };

  void turn();
  void follow_orders();
  bool hits(std::size_t fault, std::uint64_t number) const;
  void strike(std::size_t link, std::size_t fault, Instant end);
  void end_faults(Instant now);
  void release(std::size_t link, std::size_t fault, Instant now);

  void accept(Instant now);
  void open(Fd client, Fd target, Instant now);
  void ready(const io::Ready& event, Instant now);
  void read_client(std::size_t link);
  void read_target(std::size_t link, Instant now);
  void push_up(std::size_t link);
  void push_down(std::size_t link, Instant now);
  void want(Side& side, std::uint64_t token, bool reads, bool writes);
  void close(std::size_t link);

  const io::Address target_;
  const std::vector<FaultSpec> specs_;
  const std::uint64_t seed_;
  const Clock& clock_;
  Fd listener_;
  io::Wakeup wakeup_;
  std::vector<char> buffer_;
  io::Poller* poller_ = nullptr;  // while run() runs
  const bool watches_events_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::size_t> free_;  // places in links_
  std::vector<Active> active_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t accepted_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<std::size_t, Instant>> begun_;  // under mutex_; as many as faults
  std::atomic<bool> stopped_{false};
};

}  // namespace rt
