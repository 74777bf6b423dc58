#include "load/threshold.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "base/text.h"
#include "base/units.h"

namespace rt {
namespace {

struct StatRow {
  std::string_view name;
  Quantity quantity;
};
constexpr std::array kLatencyStats = {
    StatRow{"min", Quantity::duration}, StatRow{"p50", Quantity::duration},
    StatRow{"p90", Quantity::duration}, StatRow{"p95", Quantity::duration},
    StatRow{"p99", Quantity::duration}, StatRow{"p99.9", Quantity::duration},
    StatRow{"max", Quantity::duration}, StatRow{"mean", Quantity::duration},
    StatRow{"count", Quantity::count},
};
constexpr std::array kDeliveryStats = {StatRow{"ratio", Quantity::ratio},
                                       StatRow{"rate", Quantity::rate}};
constexpr std::array kWorstStats = {StatRow{"p95", Quantity::duration}};
constexpr std::array kConnectStats = {StatRow{"fail_ratio", Quantity::ratio}};
constexpr std::array kIntegrityStats = {
    StatRow{"lost", Quantity::count}, StatRow{"duplicate", Quantity::count},
    StatRow{"reorder", Quantity::count}, StatRow{"corrupt", Quantity::count},
    StatRow{"undelivered", Quantity::count}};
constexpr std::array kLoadStats = {StatRow{"achieved_ratio", Quantity::ratio}};
constexpr std::array kClientStats = {StatRow{"bytes_per_connection", Quantity::bytes},
                                     StatRow{"busy", Quantity::ratio}};
constexpr std::array kTargetStats = {StatRow{"bytes_per_connection", Quantity::bytes},
                                     StatRow{"cpu", Quantity::cores}};

struct MetricRow {
  std::string_view name;
  Metric metric;
  bool latency;
  std::span<const StatRow> more;
};
constexpr std::array kMetrics = {
    MetricRow{"delivery", Metric::delivery, true, kDeliveryStats},
    MetricRow{"commit_to_client", Metric::delivery, true, kDeliveryStats},
    MetricRow{"intended", Metric::intended, true, {}},
    MetricRow{"publish", Metric::publish, true, {}},
    MetricRow{"late", Metric::late, true, {}},
    MetricRow{"connect", Metric::connect, true, kConnectStats},
    MetricRow{"first_event", Metric::first_event, true, {}},
    MetricRow{"resume", Metric::resume, true, {}},
    MetricRow{"replay", Metric::replay, true, {}},
    MetricRow{"heartbeat_gap", Metric::heartbeat_gap, true, {}},
    MetricRow{"commit_to_wire", Metric::commit_to_wire, true, {}},
    MetricRow{"wire_to_parse", Metric::wire_to_parse, true, {}},
    MetricRow{"tls", Metric::tls, true, {}},
    MetricRow{"worst_conn", Metric::worst_conn, false, kWorstStats},
    MetricRow{"worst_topic", Metric::worst_topic, false, kWorstStats},
    MetricRow{"integrity", Metric::integrity, false, kIntegrityStats},
    MetricRow{"load", Metric::load, false, kLoadStats},
    MetricRow{"client", Metric::client, false, kClientStats},
    MetricRow{"target", Metric::target, false, kTargetStats},
};
constexpr std::string_view kCohort = "cohort.";

struct ComparisonRow {
  std::string_view text;
  Comparison comparison;
};
constexpr std::array kComparisons = {
    // the longer ones first
    ComparisonRow{"<=", Comparison::less_equal}, ComparisonRow{">=", Comparison::greater_equal},
    ComparisonRow{"==", Comparison::equal},      ComparisonRow{"!=", Comparison::not_equal},
    ComparisonRow{"<", Comparison::less},        ComparisonRow{">", Comparison::greater},
};

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Code::usage, fmt::format("threshold \"{}\": {}", text, why));
}

tl::unexpected<Error> unknown_word(std::string_view text, std::string_view what,
                                   std::string_view word,
                                   const std::vector<std::string_view>& known) {
  const auto near = nearest(word, known);
  return bad(text, fmt::format("unknown {} \"{}\"{}", what, word,
                               near ? fmt::format("; did you mean \"{}\"?", *near)
                                    : fmt::format("; known: {}", fmt::join(known, ", "))));
}

Result<Quantity> find_stat(const MetricRow& row, std::string& stat, std::string_view text) {
  if (stat.empty() && (row.latency || is_worst(row.metric))) stat = "p95";
  if (stat == "p99_9") stat = "p99.9";
  if (stat == "bytes_per_conn") stat = "bytes_per_connection";
  std::vector<std::string_view> known;
  for (const StatRow& one : kLatencyStats) {
    if (!row.latency) break;
    if (one.name == stat) return one.quantity;
    known.push_back(one.name);
  }
  for (const StatRow& one : row.more) {
    if (one.name == stat) return one.quantity;
    known.push_back(one.name);
  }
  return unknown_word(text, fmt::format("figure of {}", row.name), stat, known);
}

// "cohort.slow.delivery.p95": takes "cohort.slow." away and returns "slow".
Result<std::string> take_cohort(std::string_view& left, std::string_view text) {
  if (!left.starts_with(kCohort)) return std::string();
  const std::string_view rest = left.substr(kCohort.size());
  const std::size_t dot = rest.find('.');
  if (dot == 0 || dot == std::string_view::npos) {
    return bad(text, "expected cohort.NAME.METRIC.FIGURE, like cohort.healthy.delivery.p95");
  }
  left = rest.substr(dot + 1);
  return std::string(rest.substr(0, dot));
}

// "1.1 * baseline", "baseline": leaves the factor.
bool take_baseline(std::string_view& value) {
  constexpr std::string_view kWord = "baseline";
  if (!value.ends_with(kWord)) return false;
  value = trim(value.substr(0, value.size() - kWord.size()));
  if (value.ends_with('*')) value = trim(value.substr(0, value.size() - 1));
  if (value.empty()) value = "1";
  return true;
}

Result<double> parse_plain(std::string_view value, std::string_view text) {
  const bool percent = value.ends_with('%');
  if (percent) value = trim(value.substr(0, value.size() - 1));
  double number = 0;
  const char* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, number);
  if (value.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    return bad(text, "expected a number after the comparison");
  }
  return percent ? number / 100 : number;
}

Result<double> parse_value(std::string_view value, Quantity quantity, std::string_view text) {
  const auto with_unit = [&](auto parsed, double scale) -> Result<double> {
    if (!parsed) return bad(text, parsed.error().text);
    return scale;
  };
  switch (quantity) {
    case Quantity::duration: {
      const auto parsed = parse_duration(value);
      return with_unit(parsed, parsed ? static_cast<double>(parsed->count()) / 1000 : 0);
    }
    case Quantity::count: {
      const auto parsed = parse_count(value);
      return with_unit(parsed, parsed ? static_cast<double>(*parsed) : 0);
    }
    case Quantity::bytes: {
      const auto parsed = parse_bytes(value);
      return with_unit(parsed, parsed ? static_cast<double>(*parsed) : 0);
    }
    case Quantity::rate: {
      const auto parsed = parse_rate(value);
      return with_unit(parsed, parsed ? *parsed : 0);
    }
    case Quantity::ratio:
    case Quantity::cores:
      break;
  }
  return parse_plain(value, text);
}

}  // namespace

Result<Threshold> parse_threshold(std::string_view text) {
  const std::size_t at = text.find_first_of("<>=!");
  const ComparisonRow* comparison = nullptr;
  for (const ComparisonRow& row : kComparisons) {
    if (at == std::string_view::npos || !text.substr(at).starts_with(row.text)) continue;
    comparison = &row;
    break;
  }
  if (comparison == nullptr) {
    return bad(text, "expected METRIC.FIGURE, a comparison (< <= > >= == !=) and a value");
  }
  const std::string_view written = trim(text.substr(0, at));
  std::string_view left = written;
  std::string_view value = trim(text.substr(at + comparison->text.size()));
  Threshold out;
  out.cohort = RT_TRY(take_cohort(left, text));
  out.times_baseline = take_baseline(value);
  const std::size_t dot = std::min(left.find('.'), left.size());
  const std::string_view name = left.substr(0, dot);
  std::vector<std::string_view> known;
  const MetricRow* metric = nullptr;
  for (const MetricRow& row : kMetrics) {
    if (row.name == name) metric = &row;
    known.push_back(row.name);
  }
  if (metric == nullptr) return unknown_word(text, "metric", name, known);
  if (!out.cohort.empty() && metric->metric != Metric::delivery &&
      metric->metric != Metric::intended) {
    return bad(text, "only delivery and intended are told apart by cohort");
  }
  out.metric = metric->metric;
  if (out.times_baseline && is_worst(out.metric)) {
    return bad(text, fmt::format("{} has no baseline: give a duration", name));
  }
  out.stat = dot < left.size() ? left.substr(dot + 1) : std::string_view{};
  out.quantity = RT_TRY(find_stat(*metric, out.stat, text));
  out.comparison = comparison->comparison;
  out.value = out.times_baseline ? RT_TRY(parse_plain(value, text))
                                 : RT_TRY(parse_value(value, out.quantity, text));
  out.text =
      fmt::format("{}{}.{} {} {}{}", written.substr(0, written.size() - left.size()), name,
                  out.stat, comparison->text, value, out.times_baseline ? " * baseline" : "");
  return out;
}

}  // namespace rt
