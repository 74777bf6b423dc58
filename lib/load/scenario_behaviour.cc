// The sections of a scenario that say how subscribers behave and what goes wrong: churn, cohorts,
// reconnect, faults.
#include "load/scenario_behaviour.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/units.h"
#include "load/scenario_reader.h"

namespace rt {
namespace {

// A fault or storm is written down by a person; a hundred of them are a script, not a scenario.
constexpr std::size_t kFaultsMax = 100;

struct FaultRow {
  const char* name;
  FaultSpec::Kind kind;
};
constexpr std::array kFaults = {
    FaultRow{"latency", FaultSpec::Kind::latency},
    FaultRow{"bandwidth", FaultSpec::Kind::bandwidth},
    FaultRow{"blackhole", FaultSpec::Kind::blackhole},
    FaultRow{"stall", FaultSpec::Kind::stall},
    FaultRow{"buffer", FaultSpec::Kind::buffer},
    FaultRow{"reset", FaultSpec::Kind::reset},
    FaultRow{"truncate", FaultSpec::Kind::truncate},
    FaultRow{"duplicate", FaultSpec::Kind::duplicate},
    FaultRow{"exec", FaultSpec::Kind::exec},
};

std::optional<std::size_t> phase_named(const Scenario& scenario, std::string_view name) {
  for (std::size_t i = 0; i < scenario.phases.size(); ++i) {
    if (scenario.phases[i].name == name) return i;
  }
  return std::nullopt;
}

std::string phase_suggestion(const Scenario& scenario, std::string_view word) {
  std::vector<std::string_view> names;
  for (const PhaseSpec& phase : scenario.phases) names.push_back(phase.name);
  return suggestion(word, names);
}

// "main", "main+60s"
Result<Moment> read_moment(const ObjectReader& in, std::string_view key, const Scenario& scenario) {
  RT_CHECKED(in.require(key));
  std::string text;
  RT_CHECKED(in.text(key, text));
  const std::size_t plus = std::min(text.find('+'), text.size());
  const std::string name = text.substr(0, plus);
  Moment out;
  const auto phase = phase_named(scenario, name);
  if (!phase) {
    return ObjectReader::wrong(*in.find(key), in.path(key),
                               fmt::format("expected PHASE+TIME, like \"main+60s\"; there is no "
                                           "phase \"{}\"{}",
                                           name, phase_suggestion(scenario, name)));
  }
  out.phase = *phase;
  if (plus == text.size()) return out;
  const auto after = parse_duration(std::string_view(text).substr(plus + 1));
  if (!after) {
    return ObjectReader::wrong(
        *in.find(key), in.path(key),
        fmt::format("expected PHASE+TIME, like \"main+60s\", found \"{}\"", text));
  }
  out.after = *after;
  return out;
}

Result<DurationSpec> read_durations(const ObjectReader& parent, std::string_view key) {
  DurationSpec out;
  const JsonNode& node = *parent.find(key);
  if (node.kind != JsonNode::Kind::object) {
    RT_CHECKED(parent.duration(key, out.low));
    out.high = out.low;
    return out;
  }
  const ObjectReader in = RT_TRY(ObjectReader::open(
      node, parent.path(key), {"dist", "value", "min", "max", "mean", "p50", "p99"}));
  RT_CHECKED(in.require("dist"));
  out.dist = static_cast<DurationSpec::Dist>(
      RT_TRY(in.word("dist", 0,
                     {{"fixed", static_cast<int>(DurationSpec::Dist::fixed)},
                      {"uniform", static_cast<int>(DurationSpec::Dist::uniform)},
                      {"exp", static_cast<int>(DurationSpec::Dist::exponential)},
                      {"lognormal", static_cast<int>(DurationSpec::Dist::lognormal)}})));
  constexpr std::array<std::array<const char*, 2>, 4> kKeys = {
      {{"value", "value"}, {"min", "max"}, {"mean", "mean"}, {"p50", "p99"}}};
  const auto& keys = kKeys[static_cast<std::size_t>(out.dist)];
  for (const char* name : keys) RT_CHECKED(in.require(name));
  RT_CHECKED(in.duration(keys[0], out.low));
  RT_CHECKED(in.duration(keys[1], out.high));
  if (out.low <= Duration::zero() || out.high < out.low) {
    return ObjectReader::wrong(node, parent.path(key),
                               fmt::format("expected 0 < {} <= {}", keys[0], keys[1]));
  }
  return out;
}

Result<void> read_command(const ObjectReader& in, std::vector<std::string>& out) {
  RT_CHECKED(in.require("cmd"));
  const JsonNode* list = RT_TRY(list_of(in, "cmd"));
  for (const JsonNode& word : list->items) {
    if (word.kind != JsonNode::Kind::string || word.text.empty()) {
      return ObjectReader::wrong(
          word, in.path("cmd"),
          "expected a list of words, like [\"systemctl\", \"restart\", \"rt\"]");
    }
    out.push_back(word.text);
  }
  if (out.empty()) return ObjectReader::wrong(*list, in.path("cmd"), "expected a command");
  return {};
}

Result<void> read_churn(const ObjectReader& root, ChurnSpec& out) {
  if (root.find("churn") == nullptr) return {};
  const ObjectReader in = RT_TRY(ObjectReader::open(*root.find("churn"), root.path("churn"),
                                                    {"lifetime", "replace", "rate_cap"}));
  RT_CHECKED(in.require("lifetime"));
  out.enabled = true;
  out.lifetime = RT_TRY(read_durations(in, "lifetime"));
  if (out.lifetime.low <= Duration::zero()) {
    return ObjectReader::wrong(*in.find("lifetime"), in.path("lifetime"),
                               "expected a lifetime above 0");
  }
  RT_CHECKED(in.flag("replace", out.replace));
  if (in.find("rate_cap") == nullptr) return {};
  return read_positive_rate(in, "rate_cap", out.rate_cap_per_s);
}

Result<void> read_cohort_ways(const ObjectReader& in, CohortSpec& out) {
  if (const JsonNode* node = in.find("read")) {
    const ObjectReader read = RT_TRY(
        ObjectReader::open(*node, in.path("read"), {"bytes_per_s", "rcvbuf", "stop_after", "for"}));
    RT_CHECKED(read.bytes("bytes_per_s", out.bytes_per_s, 1, 1 << 30));
    RT_CHECKED(read.bytes("rcvbuf", out.receive_buffer, 1024, 1 << 28));
    out.stops = read.find("stop_after") != nullptr;
    RT_CHECKED(read.duration("stop_after", out.stop_after));
    if (out.stops) RT_CHECKED(read.require("for"));
    RT_CHECKED(read.duration("for", out.stop_for));
  }
  if (const JsonNode* node = in.find("link")) {
    const ObjectReader link = RT_TRY(ObjectReader::open(*node, in.path("link"), {"rtt", "jitter"}));
    RT_CHECKED(link.duration("rtt", out.rtt));
    RT_CHECKED(link.duration("jitter", out.jitter));
  }
  if (const JsonNode* node = in.find("background")) {
    const ObjectReader away =
        RT_TRY(ObjectReader::open(*node, in.path("background"), {"off", "every"}));
    RT_CHECKED(away.require("off"));
    RT_CHECKED(away.require("every"));
    RT_CHECKED(away.duration("off", out.off));
    RT_CHECKED(away.duration("every", out.every));
    if (out.every <= out.off) {
      return ObjectReader::wrong(*away.find("every"), away.path("every"),
                                 "expected more than \"off\"");
    }
  }
  return {};
}

Result<void> read_cohorts(const ObjectReader& root, Scenario& out) {
  const JsonNode* list = RT_TRY(list_of(root, "cohorts"));
  if (list == nullptr) return {};
  double shares = 0;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string path = fmt::format("/cohorts/{}", i);
    const ObjectReader in = RT_TRY(ObjectReader::open(
        list->items[i], path, {"name", "share", "from", "read", "link", "background"}));
    CohortSpec& cohort = out.cohorts.emplace_back();
    RT_CHECKED(in.require("name"));
    RT_CHECKED(in.text("name", cohort.name));
    RT_CHECKED(in.require("share"));
    RT_CHECKED(in.number("share", cohort.share, 0, 1));
    if (in.find("from") != nullptr) {
      cohort.from_phase = RT_TRY(read_moment(in, "from", out)).phase;
    }
    RT_CHECKED(read_cohort_ways(in, cohort));
    shares += cohort.share;
    if (cohort.name == "healthy" || cohort.name.find('.') != std::string::npos) {
      return ObjectReader::wrong(*in.find("name"), in.path("name"),
                                 "the rest is called \"healthy\"; a name has no dot");
    }
  }
  RT_CHECKED(check_unique(root, "cohorts", out.cohorts, &CohortSpec::name));
  if (out.cohorts.size() > kCohortsMax || shares > 1) {
    return ObjectReader::wrong(
        *list, "/cohorts",
        fmt::format("expected up to {} cohorts whose shares sum to at most 1", kCohortsMax));
  }
  return {};
}

Result<StormSpec> read_storm(const JsonNode& node, const std::string& path,
                             const Scenario& scenario) {
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path, {"at", "share", "how", "within", "come_back", "cmd"}));
  StormSpec out;
  out.at = RT_TRY(read_moment(in, "at", scenario));
  RT_CHECKED(in.number("share", out.share, 0, 1));
  using How = StormSpec::How;
  out.how = static_cast<How>(
      RT_TRY(in.word("how", static_cast<int>(How::rst),
                     {{"fin", static_cast<int>(How::fin)},
                      {"rst", static_cast<int>(How::rst)},
                      {"silent", static_cast<int>(How::silent)},
                      {"server-restart", static_cast<int>(How::server_restart)}})));
  RT_CHECKED(in.duration("within", out.within));
  out.by_policy = RT_TRY(in.word("come_back", 1, {{"policy", 1}, {"at-once", 0}})) == 1;
  if (out.how == How::server_restart) {
    RT_CHECKED(read_command(in, out.command));
  } else if (in.find("cmd") != nullptr) {
    return ObjectReader::wrong(*in.find("cmd"), in.path("cmd"),
                               "only \"server-restart\" has a command");
  }
  return out;
}

Result<void> read_fault_figures(const ObjectReader& in, FaultSpec& out) {
  using Kind = FaultSpec::Kind;
  if (out.kind == Kind::exec) return read_command(in, out.command);
  const bool lasts = out.kind != Kind::reset && out.kind != Kind::truncate;
  if (lasts) RT_CHECKED(in.require("for"));
  double ms = 0;
  double jitter = 0;
  if (out.kind == Kind::latency) RT_CHECKED(in.require("ms"));
  RT_CHECKED(in.number("ms", ms, 0, 600'000));
  RT_CHECKED(in.number("jitter", jitter, 0, ms));
  out.delay = std::chrono::microseconds(static_cast<std::int64_t>(ms * 1'000));
  out.jitter = std::chrono::microseconds(static_cast<std::int64_t>(jitter * 1'000));
  if (out.kind == Kind::bandwidth) RT_CHECKED(in.require("bytes_per_s"));
  RT_CHECKED(in.bytes("bytes_per_s", out.bytes_per_s, 1, 1U << 31));
  if (out.kind == Kind::buffer) RT_CHECKED(in.require("bytes"));
  RT_CHECKED(in.bytes("bytes", out.bytes, 1, 1 << 20));
  return in.flag("mid_event", out.mid_event);
}

Result<FaultSpec> read_fault(const JsonNode& node, const std::string& path,
                             const Scenario& scenario) {
  const ObjectReader in = RT_TRY(ObjectReader::open(
      node, path,
      {"at", "for", "on", "do", "ms", "jitter", "bytes_per_s", "bytes", "mid_event", "cmd"}));
  FaultSpec out;
  out.at = RT_TRY(read_moment(in, "at", scenario));
  RT_CHECKED(in.duration("for", out.lasts));
  if (const JsonNode* on = in.find("on")) {
    const ObjectReader who = RT_TRY(ObjectReader::open(*on, in.path("on"), {"share"}));
    RT_CHECKED(who.number("share", out.share, 0, 1));
  }
  RT_CHECKED(in.require("do"));
  std::string word;
  RT_CHECKED(in.text("do", word));
  const auto row = std::find_if(kFaults.begin(), kFaults.end(),
                                [&](const FaultRow& fault) { return word == fault.name; });
  if (row == kFaults.end()) {
    std::vector<std::string_view> names;
    for (const FaultRow& fault : kFaults) names.emplace_back(fault.name);
    return ObjectReader::wrong(
        *in.find("do"), in.path("do"),
        fmt::format("unknown fault \"{}\"{}", word, suggestion(word, names)));
  }
  out.kind = row->kind;
  RT_CHECKED(read_fault_figures(in, out));
  return out;
}

// Streams that share a connection cannot be read one slower than the other, and the proxy does not
// look inside of encrypted or multiplexed bytes.
Result<void> check_transport(const ObjectReader& root, const Scenario& scenario) {
  const RequestSpec& request = scenario.target.request;
  if (!request.http2 && !scenario.target.url.starts_with("https")) return {};
  const auto reads = [](const CohortSpec& cohort) {
    return cohort.reads_slowly() || cohort.receive_buffer != 0 || cohort.rtt > Duration::zero();
  };
  const auto doubles = [](const FaultSpec& fault) {
    return fault.kind == FaultSpec::Kind::duplicate;
  };
  if (request.streams > 1 && std::any_of(scenario.cohorts.begin(), scenario.cohorts.end(), reads)) {
    return ObjectReader::wrong(*root.find("cohorts"), "/cohorts",
                               "streams that share a connection are read as fast as one another: "
                               "\"target.request.streams\" has to be 1");
  }
  if (std::any_of(scenario.faults.begin(), scenario.faults.end(), doubles)) {
    return ObjectReader::wrong(*root.find("faults"), "/faults",
                               "events are doubled in HTTP/1.1 without TLS only");
  }
  return {};
}

Result<void> read_faults(const ObjectReader& root, Scenario& out) {
  const JsonNode* faults = RT_TRY(list_of(root, "faults"));
  if (faults == nullptr) return {};
  if (faults->items.size() > kFaultsMax) {
    return ObjectReader::wrong(*faults, "/faults", "expected up to 100 faults");
  }
  for (std::size_t i = 0; i < faults->items.size(); ++i) {
    out.faults.push_back(RT_TRY(read_fault(faults->items[i], fmt::format("/faults/{}", i), out)));
  }
  return {};
}

// "last_event_id": a word, or {"stale": {"by": "10k"}}.
Result<void> read_claim(const ObjectReader& reconnect, Preset preset, ReconnectSpec& out) {
  using Claim = ReconnectSpec::Claim;
  constexpr std::string_view kKey = "last_event_id";
  const JsonNode* const node = reconnect.find(kKey);
  if (node == nullptr) return {};
  const std::string path = reconnect.path(kKey);
  if (node->kind == JsonNode::Kind::object) {
    const ObjectReader in = RT_TRY(ObjectReader::open(*node, path, {"stale"}));
    RT_CHECKED(in.require("stale"));
    const ObjectReader stale =
        RT_TRY(ObjectReader::open(*in.find("stale"), in.path("stale"), {"by"}));
    RT_CHECKED(stale.require("by"));
    std::uint64_t by = 0;
    RT_CHECKED(stale.count("by", by, 1, ReconnectSpec::kStaleMax));
    out.claim = Claim::stale;
    out.stale_by = static_cast<std::uint32_t>(by);
  } else if (node->kind == JsonNode::Kind::string && node->text == "stale") {
    return ObjectReader::wrong(*node, path, "stale by how much? {\"stale\": {\"by\": \"10k\"}}");
  } else {
    out.claim =
        static_cast<Claim>(RT_TRY(reconnect.word(kKey, 0,
                                                 {{"send", static_cast<int>(Claim::truth)},
                                                  {"omit", static_cast<int>(Claim::nothing)},
                                                  {"future", static_cast<int>(Claim::future)},
                                                  {"garbage", static_cast<int>(Claim::garbage)}})));
  }
  const bool lies = out.claim != Claim::truth && out.claim != Claim::nothing;
  if (out.claim == Claim::stale && preset != Preset::runs) {
    return ObjectReader::wrong(*node, path, "only the stream of preset \"runs\" repeats its past");
  }
  if (lies && preset != Preset::runs && preset != Preset::jobs) {
    return ObjectReader::wrong(*node, path,
                               fmt::format("a stream of preset \"{}\" has no state to begin anew "
                                           "with: only those of runs and jobs have",
                                           preset_name(preset)));
  }
  return {};
}

}  // namespace

const char* fault_name(FaultSpec::Kind kind) {
  return kFaults[static_cast<std::size_t>(kind)].name;
}

Result<void> read_reconnect(const ObjectReader& root, Scenario& scenario) {
  ReconnectSpec& out = scenario.reconnect;
  if (root.find("reconnect") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("reconnect"), root.path("reconnect"),
                                {"enabled", "policy", "last_event_id", "storms"}));
  RT_CHECKED(in.flag("enabled", out.enabled));
  RT_CHECKED(read_claim(in, scenario.target.preset, out));
  if (const JsonNode* node = in.find("policy")) {
    const ObjectReader policy = RT_TRY(
        ObjectReader::open(*node, in.path("policy"), {"honour_retry", "base", "max", "jitter"}));
    RT_CHECKED(policy.flag("honour_retry", out.honour_retry));
    RT_CHECKED(policy.duration("base", out.base));
    RT_CHECKED(policy.duration("max", out.max));
    RT_CHECKED(policy.number("jitter", out.jitter, 0, 1));
  }
  const JsonNode* storms = RT_TRY(list_of(in, "storms"));
  if (storms == nullptr) return {};
  if (storms->items.size() > kFaultsMax) {
    return ObjectReader::wrong(*storms, in.path("storms"), "expected up to 100 storms");
  }
  for (std::size_t i = 0; i < storms->items.size(); ++i) {
    out.storms.push_back(
        RT_TRY(read_storm(storms->items[i], fmt::format("{}/{}", in.path("storms"), i), scenario)));
  }
  return {};
}

Result<void> read_behaviour(const ObjectReader& root, Scenario& out) {
  RT_CHECKED(read_churn(root, out.churn));
  RT_CHECKED(read_cohorts(root, out));
  RT_CHECKED(read_faults(root, out));
  return check_transport(root, out);
}

}  // namespace rt
