// The sections of a scenario that say how it is judged and reported, and how subscribers reconnect.
#include <fmt/format.h>

#include <algorithm>

#include "load/gates.h"
#include "load/scenario_reader.h"

namespace rt {
namespace {

Result<Threshold> read_threshold(const JsonNode& node, const std::string& path) {
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path, {"expr", "phase", "severity", "abort"}, {"after"}));
  RT_CHECKED(in.require("expr"));
  std::string expression;
  RT_CHECKED(in.text("expr", expression));
  auto parsed = parse_threshold(expression);
  if (!parsed) return ObjectReader::wrong(*in.find("expr"), in.path("expr"), parsed.error().text);
  Threshold out = std::move(*parsed);
  RT_CHECKED(in.text("phase", out.phase));
  RT_CHECKED(in.flag("abort", out.abort));
  out.severity = static_cast<Severity>(RT_TRY(in.word(
      "severity", 0,
      {{"fail", static_cast<int>(Severity::fail)}, {"warn", static_cast<int>(Severity::warn)}})));
  return out;
}

Result<void> read_thresholds(const ObjectReader& root, std::vector<Threshold>& out) {
  const JsonNode* list = root.find("thresholds");
  if (list == nullptr) return {};
  if (list->kind != JsonNode::Kind::array) {
    return ObjectReader::wrong(*list, "/thresholds",
                               fmt::format("expected a list, found {}", describe(*list)));
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    out.push_back(RT_TRY(read_threshold(list->items[i], fmt::format("/thresholds/{}", i))));
  }
  return {};
}

Result<void> read_gates(const ObjectReader& root, Scenario& out) {
  if (root.find("gates") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("gates"), root.path("gates"), {"waive", "strict"}));
  RT_CHECKED(in.flag("strict", out.strict_gates));
  const JsonNode* list = in.find("waive");
  if (list == nullptr) return {};
  if (list->kind != JsonNode::Kind::array) {
    return ObjectReader::wrong(
        *list, in.path("waive"),
        fmt::format("expected a list of gate names, found {}", describe(*list)));
  }
  for (const JsonNode& item : list->items) {
    const auto names = gate_names();
    if (std::find(names.begin(), names.end(), item.text) == names.end()) {
      return ObjectReader::wrong(
          item, in.path("waive"),
          fmt::format("unknown gate {}", describe(item)) + suggestion(item.text, names));
    }
    out.waived_gates.push_back(item.text);
  }
  return {};
}

Result<void> read_report(const ObjectReader& root, ReportSpec& out) {
  if (root.find("report") == nullptr) return {};
  const ObjectReader in = RT_TRY(ObjectReader::open(
      *root.find("report"), root.path("report"),
      {"dir", "json", "html", "junit", "md", "hlog", "csv", "prom"}, {"series", "keep_worst"}));
  RT_CHECKED(in.text("dir", out.dir));
  for (const char* format : {"json", "html", "junit", "md", "hlog", "csv", "prom"}) {
    bool wanted = false;
    RT_CHECKED(in.flag(format, wanted));
    if (wanted) out.formats.emplace_back(format);
  }
  return {};
}

Result<void> read_clock(const ObjectReader& root, ClockSpec& out) {
  if (root.find("clock") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("clock"), root.path("clock"), {"mode", "max_error"}));
  RT_TRY(in.word("mode", 0, {{"auto", 0}, {"same-host", 1}}, {"probe", "ptp"}));
  return in.duration("max_error", out.max_error);
}

}  // namespace

Result<void> read_judgement(const ObjectReader& root, Scenario& out) {
  RT_CHECKED(read_thresholds(root, out.thresholds));
  RT_CHECKED(read_gates(root, out));
  RT_CHECKED(read_clock(root, out.clock));
  return read_report(root, out.report);
}

Result<void> read_reconnect(const ObjectReader& root, ReconnectSpec& out) {
  if (root.find("reconnect") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("reconnect"), root.path("reconnect"),
                                {"enabled", "policy", "last_event_id"}, {"storms"}));
  RT_CHECKED(in.flag("enabled", out.enabled));
  out.send_last_event_id = RT_TRY(in.word("last_event_id", 1, {{"send", 1}, {"omit", 0}},
                                          {"stale", "future", "garbage"})) == 1;
  if (in.find("policy") == nullptr) return {};
  const ObjectReader policy = RT_TRY(ObjectReader::open(*in.find("policy"), in.path("policy"),
                                                        {"honour_retry", "base", "max", "jitter"}));
  RT_CHECKED(policy.flag("honour_retry", out.honour_retry));
  RT_CHECKED(policy.duration("base", out.base));
  RT_CHECKED(policy.duration("max", out.max));
  return policy.number("jitter", out.jitter, 0, 1);
}

}  // namespace rt
