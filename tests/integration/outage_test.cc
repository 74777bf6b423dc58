// Back ends killed under load: all surfaces of one `rtctl serve` on one PostgreSQL and one Redis,
// with publishers that do not stop. Each recovers by itself; rows and jobs miss nothing; what a
// surface without a past missed lies at a gap that its subscribers were told of.
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/pgboss.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class Server {
 public:
  Server(const PrivatePostgres& postgres, const PrivateRedis& redis, const std::string& surfaces,
         const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"rtctl",      "serve",        "--listen", "127.0.0.1:0",
                                      "--pg",       postgres.dsn(), "--redis",  redis.url(),
                                      "--surfaces", surfaces};
    words.insert(words.end(), more.begin(), more.end());
    tool_ = std::make_unique<RunningTool>(words);
    REQUIRE(tool_->wait_for("rtctl: serving"));
    const std::string& text = tool_->error_text();
    const std::size_t at = text.find("url=http://") + 11;
    address_ = *io::parse_address(text.substr(at, text.find(' ', at) - at));
    REQUIRE(is("ok"));
  }
  const io::Address& address() const { return address_; }
  std::string url() const { return "http://" + address_.text(); }
  json health() const {
    HttpClient client(address_);
    client.get("/health", "Connection: close\r\n");
    const std::string answer = client.until_closed();
    return json::parse(answer.substr(answer.find("\r\n\r\n")));
  }
  bool is(const std::string& status, Duration patience = 15s) const {
    return eventually(patience, [&] { return health()["status"] == status; });
  }
  // 0: no answer.
  int post(const std::string& target, const std::string& body) const {
    HttpClient client(address_);
    client.send("POST " + target + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string& answer = client.until_closed();
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }

 private:
  std::unique_ptr<RunningTool> tool_;
  io::Address address_;
};

// Posts 1, 2, 3 ... as fast as they are answered, until it is told to stop; remembers what was
// taken.
class Flood {
 public:
  Flood(const Server& server, std::string target, std::string before, std::string after = "}")
      : thread_([=, this, &server](const std::stop_token& stop) {
          for (int n = 1; !stop.stop_requested(); ++n) {
            const int status = server.post(target, before + std::to_string(n) + after);
            if (status / 100 == 2) taken_.push_back(n);
            if (status / 100 != 2) ++refused_;
            last_ = n;
          }
        }) {}
  int last() const { return last_; }
  int refused() const { return refused_; }
  // Further messages, from now on.
  bool goes_on(int more) const {
    const int seen = last_;
    return eventually(20s, [&] { return last_ >= seen + more; });
  }
  // Ends it. What was answered with 2xx, in order.
  const std::vector<int>& taken() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return taken_;
  }

 private:
  std::vector<int> taken_;
  std::atomic<int> last_{0};
  std::atomic<int> refused_{0};
  std::jthread thread_;
};

// A subscriber that reads as it comes, and what it received: the number of each event, 0 for a gap.
class Listener {
 public:
  static constexpr int kGap = 0;

  // open: what the stream says once nothing more is missed; number: what stands before each one's.
  Listener(const Server& server, const std::string& target, const std::string& open,
           std::string number)
      : client_(server.address()), number_(std::move(number)) {
    client_.get(target);
    REQUIRE(client_.until(open).find(open) != std::string::npos);
    thread_ = std::jthread([this] { client_.until_true([this] { return has_last(); }); });
  }
  // All of it, once `last` is among it.
  std::vector<int> until(int last) {
    CAPTURE(last);
    last_ = last;
    thread_.join();
    CHECK(has_last());
    std::vector<int> seen;
    std::istringstream lines(client_.received());
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(": gap", 0) == 0) seen.push_back(kGap);
      const std::size_t at = line.find(number_);
      if (at != std::string::npos) seen.push_back(std::stoi(line.substr(at + number_.size())));
    }
    return seen;
  }

 private:
  bool has_last() const {
    if (last_ == 0) return false;
    const std::string& text = client_.received();
    for (std::size_t at = text.rfind(number_); at != std::string::npos && at > 0;
         at = text.rfind(number_, at - 1)) {
      if (text.find("\n\n", at) == std::string::npos) continue;
      return std::stoi(text.substr(at + number_.size())) >= last_;
    }
    return false;
  }

  HttpClient client_;
  std::string number_;
  std::atomic<int> last_{0};  // what it waits for; 0: not known yet
  std::jthread thread_;
};

// Nothing is out of order, and of what was taken only what lies at a gap is missing. With
// `repeats`, a message whose answer was lost may have been sent again.
void check_complete(const std::vector<int>& taken, const std::vector<int>& seen, bool repeats) {
  std::size_t next = 0;
  int last = 0;
  bool at_gap = false;
  std::vector<int> lost;
  for (const int n : seen) {
    if (n == Listener::kGap) {
      at_gap = true;
      continue;
    }
    if (repeats && n == last) continue;
    CHECK(n > last);
    last = n;
    while (next < taken.size() && taken[next] < n) {
      if (!at_gap) lost.push_back(taken[next]);
      ++next;
    }
    if (next < taken.size() && taken[next] == n) {
      ++next;
      at_gap = false;
    }
  }
  CHECK(lost == std::vector<int>{});
  CHECK(next == taken.size());
}

// Sets the row's number to 1, 2, 3 ... through every crash of the database; what it does not know
// to be committed, it looks up.
class RowWriter {
 public:
  RowWriter(const PrivatePostgres& postgres, std::string table, std::string where, int last)
      : thread_([=, this, &postgres](const std::stop_token& stop) {
          while (n_ < last && !stop.stop_requested()) {
            auto connection = Connection::connect(postgres.dsn(), {});
            if (!connection) {
              linger(5ms);
              continue;
            }
            const auto stands =
                connection->query("SELECT data->>'n' FROM " + table + where, {}, "look");
            if (!stands) continue;
            n_ = std::stoi(std::string(stands->value(0, 0).value()));
            while (n_ < last && !stop.stop_requested()) {
              if (!connection->exec("UPDATE " + table + " SET data = '{\"n\": " +
                                        std::to_string(n_ + 1) + "}'" + where,
                                    "change")) {
                break;
              }
              ++n_;
            }
          }
        }) {}
  bool reaches(int n) const {
    return eventually(30s, [&] { return n_ >= n; });
  }

 private:
  std::atomic<int> n_{0};
  std::jthread thread_;
};

// Each number up to `last`, once and in order.
void check_each_once(const std::vector<int>& seen, int last) {
  int next = 0;
  for (const int n : seen) {
    if (n != next) FAIL_CHECK("got " << n << " where " << next << " is due");
    next = n + 1;
  }
  CHECK(next == last + 1);
}

}  // namespace

TEST_CASE("outage: PostgreSQL killed twice under load: rows miss nothing, topics say their gaps",
          "[outage]") {
  constexpr int kChanges = 1500;
  PrivatePostgres postgres(PrivatePostgres::Settings{{"fsync", "on"}});
  const PrivateRedis redis;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  postgres.exec("INSERT INTO task_run (id, data) VALUES ('r', '{\"n\": 0}')");
  const Server server(postgres, redis, "runs,topics,realtime",
                      {"--realtime-transport", "postgres"});
  Listener rows(server, "/v1/runs/stream?run_id=r", "event: initial", "{\"n\":");
  Listener topic(server, "/topics/t/events", "listening t", "{\"n\":");
  Listener realtime(server, "/realtime", "\"connected\"", "\"data\":");
  RowWriter writer(postgres, "task_run", " WHERE id = 'r'", kChanges);
  Flood posts(server, "/topics/t/events", "{\"data\":{\"n\":", "}}");
  Flood events(server, "/realtime", R"({"type":"t","data":)");
  for (const int n : {kChanges / 3, 2 * kChanges / 3}) {
    REQUIRE(writer.reaches(n));
    postgres.kill_9();
    CHECK(server.is("degraded"));
    REQUIRE(posts.goes_on(20));
    postgres.start();
    CHECK(server.is("ok"));
    REQUIRE(posts.goes_on(20));
    REQUIRE(events.goes_on(20));
  }
  REQUIRE(writer.reaches(kChanges));
  check_each_once(rows.until(kChanges), kChanges);
  const std::vector<int>& taken = posts.taken();
  check_complete(taken, topic.until(taken.back()), true);
  CHECK(posts.refused() > 0);
  const std::vector<int>& told = events.taken();
  const std::vector<int> seen = realtime.until(told.back());
  CHECK(std::count(seen.begin(), seen.end(), Listener::kGap) >= 2);
  const json health = server.health();
  CHECK(health["source"]["reconnects"] >= 2);
  CHECK(health["surfaces"]["topics"]["gaps"] == 2);
  CHECK(health["surfaces"]["realtime"]["reconnects"] == 2);
}

TEST_CASE("outage: Redis killed twice under load: events say their gaps and go on", "[outage]") {
  PrivatePostgres postgres;
  PrivateRedis redis;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  const Server server(postgres, redis, "events,realtime", {"--realtime-transport", "redis"});
  Listener events(server, "/events?scope=gym&scope_id=1", ": retry", "data: ");
  Listener realtime(server, "/realtime", "\"connected\"", "\"data\":");
  Flood posts(server, "/events", R"({"channel":"gym:1:a","event_type":"t","data":)");
  Flood shouts(server, "/realtime", R"({"type":"t","data":)");
  for (int times = 0; times < 2; ++times) {
    REQUIRE(posts.goes_on(100));
    redis.kill_9();
    CHECK(server.is("degraded"));
    REQUIRE(posts.goes_on(5));
    redis.start();
    CHECK(server.is("ok"));
    REQUIRE(posts.goes_on(100));
    REQUIRE(shouts.goes_on(100));
  }
  const std::vector<int>& taken = posts.taken();
  check_complete(taken, events.until(taken.back()), false);
  CHECK(posts.refused() > 0);
  const std::vector<int>& told = shouts.taken();
  const std::vector<int> seen = realtime.until(told.back());
  CHECK(std::count(seen.begin(), seen.end(), Listener::kGap) >= 2);
  const json health = server.health();
  CHECK(health["surfaces"]["events"]["gaps"] == 2);
  CHECK(health["surfaces"]["realtime"]["reconnects"] == 2);
}

TEST_CASE("outage: PostgreSQL killed while jobs change: each stream has every state, and ends",
          "[outage]") {
  constexpr int kJobs = 40;
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  Boss boss(folder, "pgboss", "mail=standard");
  const PrivateRedis redis;
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const Server server(boss.postgres, redis, "jobs");
  std::vector<std::string> ids;
  std::vector<std::unique_ptr<HttpClient>> streams;
  for (int i = 0; i < kJobs; ++i) {
    ids.push_back(first_line(boss.jobs({"send", "mail", "{}"}).out));
    streams.push_back(std::make_unique<HttpClient>(server.address()));
    streams.back()->get("/jobs/" + ids.back() + "/stream");
    streams.back()->until("\"status\":\"pending\"");
  }
  // Each state in a transaction of its own, again until it is known to be there.
  std::atomic<int> changes{0};
  const std::jthread worker([&] {
    for (const char* state : {"active", "completed"}) {
      for (const std::string& id : ids) {
        while (true) {
          auto connection = Connection::connect(boss.postgres.dsn(), {});
          if (connection && connection->exec("UPDATE pgboss.job SET state = '" +
                                                 std::string(state) + "' WHERE id = '" + id + "'",
                                             "change")) {
            break;
          }
          linger(5ms);
        }
        ++changes;
      }
    }
  });
  for (const int n : {kJobs / 2, kJobs + kJobs / 2}) {
    REQUIRE(eventually(20s, [&] { return changes >= n; }));
    boss.postgres.kill_9();
    CHECK(server.is("degraded"));
    boss.postgres.start();
    CHECK(server.is("ok"));
  }
  for (const auto& stream : streams) {
    std::string states;
    const std::string& text = stream->until_closed();
    const std::string before = "\"status\":\"";
    for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
      at += before.size();
      states += text.substr(at, text.find('"', at) - at) + " ";
    }
    CHECK(stream->closed());
    CHECK(states == "pending active completed ");
  }
}

}  // namespace rt::test
