// The sections of a scenario that say what load there is: target, phases, subscriptions, publish.
#include <fmt/format.h>

#include <algorithm>

#include "load/scenario_reader.h"

namespace rt {
namespace {

// 4 million connections is ten times what one machine holds; more is a mistake, not a test.
constexpr std::uint64_t kMostConnections = 4'000'000;
constexpr std::uint64_t kMostTopics = 10'000'000;
constexpr std::uint64_t kMostProducerConnections =
    1'000;  // PostgreSQL's max_connections is 100 by default
constexpr double kMostPerSecond = 1e7;

Result<void> check_url(const ObjectReader& in, std::string_view key, const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return {};
  return ObjectReader::wrong(*in.find(key), in.path(key),
                             fmt::format("expected an http:// or https:// URL, found \"{}\"", url));
}

Result<Arrival> read_arrival(const ObjectReader& in, Arrival otherwise) {
  return static_cast<Arrival>(RT_TRY(in.word("arrival", static_cast<int>(otherwise),
                                             {{"constant", static_cast<int>(Arrival::constant)},
                                              {"poisson", static_cast<int>(Arrival::poisson)}},
                                             {"burst", "archive"})));
}

Result<void> read_positive_rate(const ObjectReader& in, std::string_view key, double& out) {
  RT_CHECKED(in.rate(key, out));
  if (out > 0 && out <= kMostPerSecond) return {};
  return ObjectReader::wrong(*in.find(key), in.path(key),
                             "expected a rate above 0 and up to 10M/s");
}

Result<PhaseSpec> read_phase(const JsonNode& node, const std::string& path) {
  const ObjectReader in = RT_TRY(ObjectReader::open(
      node, path, {"name", "connections", "hold", "max", "measure", "tag"}, {"until"}));
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
    phase.connections->arrival = RT_TRY(read_arrival(ramp, Arrival::constant));
  }
  const bool holds = phase.hold > Duration::zero();
  if (!phase.connections && !holds) {
    return ObjectReader::wrong(node, path, "a phase needs \"connections\" or \"hold\"");
  }
  if (phase.measure && !holds) {
    return ObjectReader::wrong(node, path, "a measured phase needs \"hold\"");
  }
  return phase;
}

Result<std::vector<RateStep>> read_rate(const ObjectReader& in) {
  const JsonNode& node = *in.find("rate");
  std::vector<RateStep> steps;
  if (node.kind != JsonNode::Kind::array) {
    RT_CHECKED(read_positive_rate(in, "rate", steps.emplace_back().per_s));
    return steps;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string path = fmt::format("{}/{}", in.path("rate"), i);
    const ObjectReader step =
        RT_TRY(ObjectReader::open(node.items[i], path, {"at", "per_s", "ramp"}));
    RateStep& out = steps.emplace_back();
    RT_CHECKED(step.require("at"));
    RT_CHECKED(step.require("per_s"));
    RT_CHECKED(step.duration("at", out.at));
    RT_CHECKED(step.number("per_s", out.per_s, 0, kMostPerSecond));
    RT_CHECKED(step.duration("ramp", out.ramp));
    const Duration earliest = i == 0 ? Duration::zero() : steps[i - 1].at + steps[i - 1].ramp;
    if (i == 0 ? out.at != earliest : out.at < earliest || out.at == steps[i - 1].at) {
      return ObjectReader::wrong(
          *step.find("at"), step.path("at"),
          "the first step is at \"0s\"; each other one after the ramp before it");
    }
  }
  if (steps.empty())
    return ObjectReader::wrong(node, in.path("rate"), "expected at least one step");
  return steps;
}

Result<void> read_producer(const ObjectReader& publish, const TargetSpec& target,
                           PublishSpec& out) {
  RT_CHECKED(publish.require("producer"));
  const ObjectReader in = RT_TRY(ObjectReader::open(
      *publish.find("producer"), publish.path("producer"), {"type", "table", "connections"},
      {"batch", "url", "file", "speed", "idempotency"}));
  RT_CHECKED(in.require("type"));
  out.producer = static_cast<ProducerKind>(
      RT_TRY(in.word("type", 0,
                     {{"pg-update", static_cast<int>(ProducerKind::pg_update)},
                      {"pg-insert", static_cast<int>(ProducerKind::pg_insert)},
                      {"http-post", static_cast<int>(ProducerKind::http_post)}},
                     {"pg-notify", "redis-publish", "archive"})));
  RT_CHECKED(in.text("table", out.table));
  std::uint64_t connections = out.connections;
  RT_CHECKED(in.count("connections", connections, 1, kMostProducerConnections));
  out.connections = static_cast<unsigned>(connections);
  const bool posts = out.producer == ProducerKind::http_post;
  if (posts != (target.preset == Preset::topics)) {
    return ObjectReader::wrong(
        *in.find("type"), in.path("type"),
        fmt::format("preset {} needs a producer of type {}", preset_name(target.preset),
                    posts ? "pg-update or pg-insert" : "http-post"));
  }
  return {};
}

Result<PublishSpec> read_one_publish(const JsonNode& node, const std::string& path,
                                     const TargetSpec& target) {
  const ObjectReader in = RT_TRY(ObjectReader::open(
      node, path, {"id", "producer", "rate", "arrival", "topic", "size", "max_in_flight"},
      {"payload", "on_late"}));
  PublishSpec out;
  RT_CHECKED(in.require("id"));
  RT_CHECKED(in.text("id", out.id));
  RT_CHECKED(read_producer(in, target, out));
  RT_CHECKED(in.require("rate"));
  out.rate = RT_TRY(read_rate(in));
  out.arrival = RT_TRY(read_arrival(in, Arrival::constant));
  if (const JsonNode* topic = in.find("topic"))
    out.topic = RT_TRY(read_choice(*topic, in.path("topic")));
  RT_CHECKED(in.bytes("size", out.size_bytes, 1, 1 << 20));
  std::uint64_t in_flight = out.max_in_flight;
  RT_CHECKED(in.count("max_in_flight", in_flight, 1, 1'000'000));
  out.max_in_flight = static_cast<std::uint32_t>(in_flight);
  return out;
}

template <typename Named>
Result<void> check_unique(const ObjectReader& root, std::string_view key,
                          const std::vector<Named>& all, std::string Named::*name) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = fmt::format("/{}/{}", key, i);
    const JsonNode& node = root.find(key)->items[i];
    if ((all[i].*name).empty()) return ObjectReader::wrong(node, path, "its name is empty");
    for (std::size_t j = 0; j < i; ++j) {
      if (all[j].*name == all[i].*name) {
        return ObjectReader::wrong(node, path,
                                   fmt::format("the name \"{}\" is taken", all[i].*name));
      }
    }
  }
  return {};
}

Result<const JsonNode*> list_of(const ObjectReader& root, std::string_view key) {
  const JsonNode* list = root.find(key);
  if (list != nullptr && list->kind != JsonNode::Kind::array) {
    return ObjectReader::wrong(*list, root.path(key),
                               fmt::format("expected a list, found {}", describe(*list)));
  }
  return list;
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

}  // namespace

Result<void> read_target(const ObjectReader& root, TargetSpec& out) {
  RT_CHECKED(root.require("target"));
  const ObjectReader in = RT_TRY(ObjectReader::open(
      *root.find("target"), root.path("target"),
      {"preset", "url", "publish_url", "pg", "pid_file", "request"}, {"metrics_url"}));
  RT_CHECKED(in.require("preset"));
  out.preset = static_cast<Preset>(RT_TRY(in.word("preset", 0,
                                                  {{"runs", static_cast<int>(Preset::runs)},
                                                   {"topics", static_cast<int>(Preset::topics)},
                                                   {"raw", static_cast<int>(Preset::raw)}},
                                                  {"events", "realtime", "jobs"})));
  RT_CHECKED(in.require("url"));
  RT_CHECKED(in.text("url", out.url));
  RT_CHECKED(check_url(in, "url", out.url));
  // A server by itself: its stream of runs is meant.
  if (out.preset == Preset::runs && is_origin_only(out.url)) out.url = runs_stream_of(out.url);
  RT_CHECKED(in.text("publish_url", out.publish_url));
  if (!out.publish_url.empty()) RT_CHECKED(check_url(in, "publish_url", out.publish_url));
  RT_CHECKED(in.text("pg", out.pg));
  RT_CHECKED(in.text("pid_file", out.pid_file));
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
                                {"topics", "per_connection", "choice"}, {"filter"}));
  if (const JsonNode* node = in.find("topics")) {
    const ObjectReader topics =
        RT_TRY(ObjectReader::open(*node, in.path("topics"), {"count", "name"}));
    RT_CHECKED(topics.count("count", out.topics, 1, kMostTopics));
    RT_CHECKED(topics.text("name", out.name));
    if (out.topics > 1 && out.name.find("{n}") == std::string::npos) {
      return ObjectReader::wrong(*node, in.path("topics"),
                                 "the name of many topics needs \"{n}\", like \"run-{n}\"");
    }
  }
  if (const JsonNode* node = in.find("per_connection")) {
    const ObjectReader per =
        RT_TRY(ObjectReader::open(*node, in.path("per_connection"), {"dist", "n"}));
    RT_TRY(per.word("dist", 0, {{"fixed", 0}}, {"uniform", "zipf", "lognormal"}));
    std::uint64_t n = 1;
    RT_CHECKED(per.count("n", n, 1, 1'000'000));
    if (n != 1) {
      return ObjectReader::unsupported(*node, in.path("per_connection"),
                                       "more than one topic a connection");
    }
  }
  if (const JsonNode* node = in.find("choice"))
    out.choice = RT_TRY(read_choice(*node, in.path("choice")));
  return {};
}

Result<void> read_publish(const ObjectReader& root, const TargetSpec& target,
                          std::vector<PublishSpec>& out) {
  const JsonNode* list = RT_TRY(list_of(root, "publish"));
  if (list == nullptr) return {};
  if (target.preset == Preset::raw && !list->items.empty()) {
    return ObjectReader::wrong(*list, "/publish", "preset raw publishes nothing");
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    out.push_back(RT_TRY(read_one_publish(list->items[i], fmt::format("/publish/{}", i), target)));
  }
  return check_unique(root, "publish", out, &PublishSpec::id);
}

Result<Choice> read_choice(const JsonNode& node, const std::string& path) {
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path, {"dist", "s"}, {"share", "topics", "size", "file"}));
  Choice out;
  RT_CHECKED(in.require("dist"));
  out.kind = static_cast<ChoiceKind>(
      RT_TRY(in.word("dist", 0,
                     {{"uniform", static_cast<int>(ChoiceKind::uniform)},
                      {"zipf", static_cast<int>(ChoiceKind::zipf)},
                      {"one", static_cast<int>(ChoiceKind::one)},
                      {"round_robin", static_cast<int>(ChoiceKind::round_robin)}},
                     {"hot", "groups", "file"})));
  RT_CHECKED(in.number("s", out.s, 0.01, 10));
  if (in.find("s") != nullptr && out.kind != ChoiceKind::zipf) {
    return ObjectReader::wrong(*in.find("s"), in.path("s"), "only \"zipf\" has an exponent");
  }
  return out;
}

}  // namespace rt
