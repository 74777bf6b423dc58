// Publishes events to Redis, over several connections that never wait for an answer: PUBLISH on a
// channel, or XADD to a stream. A topic belongs to one connection. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipe/event_producer.h"
#include "pipe/event_text.h"
#include "redis/connection.h"

namespace rt {

struct RedisProducerOptions {
  RedisAddress address;
  EventText place;         // channel, or key of the stream; plain
  EventText body;          // json
  bool to_stream = false;  // XADD place MAXLEN ~ 100000 * data body
  unsigned connections = 2;
};

class RedisProducer final : public EventProducer {
 public:
  static Result<std::unique_ptr<RedisProducer>> open(const RedisProducerOptions& options,
                                                     const Clock& clock);

  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override;
  const std::string& first_failure() const override { return first_failure_; }

 private:
  struct Lane {
    RedisConnection connection;
    std::deque<std::uint64_t> in_flight;  // tickets, oldest first; bounded by the publisher
  };
  RedisProducer(RedisProducerOptions options, std::vector<Lane> lanes, const Clock& clock)
      : options_(std::move(options)), lanes_(std::move(lanes)), clock_(clock) {}
  Result<void> collect(Lane& lane, std::vector<Answer>& answers);

  RedisProducerOptions options_;
  std::vector<Lane> lanes_;
  const Clock& clock_;
  std::function<std::string(std::uint32_t)> name_of_;
  std::string place_;
  std::string body_;
  std::string first_failure_;
  std::optional<Error> fault_;
};

}  // namespace rt
