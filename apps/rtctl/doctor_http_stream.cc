// Judgements over what arrives on the stream: first byte, heartbeat, buffering, resume, gzip.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/units.h"
#include "proto/http1_head.h"
#include "rtctl/doctor_http.h"
#include "rtctl/event_age.h"

namespace rt::rtctl {
namespace {

using Item = StreamProbe::Item;

// Arrivals nearer than this came together: a timer that beats that fast does not exist.
constexpr Duration kTogether = std::chrono::milliseconds(20);
// The past is told in one burst when a stream opens; what comes later comes as it is made.
constexpr Duration kBeginning = std::chrono::seconds(1);

constexpr const char* kUnbuffer =
    "nginx: proxy_buffering off; (or answer with X-Accel-Buffering: no); Apache: flushpackets=on";

bool is_stream(const StreamProbe& probe) {
  return probe.headed && probe.status == 200 &&
         http1::is_event_stream(probe.header("content-type"));
}

// How long after the stream opened an event was made, by the time in its data; nothing if it is
// older: what is told of the past may be told at once.
std::optional<Duration> made(const StreamProbe& probe, const Item& item) {
  const auto age_ms = event_age_ms(item.data, probe.headed_at);
  if (!age_ms || *age_ms > 0) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(-*age_ms));
}

struct Burst {
  int heartbeats = 0;
  int events = 0;
  std::optional<Duration> first_made;
  std::optional<Duration> last_made;
};

void take(Burst& burst, const StreamProbe& probe, const Item& item) {
  ++(item.event ? burst.events : burst.heartbeats);
  const auto when = item.event ? made(probe, item) : std::nullopt;
  if (!when) return;
  burst.first_made = std::min(burst.first_made.value_or(*when), *when);
  burst.last_made = std::max(burst.last_made.value_or(*when), *when);
}

// Those after the beginning of the stream.
std::vector<Burst> late_bursts(const StreamProbe& probe) {
  std::vector<Burst> bursts;
  Duration last = Duration::min();
  for (const Item& item : probe.items) {
    if (item.at < *probe.headed + kBeginning) continue;
    if (bursts.empty() || item.at - last > kTogether) bursts.emplace_back();
    take(bursts.back(), probe, item);
    last = item.at;
  }
  return bursts;
}

std::string held_back(const Burst& burst) {
  if (burst.heartbeats >= 2) {
    return fmt::format("{} heartbeats arrived at once: somebody holds them back", burst.heartbeats);
  }
  if (burst.first_made && *burst.last_made - *burst.first_made > kBeginning) {
    return fmt::format("events made {} apart arrived at once: somebody holds them back",
                       format_duration(*burst.last_made - *burst.first_made));
  }
  return {};
}

std::string proxies(const StreamProbe& probe) {
  const std::string via(probe.header("via"));
  return via.empty() ? "" : fmt::format(" (through {})", via);
}

}  // namespace

Finding judge_first_byte(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!probe.headed) return found_skipped("not reached");
  const Duration head = *probe.headed - probe.connected.value_or(Duration::zero());
  if (!is_stream(probe)) return found_skipped("no event stream");
  if (probe.items.empty()) {
    return found_warn(
        fmt::format("the head came after {}, no byte after it in {}", format_duration(head),
                    format_duration(probe.watched - *probe.headed)),
        "send a comment (\": hello\") when a stream opens, so that proxies pass the head on");
  }
  const Duration first = probe.items.front().at - probe.connected.value_or(Duration::zero());
  const std::string text = fmt::format("head after {}, first line after {}", format_duration(head),
                                       format_duration(first));
  if (head > kBeginning) {
    return found_warn(text, "send the head at once, before there are events");
  }
  return found_ok(text);
}

Finding judge_heartbeat(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!is_stream(probe)) return found_skipped("no event stream");
  if (probe.ended) {
    return found_warn(
        fmt::format("the server closed the stream after {}", format_duration(probe.watched)),
        "keep it open and send \": keepalive\" every 15 s");
  }
  const Duration begin = *probe.headed;
  Duration last = begin;
  Duration longest{};
  bool alive = false;  // after the beginning
  for (const Item& item : probe.items) {
    longest = std::max(longest, item.at - last);
    last = item.at;
    alive = alive || item.at >= begin + kBeginning;
  }
  longest = std::max(longest, probe.watched - last);
  constexpr Duration kIdleLimit = std::chrono::seconds(60);
  if (!alive) {
    const std::string text =
        fmt::format("no sign of life for {}", format_duration(probe.watched - begin));
    const std::string fix =
        "send \": keepalive\" every 15 s (rtctl serve --keepalive 15s); proxies cut after 60 s";
    if (probe.watched - begin >= kIdleLimit) return found_fail(text, fix);
    return found_warn(text, fix + "; look longer with --patience 65s");
  }
  const std::string text = fmt::format("longest silence {}", format_duration(longest));
  if (longest > kIdleLimit / 2) {
    return found_warn(text, "send \": keepalive\" every 15 s: some proxies cut after 30 s");
  }
  return found_ok(text);
}

Finding judge_buffering(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!is_stream(probe)) return found_skipped("no event stream");
  if (!probe.header("content-length").empty()) {
    return found_fail(fmt::format("the stream has a Content-Length ({}): it was collected first",
                                  probe.header("content-length")),
                      kUnbuffer);
  }
  if (probe.items.empty()) {
    return found_warn(
        "nothing arrived: a server that is silent and a proxy that holds back look "
        "the same" +
            proxies(probe),
        kUnbuffer);
  }
  const std::vector<Burst> bursts = late_bursts(probe);
  for (const Burst& burst : bursts) {
    const std::string text = held_back(burst);
    if (!text.empty()) return found_fail(text + proxies(probe), kUnbuffer);
  }
  if (bursts.empty()) return found_skipped("nothing arrived that could show it" + proxies(probe));
  return found_ok(fmt::format("{} {} after the beginning, none held back{}", bursts.size(),
                              bursts.size() == 1 ? "arrival" : "arrivals", proxies(probe)));
}

Finding judge_resume(const HttpFacts& facts) {
  if (!is_stream(facts.plain)) return found_skipped("no event stream");
  if (facts.resumed_after.empty()) return found_skipped("no event with an id was seen");
  if (!facts.resumed) return found_skipped("not asked");
  const StreamProbe& again = *facts.resumed;
  if (!is_stream(again)) {
    return found_fail(
        again.failure.empty()
            ? fmt::format("with Last-Event-ID the answer is {}, not a stream", again.status)
            : again.failure,
        "answer as without it; send what followed that event");
  }
  std::set<std::string_view> seen;
  for (const Item& item : facts.plain.items) {
    if (item.event && !item.id.empty()) seen.insert(item.id);
  }
  std::size_t fresh = 0;
  for (const Item& item : again.items) {
    if (!item.event) continue;
    if (seen.count(item.id) == 0) {
      ++fresh;
      continue;
    }
    return found_fail(fmt::format("asked to go on after {}, the server sent {} again",
                                  facts.resumed_after, item.id),
                      "honour Last-Event-ID (rtctl serve --history DIR over restarts too)");
  }
  return found_ok(fmt::format("nothing sent again after {}, {} new", facts.resumed_after, fresh));
}

Finding judge_gzip(const HttpFacts& facts) {
  if (!is_stream(facts.plain)) return found_skipped("no event stream");
  if (!facts.zipped) return found_skipped("not asked");
  const StreamProbe& zipped = *facts.zipped;
  constexpr const char* kFix =
      "flush the compressor after each event (Z_SYNC_FLUSH), or do not compress event streams";
  if (!zipped.headed) {
    return found_fail("asked for gzip, there is no answer: " + zipped.failure, kFix);
  }
  if (zipped.header("content-encoding").empty()) return found_ok("the stream stays plain");
  if (facts.plain.items.empty()) return found_skipped("nothing arrived to compare with");
  const Duration plain = facts.plain.items.front().at;
  if (zipped.items.empty()) {
    if (zipped.watched <= plain) return found_skipped("nothing arrived to compare with");
    return found_fail(fmt::format("compressed, nothing arrives in {}; plain, a line after {}",
                                  format_duration(zipped.watched), format_duration(plain)),
                      kFix);
  }
  const Duration first = zipped.items.front().at;
  const std::string text = fmt::format("first line after {}, plain after {}",
                                       format_duration(first), format_duration(plain));
  // A stream that opens with a line does so compressed as well; one that does not waits for its
  // heartbeat, which may come at any time.
  if (plain < kBeginning && first > plain + kBeginning) return found_fail(text, kFix);
  return found_ok(text);
}

}  // namespace rt::rtctl
