#include "rtbench/meeting.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "base/units.h"
#include "http/http_get.h"
#include "io/socket.h"
#include "load/start_roll.h"
#include "load/stream_target.h"
#include "rtbench/page_server.h"

namespace rt::rtbench {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
constexpr Duration kTimeout = std::chrono::seconds(2);
// So long those who came may take to hear that there is no start.
constexpr Duration kFarewell = std::chrono::seconds(2);

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}:{}", host.data(), ::getpid());
}

tl::unexpected<Error> stopped() {
  return fail(Code::cancelled, "stopped while waiting for the other shards");
}

StartRoll::Hello hello_of(const Rendezvous& place) {
  return {place.run_id, place.shard, place.scenario_sha256, this_process()};
}

// Shard 0: answers the others.
class Host {
 public:
  Host(const Rendezvous& place, const Clock& clock, const Pause& pause)
      : place_(place),
        clock_(clock),
        pause_(pause),
        roll_(place.run_id, place.shard.count, place.scenario_sha256, place.after) {}

  Result<WallTime> run() {
    const StreamTarget url = RT_TRY(StreamTarget::parse(place_.place));
    const auto found = RT_TRY(io::resolve(url.host, url.port));
    if (found.empty()) return fail(Code::unreachable, "cannot resolve " + url.host);
    auto pages = PageServer::start(
        found.front().text(), [this](const http1::RequestHead& head) { return answer_to(head); },
        clock_);
    if (!pages) {
      Error error = std::move(pages).error().context("cannot meet at " + place_.place);
      error.hint =
          "the URL of --rendezvous is of the machine that runs shard 0, which listens there";
      return fail(std::move(error));
    }
    const Instant until = clock_.now() + place_.patience;
    const StartRoll::Hello own = hello_of(place_);
    for (;;) {
      const auto told = hello(own);
      if (!told) return farewell(told.error());
      if (*told && all_know()) return **told;
      if (*told && clock_.wall() >= **told) {
        return fail(Code::unreachable, "a shard did not come back to hear of the start");
      }
      if (!*told && clock_.now() >= until) give_up();
      if (pause_(kBetween) != 0) return stopped();
    }
  }

 private:
  Page answer_to(const http1::RequestHead& head) {
    const auto from = parse_hello_path(head.path);
    if (!from) return {"404 Not Found", "text/plain", from.error().text + "\n"};
    const auto told = hello(*from);
    return {told ? "200 OK" : "409 Conflict", "text/plain", hello_answer(told)};
  }

  Result<std::optional<WallTime>> hello(const StartRoll::Hello& from) {
    const std::lock_guard lock(mutex_);
    return roll_.hello(from, clock_.wall());
  }
  bool all_know() {
    const std::lock_guard lock(mutex_);
    return roll_.all_know();
  }
  void give_up() {
    const std::lock_guard lock(mutex_);
    roll_.give_up(
        {Code::unreachable,
         fmt::format("shard {} did not come to {} within {}", fmt::join(roll_.missing(), ", "),
                     place_.place, format_duration(place_.patience)),
         {}});
  }
  Result<WallTime> farewell(const Error& why) {
    const Instant until = clock_.now() + kFarewell;
    while (!all_know() && clock_.now() < until && pause_(kBetween) == 0) {
    }
    return fail(why);
  }

  const Rendezvous& place_;
  const Clock& clock_;
  const Pause& pause_;
  std::mutex mutex_;
  StartRoll roll_;
};

Result<WallTime> visit(const Rendezvous& place, const Clock& clock, const Pause& pause) {
  const Instant until = clock.now() + place.patience;
  HttpGet page(place.place + hello_path(hello_of(place)), HttpOptions{}, kTimeout);
  for (;;) {
    const Result<HttpReply> reply = page.get();
    if (!reply && reply.error().code != Code::unreachable) return fail(reply.error());
    if (reply) {
      if (const auto start = RT_TRY(parse_hello_answer(reply->body))) return *start;
    }
    if (clock.now() >= until) {
      const char* const who = reply ? "the other shards" : "shard 0";
      return fail(Code::unreachable,
                  fmt::format("{} did not come to {} within {}", who, place.place,
                              format_duration(place.patience)),
                  reply ? "" : reply.error().text);
    }
    if (pause(kBetween) != 0) return stopped();
  }
}

}  // namespace

Result<WallTime> agree_at_url(const Rendezvous& place, const Clock& clock, const Pause& pause) {
  if (place.shard.number == 0) return Host(place, clock, pause).run();
  return visit(place, clock, pause);
}

}  // namespace rt::rtbench
