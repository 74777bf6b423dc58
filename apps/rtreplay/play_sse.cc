#include "rtreplay/play_sse.h"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "base/units.h"
#include "pipe/source.h"
#include "server/server.h"

namespace rt::rtreplay {
namespace {

// How often the number of subscribers is looked at; subscribers come within seconds, not
// microseconds.
constexpr auto kLook = std::chrono::milliseconds(20);

template <typename Reached>
bool wait_for(const std::stop_token& stop, Reached&& reached) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested() && !reached()) {
    wake.wait_for(lock, stop, kLook, [] { return false; });
  }
  return !stop.stop_requested();
}

class TransformedSource final : public Source {
 public:
  TransformedSource(Source& inner, PlayTransform& transform)
      : inner_(inner), transform_(transform) {}
  Result<void> run(std::stop_token stop, const Take& take) override {
    return inner_.run(std::move(stop), [&](RecordBatch& batch) -> Result<void> {
      RecordBatch* made = RT_TRY(transform_.apply(batch));
      return take(*made);
    });
  }

 private:
  Source& inner_;
  PlayTransform& transform_;
};

}  // namespace

Result<void> play_to_sse(ArchiveSourceOptions source_options, const SseTarget& target,
                         PlayTransform& transform, std::stop_token stop,
                         const std::function<void(const ArchiveSource&)>& played) {
  const SystemClock clock;
  server::ServerOptions options;
  options.listen = RT_TRY(io::parse_address(target.listen));
  options.table = target.table;
  const auto server = RT_TRY(server::Server::start(std::move(options), clock));
  const std::string url = "http://" + server->address().text();
  // Where somebody steers, the console owns the last line of the terminal.
  const auto say = [control = source_options.control](const std::string& line) {
    if (control != nullptr) return control->say(line);
    std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
  };
  say("serving " + url + "/v1/runs/stream");

  source_options.complete_state = true;
  source_options.before_first_event = [&](const std::stop_token& token) {
    if (target.await_subscribers == 0) return;
    say("waiting for " + format_count(target.await_subscribers) + " subscribers");
    wait_for(token, [&] { return server->counters().subscribers >= target.await_subscribers; });
  };
  ArchiveSource source(std::move(source_options), clock);
  TransformedSource transformed(source, transform);
  const Result<void> fed = server->feed(transformed, stop);
  // What the hub was given last is still on its way.
  std::uint64_t sent = 0;
  std::uint64_t before = 1;
  wait_for(stop, [&] {
    before = std::exchange(sent, server->counters().bytes_sent.load());
    return fed.has_value() && sent == before;
  });
  played(source);
  server->stop();
  return fed;
}

}  // namespace rt::rtreplay
