// "subscriptions.filter" of a scenario: a share of the connections asks for what an expression lets
// through. What is due to whom has to be known beforehand, so an expression is about what every
// event of a topic has in common: its type (realtime), its rows' tag (runs, of new rows).
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "load/scenario_reader.h"

namespace rt {
namespace {

struct Expression {
  std::string_view attribute;
  std::vector<std::string_view> names;
};

// "type in (a, b)", "type = a".
std::optional<Expression> parse_expression(std::string_view text) {
  const std::size_t end = text.find_first_of(" =(");
  if (end == 0 || end == text.npos) return std::nullopt;
  Expression out{text.substr(0, end), {}};
  std::string_view rest = trim(text.substr(end));
  if (rest.starts_with('=')) {
    out.names.push_back(trim(rest.substr(1)));
  } else {
    if (!rest.starts_with("in")) return std::nullopt;
    rest = trim(rest.substr(2));
    if (!rest.starts_with('(') || !rest.ends_with(')')) return std::nullopt;
    for (const std::string_view name : split(rest.substr(1, rest.size() - 2), ',')) {
      out.names.push_back(trim(name));
    }
  }
  if (std::any_of(out.names.begin(), out.names.end(), [](auto name) { return name.empty(); })) {
    return std::nullopt;
  }
  return out;
}

// Why this attribute cannot be filtered by, or nothing.
std::string refusal(const Scenario& scenario, std::string_view attribute) {
  const Preset preset = scenario.target.preset;
  if (preset == Preset::realtime) {
    if (attribute == "type") return {};
    return "a realtime stream is asked for by \"type\", and by nothing else";
  }
  if (preset != Preset::runs) {
    return fmt::format("a stream of preset {} takes no filter", preset_name(preset));
  }
  if (attribute == "run_id") {
    return "a runs stream is asked for by one run_id: \"choice\" says whose";
  }
  if (attribute == "env_id" || attribute == "created_at") {
    return "all rows that this tool writes are of one environment and of now, so that it would let "
           "all through or nothing";
  }
  if (attribute != "tags") {
    return "a runs stream filters by run_id, env_id, tags and created_at, and by nothing else";
  }
  const bool tagged = std::all_of(
      scenario.publish.begin(), scenario.publish.end(),
      [](const PublishSpec& entry) { return entry.producer == ProducerKind::pg_insert; });
  if (!tagged) return "only rows of producer \"pg-insert\" have a tag of their own: their topic";
  if (scenario.reconnect.claim == ReconnectSpec::Claim::stale) {
    return "events that are asked for again (\"last_event_id\") are accounted for in streams of "
           "one "
           "topic only";
  }
  return {};
}

// What the URL and the names have to be like, so that several can be asked for at once; or nothing.
std::string unfit(const Scenario& scenario, const Expression& expression) {
  const bool by_url = scenario.target.url.find("{topic}") != std::string::npos;
  if (scenario.target.preset == Preset::realtime) {
    return by_url ? "" : "the URL needs \"{topic}\", which becomes \"a,b,c\"";
  }
  if (by_url) return "with \"{topic}\" in the URL it cannot be told how to ask for several";
  const bool plain =
      std::all_of(expression.names.begin(), expression.names.end(),
                  [](std::string_view name) { return name.find_first_of("\"\\") == name.npos; });
  return plain ? "" : "names of topics with quotes cannot stand in the filter of a runs stream";
}

// The numbers of the topics named. Where one is missing, its name.
std::string find_topics(const SubscriptionSpec& spec, const std::vector<std::string_view>& names,
                        std::vector<std::uint32_t>& out) {
  std::unordered_map<std::string_view, std::optional<std::uint32_t>> places;
  for (const std::string_view name : names) places[name] = std::nullopt;
  std::size_t missing = places.size();
  for (std::uint64_t topic = 0; topic < spec.topics && missing > 0; ++topic) {
    const std::string name = spec.topic_name(topic);
    const auto found = places.find(name);
    if (found == places.end() || found->second) continue;
    found->second = static_cast<std::uint32_t>(topic);
    --missing;
  }
  for (const std::string_view name : names) {
    if (!places[name]) return std::string(name);
    out.push_back(*places[name]);
  }
  return {};
}

}  // namespace

Result<void> read_filter(const ObjectReader& root, Scenario& scenario) {
  const JsonNode* const subscriptions = root.find("subscriptions");
  const JsonNode* const node = subscriptions == nullptr ? nullptr : subscriptions->find("filter");
  if (node == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*node, "/subscriptions/filter", {"expr", "share"}));
  SubscriptionSpec& spec = scenario.subscriptions;
  std::string text;
  RT_CHECKED(in.require("expr"));
  RT_CHECKED(in.text("expr", text));
  spec.filter.share = 1;
  RT_CHECKED(in.number("share", spec.filter.share, 0, 1));
  const auto wrong = [&](std::string_view what) {
    return ObjectReader::wrong(*in.find("expr"), in.path("expr"), what);
  };
  const std::optional<Expression> expression = parse_expression(text);
  if (!expression) {
    return wrong(fmt::format("expected \"type in (a, b)\" or \"type = a\", found \"{}\"", text));
  }
  if (const std::string why = refusal(scenario, expression->attribute); !why.empty()) {
    return wrong(fmt::format("cannot filter by \"{}\": {}", expression->attribute, why));
  }
  if (const std::string why = unfit(scenario, *expression); !why.empty()) return wrong(why);
  if (expression->names.size() > kTopicsOfStreamMax) {
    return wrong(fmt::format("{} names; a stream takes at most {}", expression->names.size(),
                             kTopicsOfStreamMax));
  }
  std::vector<std::uint32_t>& topics = spec.filter.topics;
  if (const std::string name = find_topics(spec, expression->names, topics); !name.empty()) {
    return wrong(fmt::format("no topic of this scenario is named \"{}\"; the first is \"{}\"", name,
                             spec.topic_name(0)));
  }
  std::sort(topics.begin(), topics.end());
  if (std::adjacent_find(topics.begin(), topics.end()) != topics.end()) {
    return wrong("the same name twice");
  }
  return {};
}

}  // namespace rt
