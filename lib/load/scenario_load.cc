// The sections of a scenario that say who subscribes: target, phases, subscriptions.
#include <fmt/format.h>

#include <algorithm>

#include "load/scenario_reader.h"

namespace rt {
namespace {

// 4 million connections is ten times what one machine holds; more is a mistake, not a test.
constexpr std::uint64_t kMostConnections = 4'000'000;

Result<void> check_url(const ObjectReader& in, std::string_view key, const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return {};
  return ObjectReader::wrong(*in.find(key), in.path(key),
                             fmt::format("expected an http:// or https:// URL, found \"{}\"", url));
}

Result<PhaseSpec> read_phase(const JsonNode& node, const std::string& path) {
  const ObjectReader in = RT_TRY(ObjectReader::open(
      node, path, {"name", "connections", "hold", "max", "measure", "tag", "until"}));
  PhaseSpec phase;
  RT_CHECKED(in.require("name"));
  RT_CHECKED(in.text("name", phase.name));
  RT_CHECKED(in.text("tag", phase.tag));
  RT_CHECKED(in.duration("hold", phase.hold));
  RT_CHECKED(in.duration("max", phase.max));
  RT_CHECKED(in.flag("measure", phase.measure));
  if (const JsonNode* goal = in.find("connections")) {
    const ObjectReader ramp =
        RT_TRY(ObjectReader::open(*goal, in.path("connections"), {"to", "rate", "arrival"}));
    phase.connections.emplace();
    RT_CHECKED(ramp.require("to"));
    RT_CHECKED(ramp.count("to", phase.connections->to, 1, kMostConnections));
    if (ramp.find("rate") != nullptr) {
      RT_CHECKED(read_positive_rate(ramp, "rate", phase.connections->rate_per_s));
    }
    std::uint64_t burst = 0;
    RT_CHECKED(read_arrival(ramp, phase.connections->arrival, burst));
    if (phase.connections->arrival == Arrival::burst) {
      return ObjectReader::wrong(*ramp.find("arrival"), ramp.path("arrival"),
                                 "connections arrive constant or poisson");
    }
  }
  const bool holds = phase.hold > Duration::zero();
  if (!phase.connections && !holds) {
    return ObjectReader::wrong(node, path, "a phase needs \"connections\" or \"hold\"");
  }
  if (phase.measure && !holds) {
    return ObjectReader::wrong(node, path, "a measured phase needs \"hold\"");
  }
  if (in.find("until") == nullptr) return phase;
  RT_TRY(in.word("until", 0, {{"stationary", 0}}));
  phase.until_stationary = true;
  if (!holds || phase.connections || phase.measure || phase.longest_hold() < phase.hold) {
    return ObjectReader::wrong(
        *in.find("until"), in.path("until"),
        "expected in a phase that warms up: with \"hold\" (and \"max\" above "
        "it), without \"connections\" and \"measure\"");
  }
  return phase;
}

// "http://127.0.0.1:8080" or the same with a slash at its end.
bool is_origin_only(std::string_view url) {
  const std::size_t path = url.find('/', url.find("://") + 3);
  return path == std::string_view::npos || path + 1 == url.size();
}

std::string runs_stream_of(std::string_view origin) {
  if (origin.back() == '/') origin.remove_suffix(1);
  return std::string(origin) + "/v1/runs/stream";
}

Result<void> read_per_connection(const JsonNode& node, const std::string& path,
                                 SubscriptionSpec& out) {
  using Dist = SubscriptionSpec::PerConnection;
  constexpr int kFixed = -1;
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path, {"dist", "n", "min", "max", "s", "p50", "p99"}));
  const int dist = RT_TRY(in.word("dist", kFixed,
                                  {{"fixed", kFixed},
                                   {"uniform", static_cast<int>(Dist::uniform)},
                                   {"zipf", static_cast<int>(Dist::zipf)},
                                   {"lognormal", static_cast<int>(Dist::lognormal)}}));
  const bool is_fixed = dist == kFixed;
  out.per_connection = is_fixed ? Dist::uniform : static_cast<Dist>(dist);
  const bool is_lognormal = out.per_connection == Dist::lognormal;
  struct Use {
    const char* key;
    bool is_used;
  };
  for (const Use& use : {Use{"n", is_fixed}, Use{"min", !is_fixed}, Use{"max", !is_fixed},
                         Use{"s", out.per_connection == Dist::zipf}, Use{"p50", is_lognormal},
                         Use{"p99", is_lognormal}}) {
    if (in.find(use.key) == nullptr || use.is_used) continue;
    return ObjectReader::wrong(*in.find(use.key), in.path(use.key),
                               "a number that this distribution does not have");
  }
  std::uint64_t least = 1;
  RT_CHECKED(in.count(is_fixed ? "n" : "min", least, 1, kTopicsOfStreamMax));
  std::uint64_t most = least;
  if (!is_fixed) {
    RT_CHECKED(in.require("max"));
    RT_CHECKED(in.count("max", most, least, kTopicsOfStreamMax));
  }
  out.least_topics = static_cast<std::uint32_t>(least);
  out.most_topics = static_cast<std::uint32_t>(most);
  if (is_lognormal) {
    for (const char* key : {"p50", "p99"}) RT_CHECKED(in.require(key));
  }
  RT_CHECKED(in.number("s", out.topics_s, 0.01, 10));
  RT_CHECKED(in.number("p50", out.topics_p50, 1, kTopicsOfStreamMax));
  return in.number("p99", out.topics_p99, out.topics_p50, kTopicsOfStreamMax);
}

}  // namespace

Result<void> read_target(const ObjectReader& root, TargetSpec& out) {
  RT_CHECKED(root.require("target"));
  const ObjectReader in = RT_TRY(ObjectReader::open(
      *root.find("target"), root.path("target"),
      {"preset", "url", "publish_url", "pg", "pid_file", "metrics_url", "request"}));
  RT_CHECKED(in.require("preset"));
  out.preset = static_cast<Preset>(RT_TRY(in.word("preset", 0,
                                                  {{"runs", static_cast<int>(Preset::runs)},
                                                   {"topics", static_cast<int>(Preset::topics)},
                                                   {"events", static_cast<int>(Preset::events)},
                                                   {"realtime", static_cast<int>(Preset::realtime)},
                                                   {"jobs", static_cast<int>(Preset::jobs)},
                                                   {"raw", static_cast<int>(Preset::raw)}})));
  RT_CHECKED(in.require("url"));
  RT_CHECKED(in.text("url", out.url));
  RT_CHECKED(check_url(in, "url", out.url));
  // A server by itself: its stream of runs is meant.
  if (out.preset == Preset::runs && is_origin_only(out.url)) out.url = runs_stream_of(out.url);
  RT_CHECKED(in.text("publish_url", out.publish_url));
  if (!out.publish_url.empty()) RT_CHECKED(check_url(in, "publish_url", out.publish_url));
  RT_CHECKED(in.text("pg", out.pg));
  RT_CHECKED(in.text("pid_file", out.pid_file));
  RT_CHECKED(in.text("metrics_url", out.metrics_url));
  if (!out.metrics_url.empty()) RT_CHECKED(check_url(in, "metrics_url", out.metrics_url));
  return read_request(in, out.request);
}

Result<void> read_phases(const ObjectReader& root, std::vector<PhaseSpec>& out) {
  RT_CHECKED(root.require("phases"));
  const JsonNode& list = *RT_TRY(list_of(root, "phases"));
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    out.push_back(RT_TRY(read_phase(list.items[i], fmt::format("/phases/{}", i))));
  }
  RT_CHECKED(check_unique(root, "phases", out, &PhaseSpec::name));
  const auto wrong = [&](std::string_view what) {
    return ObjectReader::wrong(list, "/phases", what);
  };
  std::uint64_t held = 0;
  for (const PhaseSpec& phase : out) {
    if (phase.connections && phase.connections->to <= held) {
      return wrong("each \"connections\" goal must be above the one before it");
    }
    if (phase.connections) held = phase.connections->to;
    if (held == 0) return wrong("the first phase must open connections");
  }
  const bool measures =
      std::any_of(out.begin(), out.end(), [](const auto& p) { return p.measure; });
  if (!measures) return wrong("no phase has \"measure\": true, so there is nothing to judge");
  return {};
}

Result<void> read_subscriptions(const ObjectReader& root, SubscriptionSpec& out) {
  if (root.find("subscriptions") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("subscriptions"), root.path("subscriptions"),
                                {"topics", "per_connection", "choice", "filter"}));
  if (const JsonNode* node = in.find("topics")) {
    const ObjectReader topics =
        RT_TRY(ObjectReader::open(*node, in.path("topics"), {"count", "name"}));
    RT_CHECKED(topics.count("count", out.topics, 1, kMostTopics));
    RT_CHECKED(topics.text("name", out.name));
    if (out.topics > 1 && out.name.find("{n}") == std::string::npos &&
        out.name.find("{uuid}") == std::string::npos) {
      return ObjectReader::wrong(*node, in.path("topics"),
                                 "the name of many topics needs \"{n}\", like \"run-{n}\"");
    }
  }
  if (const JsonNode* node = in.find("per_connection")) {
    RT_CHECKED(read_per_connection(*node, in.path("per_connection"), out));
  }
  if (const JsonNode* node = in.find("choice"))
    out.choice = RT_TRY(read_choice(*node, in.path("choice")));
  return {};
}

// Whether one stream of this target can bring several topics.
Result<void> check_per_connection(const ObjectReader& root, const Scenario& scenario) {
  const SubscriptionSpec& spec = scenario.subscriptions;
  if (spec.most_topics == 1) return {};
  const JsonNode& node = *root.find("subscriptions")->find("per_connection");
  const auto wrong = [&](std::string_view why) {
    return ObjectReader::wrong(node, "/subscriptions/per_connection", why);
  };
  switch (scenario.target.preset) {
    case Preset::realtime:
      break;
    case Preset::runs:
      return wrong("one topic a connection: the filter of a runs stream names one run");
    case Preset::topics:
      return wrong("one topic a connection: the path of a topics stream names one topic");
    case Preset::events:
      return wrong("one topic a connection: an events stream is of one scope id");
    case Preset::jobs:
      return wrong("one topic a connection: a jobs stream is of one job");
    case Preset::raw:
      return wrong("preset raw publishes nothing, so that topics mean nothing");
  }
  // Whose file was not read (a stored scenario's) was looked at when it was.
  if (spec.choice.kind == ChoiceKind::file && !spec.choice.weights) return {};
  const std::uint64_t topics =
      spec.choice.weights ? spec.choice.weights->topics.size() : spec.topics;
  if (spec.most_topics > topics) {
    return wrong(fmt::format("{} topics a connection, but there are {}", spec.most_topics, topics));
  }
  if (scenario.target.url.find("{topic}") == std::string::npos) {
    return wrong("the URL needs \"{topic}\", which becomes \"a,b,c\"");
  }
  return {};
}

// Whether there is a topic for each entry, and a way to ask for each.
Result<void> check_topics(const ObjectReader& root, const Scenario& scenario) {
  const SubscriptionSpec& spec = scenario.subscriptions;
  const auto& entries = scenario.publish;
  const bool by_file = std::any_of(entries.begin(), entries.end(), [](const PublishSpec& entry) {
    return entry.topic.kind == ChoiceKind::file;
  });
  if (!by_file && entries.size() > spec.topics) {
    return ObjectReader::wrong(
        *root.find("publish"), "/publish",
        fmt::format("{} entries share out {} topic{}: give \"subscriptions.topics.count\" at least "
                    "as many",
                    entries.size(), spec.topics, spec.topics == 1 ? "" : "s"));
  }
  const auto has_comma = [](const std::string& name) {
    return name.find(',') != std::string::npos;
  };
  const bool any = spec.names ? std::any_of(spec.names->begin(), spec.names->end(), has_comma)
                              : has_comma(spec.name);
  if (scenario.target.preset == Preset::realtime && any) {
    return ObjectReader::wrong(
        *root.find("subscriptions"), "/subscriptions",
        "names of topics with a comma cannot be asked for: a realtime stream "
        "takes a list of names");
  }
  return {};
}

}  // namespace rt
