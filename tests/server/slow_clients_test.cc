// Subscribers that do not read among a thousand: the others wait for nobody; what the slow ones are
// owed is bounded, and they are told.
#include "server/slow_clients.h"

#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "integration/patience.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/realtime_surface.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

// All of its surfaces hold what is posted in memory.
class Instance {
 public:
  explicit Instance(const Clock& clock) : bus_(realtime_over_memory(make_realtime_exchange())) {
    ServerOptions options = with_topics();
    options.connections_max = 3'000;
    options.surfaces.push_back(realtime_parts(bus_, {.http = {}, .origin = "one"}));
    server_ = start_server(std::move(options), clock);
    listening_ = std::jthread([this](const std::stop_token& stop) {
      (void)server_->feed(Surface::realtime, *bus_, stop);
    });
    while (!bus_->status().connected) std::this_thread::yield();
  }
  ~Instance() {
    listening_ = {};
    server_->stop();
  }
  Server& operator*() const { return *server_; }
  Server* operator->() const { return server_.get(); }

 private:
  std::shared_ptr<RealtimeBus> bus_;
  std::unique_ptr<Server> server_;
  std::jthread listening_;
};

// Inflated as far as it goes; `text` itself if it is not compressed.
std::string plain(const std::string& text, bool gzip) {
  if (!gzip) return text;
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  std::string out;
  std::string piece(1 << 16, '\0');
  int status = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_SYNC_FLUSH);
    out.append(piece, 0, piece.size() - stream.avail_out);
  } while (status == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
  CHECK((status == Z_OK || status == Z_BUF_ERROR));
  inflateEnd(&stream);
  return out;
}

struct Variant {
  const char* name;
  std::string stream;   // the target to subscribe to
  std::string headers;  // of the subscription
  std::string publish;  // the target to publish to
  std::string begun;    // in a stream: its subscriber is one
  bool gzip;
};

const std::string kListening = ": listening t\n\n";
const Variant kVariants[] = {
    {"runs", "/v1/runs/stream", "", "/v1/runs", ": caught up\n\n", false},
    {"topics", "/topics/t/events", "", "/topics/t/events", kListening, false},
    {"topics with gzip", "/topics/t/events", "Accept-Encoding: gzip\r\n", "/topics/t/events",
     kListening, true},
    {"realtime", "/realtime", "", "/realtime", "\"type\":\"connected\"", false},
};

std::string message(const Variant& variant, std::size_t n) {
  const std::string before = variant.publish == "/v1/runs"    ? R"({"id":"a","data":)"
                             : variant.publish == "/realtime" ? R"({"type":"t","data":)"
                                                              : R"({"data":)";
  return before + data_of(n) + "}";
}

using Clients = std::vector<std::unique_ptr<HttpClient>>;

Clients subscribe(const Server& server, const Variant& variant, std::size_t count,
                  int receive_buffer_bytes) {
  Clients clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.address(), receive_buffer_bytes));
    clients.back()->get(variant.stream, variant.headers);
  }
  for (const auto& each : clients) each->until("\r\n\r\n");
  return clients;
}

// The whole of the frame that is out now has arrived; its text is forgotten.
bool take_event(HttpClient& client, const Variant& variant, std::size_t n, std::string& gzip_text) {
  const auto is_here = [&] {
    const std::string& text = client.received();
    if (!variant.gzip) return text.find(mark(n)) != std::string::npos && text.ends_with("\n\n");
    return !text.empty() && plain(gzip_text + text, true).find(mark(n)) != std::string::npos;
  };
  if (!client.until_true(is_here)) return false;
  if (variant.gzip) gzip_text += client.received();
  client.forget();
  return true;
}

std::string last_id(const std::string& text) {
  const std::size_t at = text.rfind("\nid: ") + 5;
  return text.substr(at, text.find('\n', at) - at);
}

nlohmann::json health_of(const Server& server) {
  return nlohmann::json::parse(server.health());
}

// A stalled client reads at last: whole frames from the first one on, the reason, the end.
std::string read_out(HttpClient& client, const Variant& variant) {
  const std::string& all = client.until_closed();
  REQUIRE(client.closed());
  CHECK(all.size() < kOwedMax);
  std::string text = plain(all.substr(all.find("\r\n\r\n") + 4), variant.gzip);
  REQUIRE(text.ends_with(kTooSlow));
  const std::string frames = text.substr(0, text.size() - kTooSlow.size());
  CHECK(frames.ends_with("\n\n"));
  const auto numbers = numbers_in(frames);
  REQUIRE_FALSE(numbers.empty());
  for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE(numbers[i] == i);
  return text;
}

// Publishes until every stalled client was given up; each event reaches all fast ones before the
// next is published. How many there were.
std::size_t publish_until_closed(const Server& server, const Variant& variant,
                                 const Clients& fast) {
  HttpClient publisher(server.address());
  std::vector<std::string> texts(fast.size());
  std::vector<Duration> times;
  const SystemClock real;
  std::size_t n = 0;
  for (; n < kEventsMax && server.counters().slow_disconnects < kStalled; ++n) {
    const Instant before = real.now();
    publisher.forget();
    publisher.post(variant.publish, message(variant, n));
    std::size_t frame_bytes = 0;  // compressed once for all: the same bytes for each
    for (std::size_t i = 0; i < fast.size(); ++i) {
      if (variant.gzip && i % 100 != 0) {  // inflating is slow: one of a hundred
        REQUIRE(fast[i]->until_true([&] { return fast[i]->received().size() >= frame_bytes; }));
        REQUIRE(fast[i]->received().size() == frame_bytes);
        fast[i]->forget();
      } else {
        const std::size_t before_bytes = texts[i].size();
        REQUIRE(take_event(*fast[i], variant, n, texts[i]));
        frame_bytes = texts[i].size() - before_bytes;
      }
    }
    REQUIRE(publisher.until("}\n").find("HTTP/1.1 200 OK") == 0);
    times.push_back(real.now() - before);
  }
  std::sort(times.begin(), times.end());
  CHECK(times[times.size() * 95 / 100] < std::chrono::seconds(5));  // to all 900, and this reader
  return n;
}

}  // namespace

TEST_CASE("slow clients: a hundred that stall among a thousand delay nobody, and are told",
          "[server][slow]") {
  for (const Variant& variant : kVariants) {
    INFO(variant.name);
    JumpClock clock;
    const Instance server(clock);
    Clients stalled = subscribe(*server, variant, kStalled, 4096);
    const Clients fast = subscribe(*server, variant, kFast, 0);
    for (const auto& each : fast) {  // past what a stream begins with
      if (variant.gzip) continue;
      REQUIRE(each->until_true([&] {
        return each->received().find(variant.begun) != std::string::npos &&
               each->received().ends_with("\n\n");
      }));
      each->forget();
    }
    if (variant.gzip) {
      for (const auto& each : fast) {
        const auto begun = [&] {
          const std::string& all = each->received();
          return plain(all.substr(all.find("\r\n\r\n") + 4), true).ends_with(variant.begun);
        };
        REQUIRE(each->until_true(begun));
        each->keep_from(each->received().find("\r\n\r\n") + 4);
      }
    }
    const std::size_t events = publish_until_closed(*server, variant, fast);
    CHECK(server->counters().slow_disconnects == kStalled);
    CHECK(health_of(*server)["totals"]["slow_disconnects"] == kStalled);
    CHECK(eventually(std::chrono::seconds(10),
                     [&] { return health_of(*server)["subscribers"] == kFast; }));
    std::string text;
    for (const auto& each : stalled) text = read_out(*each, variant);
    if (variant.publish != "/v1/runs") continue;
    // Who comes back with the last id that it has misses nothing.
    const std::size_t seen = numbers_in(text).back();
    HttpClient again(server->address());
    again.get(variant.stream, "Last-Event-ID: " + last_id(text) + "\r\n");
    const auto rest = numbers_in(again.until(mark(events - 1)));
    REQUIRE(rest.size() == events - 1 - seen);
    for (std::size_t i = 0; i < rest.size(); ++i) CHECK(rest[i] == seen + 1 + i);
  }
}

TEST_CASE("slow clients: one that reads a byte at a time ends like one that does not read",
          "[server][slow]") {
  JumpClock clock;
  const Instance server(clock);
  const Variant& variant = kVariants[0];
  HttpClient trickle(server->address(), 4096);
  trickle.get(variant.stream);
  HttpClient quick(server->address());
  quick.get(variant.stream);
  quick.until("\r\n\r\n");
  trickle.until("\r\n\r\n");
  HttpClient publisher(server->address());
  for (std::size_t n = 0; n < kEventsMax && server->counters().slow_disconnects == 0; ++n) {
    publisher.forget();
    publisher.post(variant.publish, message(variant, n));
    publisher.until("}\n");
    quick.forget();
    REQUIRE(quick.until(mark(n)).find(mark(n)) != std::string::npos);
    trickle.receive_byte();
    clock.jump(std::chrono::seconds(1));
  }
  CHECK(server->counters().slow_disconnects == 1);
  CHECK(trickle.until_closed().size() < kOwedMax);
  CHECK(trickle.closed());
}
