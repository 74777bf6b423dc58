// The section "publish" of a scenario: what is published, through what, when.
#include "load/scenario_publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "load/scenario_reader.h"

namespace rt {
namespace {

constexpr const char* kNeverSkipped = "a late event is sent all the same, and counted as late";
constexpr double kMostPerSecond = 1e7;

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

Result<void> read_size(const ObjectReader& publish, SizeSpec& out) {
  const JsonNode* node = publish.find("size");
  if (node == nullptr) return {};
  if (node->kind != JsonNode::Kind::object) {
    RT_CHECKED(publish.bytes("size", out.low, 1, kPayloadBytesMax));
    out.high = out.low;
    return {};
  }
  const ObjectReader in = RT_TRY(ObjectReader::open(*node, publish.path("size"),
                                                    {"dist", "value", "min", "max", "p50", "p99"}));
  RT_CHECKED(in.require("dist"));
  out.dist = static_cast<SizeSpec::Dist>(
      RT_TRY(in.word("dist", 0,
                     {{"fixed", static_cast<int>(SizeSpec::Dist::fixed)},
                      {"uniform", static_cast<int>(SizeSpec::Dist::uniform)},
                      {"lognormal", static_cast<int>(SizeSpec::Dist::lognormal)}})));
  constexpr std::array<std::array<const char*, 2>, 3> kKeys = {
      {{"value", "value"}, {"min", "max"}, {"p50", "p99"}}};
  const auto& keys = kKeys[static_cast<std::size_t>(out.dist)];
  for (const char* key : keys) RT_CHECKED(in.require(key));
  RT_CHECKED(in.bytes(keys[0], out.low, 1, kPayloadBytesMax));
  return in.bytes(keys[1], out.high, out.low, kPayloadBytesMax);
}

Result<void> read_payload(const ObjectReader& publish, PublishSpec& out) {
  const JsonNode* node = publish.find("payload");
  if (node == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*node, publish.path("payload"), {"entropy", "template"}));
  RT_CHECKED(in.number("entropy", out.entropy, 0, 1));
  if (in.find("template") == nullptr) return {};
  std::string text;
  RT_CHECKED(in.text("template", text));
  auto value = PayloadTemplate::compile(text);
  if (!value)
    return ObjectReader::wrong(*in.find("template"), in.path("template"), value.error().text);
  out.value = std::move(*value);
  return {};
}

Result<void> read_timing(const ObjectReader& in, PublishSpec& out) {
  if (!out.archive.empty()) {
    for (const char* key : {"rate", "arrival", "topic", "size"}) {
      if (in.find(key) == nullptr || in.find(key)->text == "archive") continue;
      return ObjectReader::wrong(*in.find(key), in.path(key),
                                 "a recording says itself when, about what and how large");
    }
    return {};
  }
  RT_CHECKED(read_arrival(in, out.arrival, out.burst, &out.rate));
  if (!out.rate.empty()) {
    if (in.find("rate") == nullptr) return {};
    return ObjectReader::wrong(*in.find("rate"), in.path("rate"),
                               "a burst with \"every\" has a rate already");
  }
  RT_CHECKED(in.require("rate"));
  out.rate = RT_TRY(read_rate(in));
  return {};
}

Result<PublishSpec> read_one_publish(const JsonNode& node, const std::string& path,
                                     const TargetSpec& target) {
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path,
                                {"id", "producer", "rate", "arrival", "topic", "size", "payload",
                                 "max_in_flight", "on_late"}));
  PublishSpec out;
  RT_CHECKED(in.require("id"));
  RT_CHECKED(in.text("id", out.id));
  RT_CHECKED(read_producer(in, target, out));
  RT_CHECKED(read_timing(in, out));
  RT_TRY(in.word("on_late", 0, {{"send-and-count", 0}},
                 {{"skip", kNeverSkipped}, {"drop", kNeverSkipped}}));
  if (const JsonNode* topic = in.find("topic")) {
    out.topic = RT_TRY(read_choice(*topic, in.path("topic")));
  }
  RT_CHECKED(read_size(in, out.size));
  RT_CHECKED(read_payload(in, out));
  std::uint64_t in_flight = out.max_in_flight;
  RT_CHECKED(in.count("max_in_flight", in_flight, 1, 1'000'000));
  out.max_in_flight = static_cast<std::uint32_t>(in_flight);
  return out;
}

}  // namespace

Result<void> read_positive_rate(const ObjectReader& in, std::string_view key, double& out) {
  RT_CHECKED(in.rate(key, out));
  if (out > 0 && out <= kMostPerSecond) return {};
  return ObjectReader::wrong(*in.find(key), in.path(key),
                             "expected a rate above 0 and up to 10M/s");
}

Result<void> read_arrival(const ObjectReader& in, Arrival& out, std::uint64_t& burst,
                          std::vector<RateStep>* rate) {
  const JsonNode* node = in.find("arrival");
  if (node == nullptr) return {};
  if (node->kind != JsonNode::Kind::object) {
    out = static_cast<Arrival>(RT_TRY(in.word("arrival", 0,
                                              {{"constant", static_cast<int>(Arrival::constant)},
                                               {"poisson", static_cast<int>(Arrival::poisson)}})));
    return {};
  }
  const ObjectReader shape =
      RT_TRY(ObjectReader::open(*node, in.path("arrival"), {"dist", "n", "every"}));
  out = static_cast<Arrival>(RT_TRY(shape.word("dist", static_cast<int>(Arrival::burst),
                                               {{"burst", static_cast<int>(Arrival::burst)}})));
  RT_CHECKED(shape.require("n"));
  RT_CHECKED(shape.count("n", burst, 1, 1'000'000));
  Duration every{};
  RT_CHECKED(shape.duration("every", every));
  if (every > Duration::zero() && rate != nullptr) {
    const double seconds = std::chrono::duration<double>(every).count();
    rate->push_back({Duration::zero(), static_cast<double>(burst) / seconds, Duration::zero()});
  }
  return {};
}

Result<void> read_publish(const ObjectReader& root, const TargetSpec& target,
                          std::vector<PublishSpec>& out) {
  const JsonNode* list = RT_TRY(list_of(root, "publish"));
  if (list == nullptr) return {};
  if (target.preset == Preset::raw && !list->items.empty()) {
    return ObjectReader::wrong(*list, "/publish",
                               "preset raw publishes nothing: delivery cannot be measured");
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    out.push_back(RT_TRY(read_one_publish(list->items[i], fmt::format("/publish/{}", i), target)));
  }
  RT_CHECKED(check_unique(root, "publish", out, &PublishSpec::id));
  const auto inserts = [](const auto& one) { return one.producer == ProducerKind::pg_insert; };
  const auto count = std::count_if(out.begin(), out.end(), inserts);
  if (count != 0 && static_cast<std::size_t>(count) != out.size()) {
    return ObjectReader::wrong(*list, "/publish",
                               "subscribers follow new rows by their tag and changed rows by their "
                               "id: one scenario does either");
  }
  return {};
}

Result<Choice> read_choice(const JsonNode& node, const std::string& path) {
  const ObjectReader in = RT_TRY(
      ObjectReader::open(node, path, {"dist", "s", "share", "topics", "size", "file", "sha256"}));
  Choice out;
  RT_CHECKED(in.require("dist"));
  out.kind = static_cast<ChoiceKind>(
      RT_TRY(in.word("dist", 0,
                     {{"uniform", static_cast<int>(ChoiceKind::uniform)},
                      {"zipf", static_cast<int>(ChoiceKind::zipf)},
                      {"one", static_cast<int>(ChoiceKind::one)},
                      {"round_robin", static_cast<int>(ChoiceKind::round_robin)},
                      {"hot", static_cast<int>(ChoiceKind::hot)},
                      {"groups", static_cast<int>(ChoiceKind::groups)},
                      {"file", static_cast<int>(ChoiceKind::file)}})));
  const auto only_for = [&](const char* key, ChoiceKind kind, const char* what) -> Result<void> {
    if (in.find(key) == nullptr || out.kind == kind) return {};
    return ObjectReader::wrong(*in.find(key), in.path(key), what);
  };
  RT_CHECKED(only_for("s", ChoiceKind::zipf, "only \"zipf\" has an exponent"));
  RT_CHECKED(only_for("share", ChoiceKind::hot, "only \"hot\" has a share"));
  RT_CHECKED(only_for("topics", ChoiceKind::hot, "only \"hot\" has topics of its own"));
  RT_CHECKED(only_for("size", ChoiceKind::groups, "only \"groups\" have a size"));
  RT_CHECKED(only_for("file", ChoiceKind::file, "only \"file\" is read from a file"));
  RT_CHECKED(only_for("sha256", ChoiceKind::file, "only \"file\" is read from a file"));
  if (out.kind == ChoiceKind::file) RT_CHECKED(in.require("file"));
  std::string digest;
  RT_CHECKED(in.text("file", out.file));
  RT_CHECKED(in.text("sha256", digest));
  RT_CHECKED(in.number("s", out.s, 0.01, 10));
  RT_CHECKED(in.number("share", out.share, 0, 1));
  RT_CHECKED(in.count("topics", out.topics, 1, 10'000'000));
  RT_CHECKED(in.count("size", out.size, 1, 4'000'000));
  return out;
}

}  // namespace rt
