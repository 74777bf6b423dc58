// GET /metrics, read by the grammar of the text format 0.0.4, as a scraper does.
#include "server/metrics.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "proto/http1_request.h"
#include "server/metrics_endpoint.h"

using namespace rt;
using namespace rt::server;

namespace {

using Labels = std::map<std::string, std::string>;

// A scraper's view of an exposition. Every violation of the format fails the test.
class Scrape {
 public:
  explicit Scrape(const std::string& text) {
    REQUIRE_FALSE(text.empty());
    REQUIRE(text.back() == '\n');
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      INFO("line: " << line);
      line.rfind("# ", 0) == 0 ? take_comment(line) : take_sample(line);
    }
  }

  double value(const std::string& name, const Labels& labels = {}) const {
    const auto found = samples_.find({name, labels});
    INFO("sample " << name);
    REQUIRE(found != samples_.end());
    return found->second;
  }
  bool has(const std::string& name) const { return types_.count(name) > 0; }
  const std::map<std::string, std::string>& types() const { return types_; }

 private:
  static bool is_name(const std::string& name, bool with_colon) {
    const auto fits = [&](char c, bool first) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      return letter || (with_colon && c == ':') || (!first && c >= '0' && c <= '9');
    };
    if (name.empty() || !fits(name.front(), true)) return false;
    for (const char c : name) {
      if (!fits(c, false)) return false;
    }
    return true;
  }

  void take_comment(const std::string& line) {
    std::istringstream words(line);
    std::string hash;
    std::string keyword;
    std::string name;
    words >> hash >> keyword >> name;
    REQUIRE(is_name(name, true));
    if (keyword == "HELP") {
      REQUIRE(helps_.insert(name).second);
      return;
    }
    REQUIRE(keyword == "TYPE");
    std::string type;
    words >> type;
    REQUIRE(std::set<std::string>{"counter", "gauge", "untyped"}.count(type) == 1);
    REQUIRE(types_.emplace(name, type).second);  // at most one TYPE a name, before its samples
    current_ = name;
  }

  void take_sample(const std::string& line) {
    std::size_t at = line.find_first_of("{ ");
    REQUIRE(at != std::string::npos);
    const std::string name = line.substr(0, at);
    REQUIRE(name == current_);  // samples of one family stand together
    Labels labels;
    if (line[at] == '{') at = take_labels(line, at + 1, labels);
    REQUIRE(line[at] == ' ');
    std::size_t used = 0;
    const std::string number = line.substr(at + 1);
    const double value = std::stod(number, &used);
    REQUIRE(used == number.size());
    REQUIRE(samples_.emplace(std::make_pair(name, labels), value).second);
  }

  // The offset behind the closing brace.
  static std::size_t take_labels(const std::string& line, std::size_t at, Labels& labels) {
    for (;;) {
      const std::size_t equals = line.find("=\"", at);
      REQUIRE(equals != std::string::npos);
      const std::string name = line.substr(at, equals - at);
      REQUIRE(is_name(name, false));
      std::string value;
      for (at = equals + 2; line.at(at) != '"'; ++at) {
        if (line[at] != '\\') {
          value.push_back(line[at]);
          continue;
        }
        const char escaped = line.at(++at);
        REQUIRE(std::string("\\\"n").find(escaped) != std::string::npos);
        value.push_back(escaped == 'n' ? '\n' : escaped);
      }
      REQUIRE(labels.emplace(name, value).second);
      const char next = line.at(++at);
      ++at;
      if (next == '}') return at;
      REQUIRE(next == ',');
    }
  }

  std::string current_;
  std::set<std::string> helps_;
  std::map<std::string, std::string> types_;
  std::map<std::pair<std::string, Labels>, double> samples_;
};

MetricsFacts facts_at(std::int64_t now_s) {
  MetricsFacts facts;
  facts.started = from_unix_us(1'700'000'000'000'000);
  facts.now = from_unix_us(now_s * 1'000'000);
  facts.shards = 2;
  return facts;
}

http1::RequestHead request(std::string_view method, const std::string& path) {
  http1::RequestHead head;
  head.method = method;
  head.path = path;
  return head;
}

}  // namespace

TEST_CASE("metrics: every family has one TYPE, one HELP, and a name that says its unit",
          "[metrics]") {
  const Counters counters;
  const Scrape scrape(metrics_text(counters, facts_at(1'700'000'100)));
  REQUIRE(scrape.types().size() > 20);
  for (const auto& [name, type] : scrape.types()) {
    CAPTURE(name);
    const bool total = name.size() > 6 && name.substr(name.size() - 6) == "_total";
    CHECK(total == (type == "counter"));
  }
}

TEST_CASE("metrics: counts appear under their names", "[metrics]") {
  Counters counters;
  counters.connections = 12;
  counters.subscribers = 10;
  counters.events_sent = 18'446'744'073'709;
  counters.slow_disconnects = 3;
  MetricsFacts facts = facts_at(1'700'000'100);
  facts.process.resident_bytes = 1 << 20;
  facts.process.cpu_seconds = 1.5;
  const Scrape scrape(metrics_text(counters, facts));
  CHECK(scrape.value("rt_connections") == 12);
  CHECK(scrape.value("rt_subscribers") == 10);
  CHECK(scrape.value("rt_events_sent_total") == 18'446'744'073'709.0);
  CHECK(scrape.value("rt_slow_disconnects_total") == 3);
  CHECK(scrape.value("rt_shards") == 2);
  CHECK(scrape.value("process_resident_memory_bytes") == 1 << 20);
  CHECK(scrape.value("process_cpu_seconds_total") == 1.5);
  CHECK(scrape.value("process_start_time_seconds") == 1'700'000'000);
}

TEST_CASE("metrics: replication lag is bytes and seconds; an idle database is not behind",
          "[metrics]") {
  Counters counters;
  counters.last_commit_us = 1'700'000'090'000'000;
  MetricsFacts facts = facts_at(1'700'000'100);
  facts.source.kind = "postgres";
  facts.source.lag_bytes = 4096;
  facts.source.connected = false;
  const Scrape behind(metrics_text(counters, facts));
  CHECK(behind.value("rt_replication_lag_bytes") == 4096);
  CHECK(behind.value("rt_replication_lag_seconds") == 10);
  CHECK(behind.value("rt_source_connected", {{"kind", "postgres"}}) == 0);
  facts.source.lag_bytes = 0;
  CHECK(Scrape(metrics_text(counters, facts)).value("rt_replication_lag_seconds") == 0);
}

TEST_CASE("metrics: the log's line of each minute tells the lag too", "[metrics]") {
  Counters counters;
  counters.last_commit_us = 1'700'000'090'000'000;
  counters.subscribers = 3;
  counters.runs = 7;
  counters.events = 9;
  SourceHealth source;
  source.lag_bytes = 4096;
  const WallTime now = from_unix_us(1'700'000'100'500'000);
  CHECK(report_fields(counters, source, now) ==
        "subscribers=3 runs=7 events=9 lag_bytes=4096 lag_s=10.5 slow_disconnects=0 "
        "expired_disconnects=0");
  source.lag_bytes = 0;
  CHECK(report_fields(counters, source, now).find(" lag_bytes=0 lag_s=0.0 ") != std::string::npos);
}

TEST_CASE("metrics: a surface has exactly one state, and its counts by name", "[metrics]") {
  const Counters counters;
  MetricsFacts facts = facts_at(1'700'000'100);
  facts.surfaces.push_back({"topics", {SurfaceHealth::State::ok, "", {{"published", 7}}}});
  facts.surfaces.push_back({"events", {SurfaceHealth::State::unavailable, "no Redis", {}}});
  const Scrape scrape(metrics_text(counters, facts));
  CHECK(scrape.value("rt_surface_state", {{"surface", "topics"}, {"state", "ok"}}) == 1);
  CHECK(scrape.value("rt_surface_state", {{"surface", "topics"}, {"state", "degraded"}}) == 0);
  CHECK(scrape.value("rt_surface_state", {{"surface", "events"}, {"state", "ok"}}) == 0);
  CHECK(scrape.value("rt_surface_state", {{"surface", "events"}, {"state", "unavailable"}}) == 1);
  CHECK(scrape.value("rt_surface_count", {{"surface", "topics"}, {"count", "published"}}) == 7);
}

TEST_CASE("metrics: quotes, backslashes and line feeds in a label come back as they were",
          "[metrics]") {
  const Counters counters;
  const std::string hostile = "a\"b\\c\nd}e,f=\"";
  MetricsFacts facts = facts_at(1'700'000'100);
  facts.surfaces.push_back({"topics", {SurfaceHealth::State::ok, "", {{hostile, 1}}}});
  const Scrape scrape(metrics_text(counters, facts));
  CHECK(scrape.value("rt_surface_count", {{"surface", "topics"}, {"count", hostile}}) == 1);
}

TEST_CASE("metrics: this process has memory and has used the processor", "[metrics]") {
  const ProcessFacts facts = read_process_facts();
  CHECK(facts.resident_bytes > 1 << 20);
  CHECK(facts.cpu_seconds > 0);
}

TEST_CASE("metrics endpoint: GET and HEAD of /metrics alone", "[metrics]") {
  const auto endpoint = metrics_endpoint([] { return std::string("x 1\n"); });
  for (const char* method : {"GET", "HEAD"}) {
    const Outcome outcome = endpoint->on_request(request(method, "/metrics"));
    REQUIRE(std::holds_alternative<Answer>(outcome));
    CHECK(std::get<Answer>(outcome).status == 200);
    CHECK(std::get<Answer>(outcome).body == "x 1\n");
    CHECK(std::get<Answer>(outcome).content_type.find("version=0.0.4") != std::string::npos);
  }
  const Outcome post = endpoint->on_request(request("POST", "/metrics"));
  REQUIRE(std::holds_alternative<Answer>(post));
  CHECK(std::get<Answer>(post).status == 405);
  CHECK(std::holds_alternative<NotMine>(endpoint->on_request(request("GET", "/metric"))));
  CHECK(std::holds_alternative<NotMine>(endpoint->on_request(request("GET", "/metrics/"))));
}
