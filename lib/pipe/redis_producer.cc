#include "pipe/redis_producer.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace rt {
namespace {

constexpr std::string_view kAttempt = "cannot publish to Redis";

}  // namespace

Result<std::unique_ptr<RedisProducer>> RedisProducer::open(const RedisProducerOptions& options,
                                                           const Clock& clock) {
  RedisOptions connect;
  connect.client_name = "rtbench";
  std::vector<Lane> lanes;
  for (unsigned i = 0; i < std::max(1U, options.connections); ++i) {
    lanes.push_back({RT_TRY(RedisConnection::connect(options.address, connect)), {}});
  }
  return std::unique_ptr<RedisProducer>(new RedisProducer(options, std::move(lanes), clock));
}

Result<void> RedisProducer::prepare(std::uint32_t,
                                    const std::function<std::string(std::uint32_t)>& name_of,
                                    std::string_view) {
  name_of_ = name_of;
  return {};
}

void RedisProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  if (fault_) return;
  const std::string name = name_of_(topic);
  place_.clear();
  body_.clear();
  options_.place.append(place_, name, payload);
  options_.body.append(body_, name, payload);
  Lane& lane = lanes_[topic % lanes_.size()];
  const auto sent =
      options_.to_stream
          ? lane.connection.send({"XADD", place_, "MAXLEN", "~", "100000", "*", "data", body_},
                                 kAttempt)
          : lane.connection.send({"PUBLISH", place_, body_}, kAttempt);
  if (!sent) {
    fault_ = sent.error();
    return;
  }
  lane.in_flight.push_back(ticket);
}

Result<void> RedisProducer::turn(Instant until, std::vector<Answer>& answers) {
  if (fault_) return fail(*fault_);
  std::vector<pollfd> waits;
  for (const Lane& lane : lanes_) waits.push_back({lane.connection.socket(), POLLIN, 0});
  const timespec timeout = time_left(until, clock_.now());
  if (::ppoll(waits.data(), waits.size(), &timeout, nullptr) < 0 && errno != EINTR) {
    return fail(os_error("cannot wait for Redis", errno));
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (waits[i].revents != 0) RT_CHECKED(collect(lanes_[i], answers));
  }
  return {};
}

Result<void> RedisProducer::collect(Lane& lane, std::vector<Answer>& answers) {
  while (auto reply = RT_TRY(lane.connection.next(clock_.now(), kAttempt))) {
    if (lane.in_flight.empty()) continue;
    const bool accepted = reply->kind != RedisReply::Kind::error;
    if (!accepted && first_failure_.empty()) first_failure_ = reply->text;
    answers.push_back({lane.in_flight.front(), clock_.now(), accepted});
    lane.in_flight.pop_front();
  }
  return {};
}

}  // namespace rt
