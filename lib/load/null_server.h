// The least that a server of event streams can do: accept, answer, and write each event to the
// sockets of its topic. It knows no history, no filter and no queue, and it is its own producer:
// what the engine measures against it is the floor of this machine, kernel and tool together.
// One thread (the publisher's), which also accepts; sockets live in that thread's descriptor table.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "io/poller.h"
#include "io/socket.h"
#include "pipe/event_producer.h"

namespace rt {

class NullServer final : public EventProducer {
 public:
  // Listens on a free port of loopback.
  static Result<std::unique_ptr<NullServer>> open(const Clock& clock);

  std::uint16_t port() const { return port_; }

  // Topics are asked for as "/NUMBER".
  Result<void> prepare(std::uint32_t topics, const std::function<std::string(std::uint32_t)>&,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override;
  const std::string& first_failure() const override { return first_failure_; }

 private:
  struct Client {
    Fd socket;
    std::uint32_t topic = 0;
    bool subscribed = false;
    std::string unsent;  // what the socket did not take; bounded by the events in flight
  };

  NullServer(const Clock& clock, io::Poller poller, Fd listener, std::uint16_t port);
  void accept_all();
  void read(std::size_t client);
  void write(std::size_t client, std::string_view bytes);
  void write_rest(std::size_t client);
  void drop(std::size_t client);

  const Clock& clock_;
  io::Poller poller_;
  Fd listener_;
  std::uint16_t port_;
  std::vector<Client> clients_;                        // by token; never shrinks
  std::vector<std::vector<std::size_t>> subscribers_;  // by topic
  std::size_t waiting_ = 0;                            // clients with something unsent
  std::deque<std::uint64_t> unanswered_;               // written, or soon
  std::string frame_;
  std::string first_failure_;
};

}  // namespace rt
