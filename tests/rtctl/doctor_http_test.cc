// The judgements of rtctl doctor over a stream: each check in both directions, without any I/O.
#include "rtctl/doctor_http.h"

#include <catch2/catch.hpp>

#include "base/units.h"

namespace rt::test {
namespace {

using namespace rt::rtctl;
using namespace std::chrono_literals;

// A stream as it should be: head at 2 ms, a first event at 3 ms, heartbeats every second from then.
HttpFacts sound() {
  HttpFacts facts;
  facts.url = "https://rt.example/stream";
  facts.patience = 20s;
  StreamProbe& probe = facts.plain;
  probe.resolved = 500us;
  probe.connected = 1ms;
  probe.secured = 1500us;
  probe.headed = 2ms;
  probe.address = "192.0.2.1";
  probe.tls = "TLSv1.3 / TLS_AES_256_GCM_SHA384";
  probe.chain = {{"CN=rt.example", "Nov  6 08:49:37 2027 GMT"}};
  probe.http_version = "2";
  probe.status = 200;
  probe.headed_at = *parse_rfc3339("2027-01-01T00:00:00Z");
  probe.headers = {{"Content-Type", "text/event-stream"},
                   {"cache-control", "no-cache, no-transform"},
                   {"Date", "Fri, 01 Jan 2027 00:00:00 GMT"}};
  probe.items = {{3ms, true, "7", "{}"}, {1003ms, false, {}, {}}, {2003ms, false, {}, {}}};
  probe.watched = 3s;
  facts.resumed_after = "7";
  facts.resumed = probe;
  facts.resumed->items = {{3ms, true, "8", "{}"}};
  facts.zipped = probe;
  return facts;
}

HttpFacts failing(StreamProbe::Phase phase, const std::string& why) {
  HttpFacts facts = sound();
  facts.plain = {};
  facts.plain.failed_in = phase;
  facts.plain.failure = why;
  if (phase > StreamProbe::Phase::resolve) facts.plain.resolved = 1ms;
  if (phase > StreamProbe::Phase::connect) facts.plain.connected = 2ms;
  return facts;
}

void set_header(StreamProbe& probe, const std::string& name, const std::string& value) {
  for (auto& [key, old] : probe.headers) {
    if (key == name) old = value;
  }
  if (probe.header(name).empty()) probe.headers.emplace_back(name, value);
}

void check(const Finding& finding, Mark mark, const std::string& part) {
  INFO(finding.text << " / " << finding.fix);
  CHECK(finding.mark == mark);
  CHECK(finding.text.find(part) != std::string::npos);
  // What is wrong comes with what helps, and only that.
  CHECK(finding.fix.empty() == (mark == Mark::ok || mark == Mark::skipped));
}

TEST_CASE("doctor: a sound stream passes every check", "[rtctl][doctor]") {
  const HttpFacts facts = sound();
  check(judge_resolve(facts), Mark::ok, "rt.example");
  check(judge_connect(facts), Mark::ok, "192.0.2.1");
  check(judge_tls(facts), Mark::ok, "309 days left");
  check(judge_http_version(facts), Mark::ok, "HTTP/2");
  check(judge_status(facts), Mark::ok, "200");
  check(judge_content_type(facts), Mark::ok, "text/event-stream");
  check(judge_first_byte(facts), Mark::ok, "head after 1ms");
  check(judge_heartbeat(facts), Mark::ok, "longest silence 1s");
  check(judge_buffering(facts), Mark::ok, "2 arrivals");
  check(judge_resume(facts), Mark::ok, "1 new");
  check(judge_gzip(facts), Mark::ok, "stays plain");
  check(judge_caching(facts), Mark::ok, "no-transform");
  check(judge_http_clock(facts), Mark::ok, "server's clock");
}

TEST_CASE("doctor: the first thing that fails is named, the rest is skipped", "[rtctl][doctor]") {
  using Phase = StreamProbe::Phase;
  const HttpFacts unresolved = failing(Phase::resolve, "resolve: no such host");
  check(judge_resolve(unresolved), Mark::fail, "no such host");
  CHECK(judge_resolve(unresolved).fix == "check the name: getent hosts rt.example");
  check(judge_connect(unresolved), Mark::skipped, "not reached");
  check(judge_status(unresolved), Mark::skipped, "not reached");
  check(judge_heartbeat(unresolved), Mark::skipped, "no event stream");
  const HttpFacts refused = failing(Phase::connect, "connect: refused");
  check(judge_resolve(refused), Mark::ok, "rt.example");
  check(judge_connect(refused), Mark::fail, "refused");
  const HttpFacts untrusted = failing(Phase::tls, "TLS: self-signed certificate");
  check(judge_connect(untrusted), Mark::ok, "");
  check(judge_tls(untrusted), Mark::fail, "self-signed");
  check(judge_status(untrusted), Mark::skipped, "not reached");
  check(judge_status(failing(Phase::response, "response: reset")), Mark::fail, "reset");
  check(judge_resolve(failing(Phase::url, "URL: malformed")), Mark::fail, "malformed");
  HttpFacts silent = failing(Phase::none, "");
  silent.plain.connected = 1ms;
  silent.plain.watched = 20s;
  check(judge_status(silent), Mark::fail, "no answer within 20");
}

TEST_CASE("doctor: a certificate warns a fortnight and fails a day before its end",
          "[rtctl][doctor]") {
  HttpFacts facts = sound();
  facts.plain.chain = {{"CN=ca", "Jan  1 00:00:00 2030 GMT"}, {"CN=x", "Jan 10 00:00:00 2027 GMT"}};
  check(judge_tls(facts), Mark::warn, "2 certificates, 9 days left");
  facts.plain.chain.back().expires = "Jan 16 00:00:00 2027 GMT";
  check(judge_tls(facts), Mark::ok, "15 days left");
  facts.plain.chain.back().expires = "Jan  1 12:00:00 2027 GMT";
  check(judge_tls(facts), Mark::fail, "0 days left");
  facts = sound();
  facts.plain.tls = "TLSv1.1 / X";
  check(judge_tls(facts), Mark::warn, "out of date");
  facts.url = "http://rt.example/";
  check(judge_tls(facts), Mark::skipped, "plain HTTP");
}

TEST_CASE("doctor: a head that clients refuse is a failure", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  for (const auto& [status, part] : std::vector<std::pair<long, std::string>>{
           {204, "stop for good"}, {401, "401"}, {404, "404"}, {429, "429"}, {502, "502"}}) {
    facts.plain.status = status;
    check(judge_status(facts), Mark::fail, part);
    check(judge_buffering(facts), Mark::skipped, "no event stream");
  }
  facts = sound();
  set_header(facts.plain, "Content-Type", "text/html");
  check(judge_content_type(facts), Mark::fail, "text/html");
  check(judge_heartbeat(facts), Mark::skipped, "no event stream");
  facts = sound();
  facts.plain.http_version = "1.1";
  check(judge_http_version(facts), Mark::warn, "6 streams");
  facts.url = "http://rt.example/";
  check(judge_http_version(facts), Mark::ok, "HTTP/1.1");
}

TEST_CASE("doctor: caching and transforming proxies are warned of", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  set_header(facts.plain, "cache-control", "max-age=60");
  check(judge_caching(facts), Mark::warn, "keep the stream");
  set_header(facts.plain, "cache-control", "no-store");
  check(judge_caching(facts), Mark::warn, "no-transform");
  set_header(facts.plain, "cache-control", "no-store, no-transform");
  check(judge_caching(facts), Mark::ok, "no-store");
}

TEST_CASE("doctor: a late head, and a head alone, are warned of", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  facts.plain.headed = 1500ms;
  check(judge_first_byte(facts), Mark::warn, "head after 1.5s");
  facts = sound();
  facts.plain.items.clear();
  check(judge_first_byte(facts), Mark::warn, "no byte after it");
}

TEST_CASE("doctor: silence warns, fails after a minute; a closed stream warns", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  facts.plain.items.resize(1);
  facts.plain.watched = 20s;
  check(judge_heartbeat(facts), Mark::warn, "no sign of life for 20");
  facts.plain.watched = 61s;
  check(judge_heartbeat(facts), Mark::fail, "no sign of life");
  facts.plain.items.push_back({40s, false, {}, {}});
  check(judge_heartbeat(facts), Mark::warn, "longest silence 40");
  facts = sound();
  facts.plain.ended = true;
  check(judge_heartbeat(facts), Mark::warn, "closed the stream");
}

TEST_CASE("doctor: what arrives at once but was not made at once was held back",
          "[rtctl][doctor]") {
  HttpFacts facts = sound();
  facts.plain.items = {{5s, false, {}, {}}, {5001ms, false, {}, {}}};
  check(judge_buffering(facts), Mark::fail, "2 heartbeats arrived at once");
  facts.plain.items[1].at = 5100ms;
  check(judge_buffering(facts), Mark::ok, "2 arrivals");

  const std::string first = R"({"time": "2027-01-01T00:00:01Z"})";
  const std::string second = R"({"time": "2027-01-01T00:00:04.5Z"})";
  facts.plain.items = {{5s, true, "1", first}, {5001ms, true, "2", second}};
  check(judge_buffering(facts), Mark::fail, "made 3.5s apart");
  facts.plain.items[0].data = R"({"time": "2026-12-01T00:00:00Z"})";  // the past, told at once
  check(judge_buffering(facts), Mark::ok, "none held back");
  facts.plain.items = {{500ms, true, "1", first}, {501ms, true, "2", second}};
  check(judge_buffering(facts), Mark::skipped, "nothing arrived");

  facts.plain.items.clear();
  check(judge_buffering(facts), Mark::warn, "look the same");

  facts = sound();
  set_header(facts.plain, "Content-Length", "900");
  check(judge_buffering(facts), Mark::fail, "Content-Length (900)");
}

TEST_CASE("doctor: a server that sends a seen id again does not resume", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  facts.resumed->items = {{3ms, true, "7", "{}"}};
  check(judge_resume(facts), Mark::fail, "after 7, the server sent 7 again");
  facts.resumed->items.clear();
  check(judge_resume(facts), Mark::ok, "0 new");
  facts.resumed->status = 400;
  check(judge_resume(facts), Mark::fail, "400");
  facts.resumed.reset();
  check(judge_resume(facts), Mark::skipped, "not asked");
  facts.resumed_after.clear();
  check(judge_resume(facts), Mark::skipped, "no event with an id");
}

TEST_CASE("doctor: a compressor that does not flush is found", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  set_header(*facts.zipped, "Content-Encoding", "gzip");
  check(judge_gzip(facts), Mark::ok, "first line after 3");
  facts.zipped->items.front().at = 4s;
  check(judge_gzip(facts), Mark::fail, "first line after 4");
  facts.zipped->items.clear();
  facts.zipped->watched = 20s;
  check(judge_gzip(facts), Mark::fail, "nothing arrives in 20");
  facts.zipped->headed.reset();
  check(judge_gzip(facts), Mark::fail, "no answer");
  facts = sound();
  set_header(*facts.zipped, "Content-Encoding", "gzip");
  facts.plain.items.clear();
  check(judge_gzip(facts), Mark::skipped, "nothing arrived");
}

TEST_CASE("doctor: clocks are compared with the precision that a Date has", "[rtctl][doctor]") {
  HttpFacts facts = sound();
  set_header(facts.plain, "Date", "Fri, 01 Jan 2027 00:00:05 GMT");
  check(judge_http_clock(facts), Mark::warn, "+5.5 s");
  set_header(facts.plain, "Date", "Thu, 31 Dec 2026 23:00:00 GMT");
  check(judge_http_clock(facts), Mark::fail, "-3599.5 s");
  set_header(facts.plain, "Date", "soon");
  check(judge_http_clock(facts), Mark::skipped, "no Date");
}

}  // namespace
}  // namespace rt::test
