// The sections of a scenario that say how it is judged and reported.
#include <fmt/format.h>

#include <algorithm>

#include "load/gates.h"
#include "load/scenario_reader.h"

namespace rt {
namespace {

// Nobody looks into more deliveries one by one.
constexpr std::uint64_t kMostWorst = 10'000;

Result<Threshold> read_threshold(const JsonNode& node, const std::string& path) {
  const ObjectReader in =
      RT_TRY(ObjectReader::open(node, path, {"expr", "phase", "severity", "abort", "after"}));
  RT_CHECKED(in.require("expr"));
  std::string expression;
  RT_CHECKED(in.text("expr", expression));
  auto parsed = parse_threshold(expression);
  if (!parsed) return ObjectReader::wrong(*in.find("expr"), in.path("expr"), parsed.error().text);
  Threshold out = std::move(*parsed);
  RT_CHECKED(in.text("phase", out.phase));
  RT_CHECKED(in.flag("abort", out.abort));
  RT_CHECKED(in.duration("after", out.after));
  const bool live = out.metric == Metric::delivery || out.metric == Metric::intended ||
                    (out.metric == Metric::connect && out.stat == "fail_ratio");
  if (out.abort && (!live || !out.cohort.empty() || out.times_baseline)) {
    return ObjectReader::wrong(*in.find("abort"), in.path("abort"),
                               "only delivery, intended and connect.fail_ratio are known while it "
                               "runs");
  }
  out.severity = static_cast<Severity>(RT_TRY(in.word(
      "severity", 0,
      {{"fail", static_cast<int>(Severity::fail)}, {"warn", static_cast<int>(Severity::warn)}})));
  return out;
}

Result<void> read_thresholds(const ObjectReader& root, std::vector<Threshold>& out) {
  const JsonNode* list = RT_TRY(list_of(root, "thresholds"));
  if (list == nullptr) return {};
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
      {"dir", "json", "html", "junit", "md", "hlog", "csv", "prom", "keep_worst", "series"}));
  RT_CHECKED(in.text("dir", out.dir));
  Duration series = std::chrono::seconds(1);
  RT_CHECKED(in.duration("series", series));
  if (series != std::chrono::seconds(1)) {
    return ObjectReader::wrong(*in.find("series"), in.path("series"),
                               "expected \"1s\": a series has one entry a second");
  }
  std::uint64_t worst = out.keep_worst;
  RT_CHECKED(in.count("keep_worst", worst, 0, kMostWorst));
  out.keep_worst = static_cast<std::size_t>(worst);
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
  using Mode = ClockSpec::Mode;
  out.mode = static_cast<Mode>(RT_TRY(in.word(
      "mode", 0,
      {{"auto", static_cast<int>(Mode::automatic)},
       {"same-host", static_cast<int>(Mode::same_host)},
       {"probe", static_cast<int>(Mode::probe)}},
      {{"ptp",
        "how well two hosts agree is measured (\"probe\"), however they are kept in step"}})));
  return in.duration("max_error", out.max_error);
}

// Content is held against what this run published.
Result<void> check_content(const ObjectReader& root, const Scenario& scenario) {
  if (!scenario.integrity.content || !scenario.publish.empty()) return {};
  return ObjectReader::wrong(*root.find("integrity"), "/integrity/check",
                             "\"content\" is held against what was published, and this scenario "
                             "publishes nothing");
}

}  // namespace

Result<void> read_judgement(const ObjectReader& root, Scenario& out) {
  RT_CHECKED(read_thresholds(root, out.thresholds));
  RT_CHECKED(read_gates(root, out));
  RT_CHECKED(read_integrity(root, out.integrity));
  RT_CHECKED(check_content(root, out));
  RT_CHECKED(read_clock(root, out.clock));
  return read_report(root, out.report);
}

}  // namespace rt
