#include "load/scenario.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "load/document.h"
#include "load/presets.h"

using Catch::Matchers::Contains;
using rt::parse_scenario;
using rt::Scenario;

namespace {

constexpr const char* kSmall = R"({
  "name": "small",
  "target": {"preset": "runs", "url": "http://127.0.0.1:1/s"},
  "phases": [
    {"name": "ramp", "connections": {"to": "2k", "rate": "5k/s"}},
    {"name": "main", "hold": "20s", "measure": true}
  ],
  "publish": [{"id": "wal", "producer": {"type": "pg-update"}, "rate": "300/s"}],
  "thresholds": [{"expr": "delivery.p95 < 300ms", "phase": "main"}]
})";

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const auto read = parse_scenario(text, "x.json", overrides);
  if (read) return "accepted";
  CHECK(read.error().code == rt::Code::usage);
  return read.error().text;
}

// kSmall with the first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("scenario: what a subscriber may claim to have seen", "[load][scenario]") {
  using Claim = rt::ReconnectSpec::Claim;
  const auto claim = [](const std::string& value) {
    return parse_scenario(kSmall, "x.json", {"reconnect.last_event_id=" + value}).value().reconnect;
  };
  REQUIRE(claim("send").claim == Claim::truth);
  REQUIRE(claim("omit").claim == Claim::nothing);
  REQUIRE(claim("future").claim == Claim::future);
  REQUIRE(claim("garbage").claim == Claim::garbage);
  REQUIRE(claim(R"({"stale": {"by": "10k"}})").claim == Claim::stale);
  REQUIRE(claim(R"({"stale": {"by": "10k"}})").stale_by == 10'000);
  const auto why = [](const std::string& value, const std::string& preset = "runs") {
    return error_of(
        kSmall, {"reconnect.last_event_id=" + value, "target.preset=" + preset,
                 "publish.0.producer.type=http-post", "target.publish_url=http://127.0.0.1:1/p"});
  };
  REQUIRE_THAT(error_of(kSmall, {"reconnect.last_event_id=stale"}),
               Contains("/reconnect/last_event_id: stale by how much?"));
  REQUIRE_THAT(error_of(kSmall, {R"(reconnect.last_event_id={"stale": {"by": "2M"}})"}),
               Contains("/reconnect/last_event_id/stale/by"));
  REQUIRE_THAT(why("garbage", "topics"), Contains("has no state to begin anew with"));
  REQUIRE_THAT(why(R"({"stale": {"by": 1}})", "topics"), Contains("repeats its past"));
}

TEST_CASE("scenario: several topics a connection, where one stream can bring them",
          "[load][scenario]") {
  const std::string realtime =
      changed("\"runs\", \"url\": \"http://127.0.0.1:1/s\"",
              "\"realtime\", \"url\": \"http://127.0.0.1:1/s?events={topic}\"");
  const auto settings = [](const std::string& per_connection, const std::string& count = "10") {
    return std::vector<std::string>{
        "publish.0.producer={\"type\": \"http-post\"}",
        "subscriptions.topics={\"count\": " + count + ", \"name\": \"task-{n}\"}",
        "subscriptions.per_connection=" + per_connection};
  };
  const auto read =
      parse_scenario(realtime, "x.json", settings(R"({"dist": "uniform", "min": 2, "max": 5})"));
  if (!read) FAIL(read.error().text);
  REQUIRE(read->subscriptions.least_topics == 2);
  REQUIRE(read->subscriptions.most_topics == 5);
  const auto zipf =
      parse_scenario(realtime, "x.json", settings(R"({"dist": "zipf", "s": 1.2, "max": 5})"));
  REQUIRE(zipf);
  REQUIRE(zipf->subscriptions.per_connection == rt::SubscriptionSpec::PerConnection::zipf);
  REQUIRE(zipf->subscriptions.topics_s == 1.2);
  REQUIRE(zipf->subscriptions.least_topics == 1);
  const auto lognormal = parse_scenario(
      realtime, "x.json", settings(R"({"dist": "lognormal", "p50": 2, "p99": 6, "max": 8})"));
  REQUIRE(lognormal);
  REQUIRE(lognormal->subscriptions.topics_p99 == 6);
  REQUIRE_THAT(error_of(realtime, settings(R"({"dist": "zipf"})")), Contains("\"max\" is missing"));
  REQUIRE_THAT(error_of(realtime, settings(R"({"dist": "zipf", "p50": 2, "max": 8})")),
               Contains("/per_connection/p50: a number that this distribution does not have"));
  REQUIRE_THAT(error_of(realtime, settings(R"({"dist": "lognormal", "p50": 2, "max": 8})")),
               Contains("\"p99\" is missing"));
  REQUIRE_THAT(error_of(realtime, settings(R"({"dist": "fixed", "n": 4})", "3")),
               Contains("4 topics a connection, but there are 3"));
  REQUIRE_THAT(error_of(realtime, settings(R"({"dist": "fixed", "n": 65})", "100")),
               Contains("/subscriptions/per_connection/n"));
  REQUIRE_THAT(error_of(kSmall, {R"(subscriptions.per_connection={"dist": "fixed", "n": 2})"}),
               Contains("the filter of a runs stream names one run"));
}

TEST_CASE("scenario: headers are read, and refused with their place", "[load][scenario]") {
  const auto with = [](const std::string& headers) {
    return std::vector<std::string>{"target.request.headers=" + headers};
  };
  const auto read = parse_scenario(
      kSmall, "x.json", with(R"({"Authorization": "Bearer @file:tok/{conn%10}", "X-A": "b"})"));
  REQUIRE(read.has_value());
  REQUIRE(read->target.request.headers.size() == 2);
  REQUIRE(read->target.request.headers[0].value == "Bearer @file:tok/{conn%10}");
  REQUIRE_THAT(error_of(kSmall, with(R"({"Authorization": "Bearer abc"})")),
               Contains("/target/request/headers/Authorization: a secret stands in a file"));
  REQUIRE_THAT(error_of(kSmall, with(R"({"Host": "a"})")), Contains("is this tool's to send"));
  REQUIRE_THAT(error_of(kSmall, with("[]")), Contains("expected an object"));
  REQUIRE_THAT(error_of(kSmall, with(R"({"X-A": 1})")), Contains("expected a text, found 1"));
}

TEST_CASE("scenario: the quickstart is read as written", "[load][scenario]") {
  const auto read = rt::read_scenario(RT_SOURCE_DIR "/scenarios/quickstart.json");
  REQUIRE(read.has_value());
  REQUIRE(read->name == "quickstart");
  REQUIRE(read->connections() == 2000);
  REQUIRE(read->phases.size() == 4);
  REQUIRE(read->phases[0].connections->rate_per_s == 5000);
  REQUIRE(read->phases[2].hold == std::chrono::seconds(20));
  REQUIRE(read->publish_begin() == 1);
  REQUIRE(read->publish_end() == 3);
  REQUIRE(read->publish[0].rate[0].per_s == 300);
  REQUIRE(read->publish[0].arrival == rt::Arrival::poisson);
  REQUIRE(read->subscriptions.topic_name(17) == "run-17");
  REQUIRE(read->thresholds[0].value == 300'000);
  REQUIRE(read->sha256.size() == 64);
}

TEST_CASE("scenario: every file of scenarios/ is valid and named after itself",
          "[load][scenario]") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RT_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".json") continue;
    const auto read = rt::read_scenario(entry.path());
    INFO((read ? std::string() : read.error().text));
    REQUIRE(read.has_value());
    CHECK(read->name == entry.path().stem());
    CHECK_FALSE(read->thresholds.empty());
    ++count;
  }
  CHECK(count >= 10);
}

TEST_CASE("scenario: a file extends another beside it, and circles are found", "[load][scenario]") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "rt-extends";
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  write("base.json", R"({"name": "base", "extends": "preset:runs", "seed": 9})");
  const auto read = rt::read_scenario(write("mine.json", R"({"name": "mine",
      "extends": "base.json"})"));
  REQUIRE(read);
  CHECK(read->seed == 9);
  const std::string circle = write("circle.json", R"({"name": "x", "extends": "circle.json"})");
  CHECK_THAT(rt::read_scenario(circle).error().text, Contains("does not lead back here"));
  const std::string lost = write("lost.json", R"({"name": "x",
      "extends": "gone.json"})");
  CHECK_THAT(rt::read_scenario(lost).error().text, Contains("lost.json:2: /extends: cannot read"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("scenario: every preset and the example of the README are valid", "[load][scenario]") {
  for (const rt::PresetText& preset : rt::presets()) {
    const auto read = rt::read_scenario("preset:" + std::string(preset.name));
    INFO((read ? std::string() : read.error().text));
    REQUIRE(read.has_value());
    REQUIRE(read->name == preset.name);
  }
  std::ifstream file(RT_SOURCE_DIR "/scenarios/README.md");
  std::ostringstream readme;
  readme << file.rdbuf();
  const std::string text = readme.str();
  const std::size_t begin = text.find("```jsonc\n");
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find("```", begin + 9);
  const auto read =
      parse_scenario(std::string_view(text).substr(begin + 9, end - begin - 9), "README.md");
  INFO((read ? std::string() : read.error().text));
  REQUIRE(read.has_value());
  REQUIRE(read->publish[0].rate.size() == 2);
  REQUIRE(read->waived_gates == std::vector<std::string>{"co_location"});
}

TEST_CASE("scenario: an unknown key names file, line, path and the nearest key",
          "[load][scenario]") {
  REQUIRE(error_of(changed("\"hold\"", "\"hodl\"")) ==
          "x.json:6: /phases/1/hodl: unknown key; did you mean \"hold\"?");
  REQUIRE_THAT(error_of(changed("\"publish\"", "\"zzzzzzzzz\"")),
               Contains("/zzzzzzzzz: unknown key; known here: "));
}

TEST_CASE("scenario: a wrong type or unit says what was expected and what was found",
          "[load][scenario]") {
  REQUIRE(error_of(changed("\"20s\"", "20")) ==
          "x.json:6: /phases/1/hold: expected a duration with its unit, like \"300ms\" or \"5m\", "
          "found 20");
  REQUIRE(error_of(changed("\"2k\"", "\"2q\"")) ==
          "x.json:5: /phases/0/connections/to: expected a whole number from 1 to 4000000, found "
          "\"2q\"");
  REQUIRE_THAT(error_of(changed("\"2k\"", "2.5")), Contains("expected a whole number"));
  REQUIRE_THAT(error_of(changed("\"2k\"", "-3")), Contains("expected a whole number"));
  REQUIRE_THAT(error_of(changed("\"300/s\"", "\"300\"")),
               Contains("/publish/0/rate: expected a rate"));
  REQUIRE_THAT(error_of(changed("true", "\"yes\"")),
               Contains("/phases/1/measure: expected true or false"));
  REQUIRE_THAT(error_of(changed("\"small\"", "7")), Contains("/name: expected a string, found 7"));
  REQUIRE_THAT(error_of(changed("\"runs\"", "\"rums\"")), Contains("did you mean \"runs\"?"));
  REQUIRE_THAT(error_of(changed("p95 <", "p59 <")),
               Contains("x.json:9: /thresholds/0/expr: threshold"));
  REQUIRE_THAT(error_of(changed("http:", "ftp:")), Contains("/target/url: expected an http"));
  REQUIRE_THAT(error_of("[]"), Contains("expected an object, found an empty list"));
}

TEST_CASE("scenario: what is missing is named", "[load][scenario]") {
  REQUIRE_THAT(error_of(changed("\"name\": \"small\",", "")), Contains("\"name\" is missing"));
  REQUIRE_THAT(error_of(changed("\"id\": \"wal\", ", "")),
               Contains("/publish/0: \"id\" is missing"));
  REQUIRE_THAT(error_of(changed(", \"measure\": true", "")), Contains("nothing to judge"));
  REQUIRE_THAT(error_of(changed("\"hold\": \"20s\", ", "")), Contains("/phases/1"));
}

TEST_CASE("scenario: what this version cannot do is refused, not ignored", "[load][scenario]") {
  const auto unsupported = Contains("known but not supported yet by this version");
  REQUIRE_THAT(error_of(changed("\"phases\":", "\"clock\": {\"mode\": \"ptp\"}, \"phases\":")),
               unsupported);
}

TEST_CASE("scenario: contradictions are found before anything is started", "[load][scenario]") {
  REQUIRE_THAT(error_of(changed("\"phase\": \"main\"", "\"phase\": \"mian\"")),
               Contains("which is not measured; did you mean \"main\"?"));
  REQUIRE_THAT(error_of(changed("\"main\", \"hold\"", "\"ramp\", \"hold\"")),
               Contains("/phases/1: the name \"ramp\" is taken"));
  REQUIRE_THAT(error_of(changed("\"pg-update\"", "\"http-post\"")), Contains("preset runs needs"));
  REQUIRE_THAT(error_of(changed("\"runs\"", "\"raw\"")), Contains("preset raw publishes nothing"));
  REQUIRE_THAT(error_of(changed("\"300/s\"", "[{\"at\": \"1s\", \"per_s\": 5}]")),
               Contains("the first step is at \"0s\""));
  const std::string text =
      changed("\"name\": \"small\"", R"("name": "small", "gates": {"waive": ["clok"]})");
  REQUIRE_THAT(error_of(text), Contains("unknown gate \"clok\"; did you mean \"clock\"?"));
}

TEST_CASE("scenario: every preset says which producers it has", "[load][scenario]") {
  const auto with = [](const std::string& preset, const std::string& producer) {
    return R"({"name": "x", "extends": "preset:)" + preset +
           R"(", "publish": [{"id": "a", "rate": 5, "producer": )" + producer + "}]}";
  };
  REQUIRE_THAT(error_of(with("runs", R"({"type": "redis-publish"})")),
               Contains("preset runs needs a producer of type pg-update"));
  REQUIRE_THAT(error_of(with("topics", R"({"type": "pg-job"})")),
               Contains("needs a producer of type http-post or pg-notify"));
  REQUIRE_THAT(error_of(with("jobs", R"({"type": "pg-jbo"})")),
               Contains("did you mean \"pg-job\"?"));
  REQUIRE_THAT(error_of(with("events", R"({"type": "http-post", "body": "{}"})")),
               Contains("/publish/0/producer/body: expected \"{payload}\""));
  REQUIRE_THAT(error_of(with("runs", R"({"archive": "x.rtz"})")),
               Contains("a recording says itself when"));
  REQUIRE_THAT(error_of(with("runs", R"({"type": "pg-update", "file": "x.rtz"})")),
               Contains("only a producer of type archive"));
  const auto topics = parse_scenario(with("topics", R"({"type": "pg-notify"})"), "x.json");
  REQUIRE(topics);
  REQUIRE(topics->publish[0].channel == "topic_broadcast_{shard}");
  REQUIRE(topics->publish[0].body == R"({"topic":"{topic}","data":{payload}})");
  const auto events = parse_scenario(with("events", R"({"type": "http-post"})"), "x.json");
  REQUIRE(events);
  REQUIRE(events->publish[0].url == "http://127.0.0.1:8080/events");
  const auto jobs = rt::read_scenario("preset:jobs");
  REQUIRE(jobs);
  REQUIRE(jobs->subscriptions.topic_name(255) == "72746265-6e63-8000-8000-0000000000ff");
}

TEST_CASE("scenario: sizes, bursts, recordings and choices are read", "[load][scenario]") {
  const auto with = [](const std::string& rest) {
    return R"({"name": "x", "extends": "preset:topics", "publish": [{"id": "a", )" + rest + "}]}";
  };
  const std::string post = R"("producer": {"type": "http-post"}, )";
  const auto read = parse_scenario(with(post + R"("arrival": {"n": 50, "every": "1s"},
           "size": {"dist": "lognormal", "p50": "256B", "p99": "4KiB"},
           "topic": {"dist": "hot", "share": 0.8, "topics": 3}, "payload": {"entropy": 0.7})"),
                                   "x.json");
  REQUIRE(read);
  const rt::PublishSpec& spec = read->publish[0];
  REQUIRE(spec.arrival == rt::Arrival::burst);
  REQUIRE(spec.burst == 50);
  REQUIRE(spec.rate[0].per_s == 50);
  REQUIRE(spec.size.low == 256);
  REQUIRE(spec.size.high == 4096);
  REQUIRE(spec.topic.topics == 3);
  REQUIRE(spec.entropy == 0.7);
  const auto replay = parse_scenario(
      with(
          R"("producer": {"type": "archive", "file": "inc42.rtz", "speed": 2, "via": "pg-notify"})"),
      "x.json");
  REQUIRE(replay);
  REQUIRE(replay->publish[0].archive == "inc42.rtz");
  REQUIRE(replay->publish[0].producer == rt::ProducerKind::pg_notify);
  REQUIRE_THAT(error_of(with(post + R"("rate": 5, "size": {"dist": "uniform", "min": "2KiB"})")),
               Contains("/publish/0/size: \"max\" is missing"));
  REQUIRE_THAT(error_of(with(post + R"("rate": 5, "topic": {"dist": "one", "share": 0.5})")),
               Contains("only \"hot\" has a share"));
}

TEST_CASE("scenario: churn, cohorts, storms and faults are read, and name a phase",
          "[load][scenario]") {
  const auto with = [](const std::string& rest) {
    return R"({"name": "x", "extends": "preset:runs", )" + rest + "}";
  };
  const auto read = parse_scenario(with(R"(
      "churn": {"lifetime": {"dist": "exp", "mean": "10m"}, "rate_cap": "2k/s"},
      "cohorts": [{"name": "slow", "share": 0.01, "read": {"bytes_per_s": "2KiB", "rcvbuf": "4KiB"}},
                  {"name": "stall", "share": 0.001, "read": {"stop_after": "20s", "for": "60s"}},
                  {"name": "mobile", "share": 0.05, "from": "main",
                   "link": {"rtt": "120ms", "jitter": "40ms"},
                   "background": {"off": "30s", "every": "5m"}}],
      "reconnect": {"storms": [{"at": "main+5s", "share": 0.5, "how": "rst", "within": "1s"}]},
      "faults": [{"at": "main+1s", "for": "10s", "on": {"share": 0.1}, "do": "latency", "ms": 200},
                 {"at": "main", "do": "truncate", "mid_event": true},
                 {"at": "main", "for": "1s", "do": "bandwidth", "bytes_per_s": "64KiB"},
                 {"at": "main", "do": "exec", "cmd": ["systemctl", "restart", "rt"]}],
      "thresholds": [{"expr": "cohort.slow.delivery.p95 < 5s"}, {"expr": "resume.p95 < 5s"}])"),
                                   "x.json");
  INFO((read ? "" : read.error().text));
  REQUIRE(read);
  REQUIRE(read->churn.lifetime.dist == rt::DurationSpec::Dist::exponential);
  REQUIRE(read->cohorts[0].reads_slowly());
  REQUIRE(read->cohorts[1].stop_for == std::chrono::seconds(60));
  REQUIRE_FALSE(read->cohorts[2].reads_slowly());
  REQUIRE(read->cohorts[2].from_phase == 2);
  REQUIRE(read->reconnect.storms[0].at.after == std::chrono::seconds(5));
  REQUIRE(read->faults[0].delay == std::chrono::milliseconds(200));
  REQUIRE(read->faults[1].mid_event);
  REQUIRE_FALSE(read->faults[3].needs_proxy());
  REQUIRE(read->thresholds[0].cohort == "slow");
  REQUIRE_THAT(error_of(with(R"("faults": [{"at": "mian+1s", "do": "reset"}])")),
               Contains("there is no phase \"mian\"; did you mean \"main\"?"));
  REQUIRE_THAT(error_of(with(R"("faults": [{"at": "main", "do": "stal", "for": "1s"}])")),
               Contains("unknown fault \"stal\"; did you mean \"stall\"?"));
  REQUIRE_THAT(error_of(with(R"("faults": [{"at": "main", "do": "stall"}])")),
               Contains("/faults/0: \"for\" is missing"));
  REQUIRE_THAT(error_of(with(R"("churn": {"lifetime": "0s"})")), Contains("above 0"));
  REQUIRE_THAT(error_of(with(R"("cohorts": [{"name": "s", "share": 0.1, "link": {"rtt": "1s"}}],
                                "target": {"request": {"http": "2", "streams": 2}})")),
               Contains("/cohorts: streams that share a connection"));
  REQUIRE_THAT(error_of(with(R"("cohorts": [{"name": "healthy", "share": 0.5}])")),
               Contains("/cohorts/0/name"));
  REQUIRE_THAT(error_of(with(R"("thresholds": [{"expr": "cohort.slwo.delivery.p95 < 5s"}])")),
               Contains("names no cohort"));
  REQUIRE_THAT(error_of(with(R"("thresholds": [{"expr": "delivery.p95 < 1.1 * baseline"}])")),
               Contains("needs a measured phase named or tagged \"baseline\""));
}

TEST_CASE("scenario: broken JSON, double keys and bombs are refused with their line",
          "[load][scenario]") {
  REQUIRE_THAT(error_of("{\n  \"name\": \"x\",\n}"), Contains("x.json:3: not valid JSON"));
  REQUIRE_THAT(error_of(changed("\"name\": \"small\"", "\"name\": \"small\",\n\"name\": \"b\"")),
               Contains("x.json:3: key \"name\" appears twice"));
  REQUIRE_THAT(error_of(std::string(100'000, '[')), Contains("nested deeper"));
  REQUIRE_THAT(error_of(std::string(rt::kDocumentBytes + 1, ' ')), Contains("too many"));
  REQUIRE_THAT(error_of(""), Contains("not valid JSON"));
  REQUIRE_FALSE(rt::read_scenario("/nonexistent.json").has_value());
  REQUIRE_FALSE(rt::read_scenario("preset:nonsense").has_value());
}

TEST_CASE("scenario: --set reaches every value and its errors name it", "[load][scenario]") {
  const auto read = parse_scenario(
      kSmall, "x.json",
      {"load.connections=400k", "phases.main.hold=60s", "publish.wal.rate=2k/s",
       "publish.0.max_in_flight=5", "clock.max_error=3ms", "target.pg=host=/tmp a=b"});
  REQUIRE(read.has_value());
  REQUIRE(read->connections() == 400'000);
  REQUIRE(read->phases[1].hold == std::chrono::seconds(60));
  REQUIRE(read->publish[0].rate[0].per_s == 2000);
  REQUIRE(read->publish[0].max_in_flight == 5);
  REQUIRE(read->clock.max_error == std::chrono::milliseconds(3));
  REQUIRE(read->target.pg == "host=/tmp a=b");
  REQUIRE(error_of(kSmall, {"phases.main.hold=60"}) ==
          "--set phases.main.hold=60: /phases/1/hold: expected a duration with its unit, like "
          "\"300ms\" or "
          "\"5m\", found 60");
  REQUIRE_THAT(error_of(kSmall, {"phases.mian.hold=60s"}),
               Contains("no element \"mian\" in a list of 2 (ramp, main)"));
  REQUIRE_THAT(error_of(kSmall, {"name.x=1"}), Contains("which has no parts"));
  REQUIRE_THAT(error_of(kSmall, {"novalue"}), Contains("expected PATH=VALUE"));
  REQUIRE_THAT(error_of(kSmall, {"targett.url=x"}),
               Contains("/targett: unknown key; did you mean \"target\"?"));
}

TEST_CASE("scenario: extends lays a file over a preset", "[load][scenario]") {
  const auto read = parse_scenario(R"({"name": "mine", "extends": "preset:runs", "seed": 5,
    "target": {"url": "http://127.0.0.1:9/s"}})",
                                   "x.json");
  REQUIRE(read.has_value());
  REQUIRE(read->name == "mine");
  REQUIRE(read->target.preset == rt::Preset::runs);
  REQUIRE(read->target.url == "http://127.0.0.1:9/s");
  REQUIRE(read->connections() == 1000);
  REQUIRE_THAT(error_of(R"({"name": "mine", "extends": "preset:rnus"})"),
               Contains("unknown preset \"rnus\""));
}

TEST_CASE("scenario: the digest is over meaning, not over spelling", "[load][scenario]") {
  const auto digest = [](const std::string& text, const std::vector<std::string>& overrides = {}) {
    const auto read = parse_scenario(text, "x.json", overrides);
    REQUIRE(read.has_value());
    return read->sha256;
  };
  REQUIRE(digest(kSmall) == digest("// a comment\n" + std::string(kSmall)));
  REQUIRE(digest(changed("\"to\": \"2k\", \"rate\": \"5k/s\"",
                         "\"rate\": \"5k/s\", \"to\": \"2k\"")) == digest(kSmall));
  REQUIRE(digest(kSmall, {"seed=2"}) != digest(kSmall));
  REQUIRE(rt::sha256_hex("abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
