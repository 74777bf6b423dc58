// Sends messages of topics to where every instance hears them, on a thread of its own, because a
// database takes its time. The hub hands over and takes back through bounded rings.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "server/link.h"

namespace rt::server {

class TopicPublisher {
 public:
  // Sends one message; called on the publisher's thread, may block, says why it failed.
  using Send = std::function<Result<void>(const std::string& topic, const std::string& data)>;

  struct Job {
    std::size_t shard = 0;
    ConnectionId connection;  // who waits for the answer
    std::string topic;
    std::string data;
    std::string answer;  // body of the answer if it is sent
    Result<void> outcome;
  };

  // hub: rung when jobs are done.
  static Result<std::unique_ptr<TopicPublisher>> start(Send send, io::Wakeup& hub);
  ~TopicPublisher();

  // Hub thread. False: more are waiting than the queue holds; the job is untouched.
  bool submit(Job&& job);
  bool take_done(Job& job);

 private:
  // A publish takes about 0.1 ms; a client that waits behind this many has waited long enough.
  static constexpr std::size_t kQueueMax = 4096;

  TopicPublisher(Send send, io::Wakeup& hub, io::Wakeup own)
      : send_(std::move(send)), hub_(hub), own_(std::move(own)) {}
  void run(const std::stop_token& stop);

  Send send_;
  io::Wakeup& hub_;
  io::Wakeup own_;
  io::SpscRing<Job> jobs_{kQueueMax};
  io::SpscRing<Job> done_{2 * kQueueMax};  // never full: what is out is bounded by outstanding_
  std::size_t outstanding_ = 0;            // hub thread: submitted and not yet taken back
  std::jthread thread_;
};

}  // namespace rt::server
