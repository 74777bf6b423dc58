#include "report/slowest.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/units.h"
#include "load/figures.h"
#include "report/svg_chart.h"

namespace rt {
namespace {

constexpr std::size_t kInText = 2;
constexpr std::size_t kInTable = 20;  // the rest is in the JSON report

// From one stage to the next, or "-" where either is not known.
std::string stage_ms(std::int64_t from_us, std::int64_t to_us) {
  if (from_us == 0 || to_us == 0) return "-";
  return ms_number(static_cast<double>(to_us - from_us));
}

}  // namespace

std::string slowest_line(const Outcome& outcome) {
  std::string line;
  const auto& list = outcome.slowest.list;
  for (std::size_t i = 0; i < std::min(kInText, list.size()); ++i) {
    const SlowDelivery& slow = list[i];
    line += fmt::format("{}{} topic {} event {} to connection {}", i == 0 ? "slowest   " : ",  ",
                        ms_text(static_cast<double>(slow.delivery_us)), slow.topic, slow.event,
                        slow.connection);
  }
  return line.empty() ? line : line + "\n";
}

std::string slowest_rows(const Outcome& outcome) {
  const auto& list = outcome.slowest.list;
  if (list.empty()) return {};
  std::string out =
      "<h2 id=\"slowest\">The slowest deliveries</h2>\n<div class=\"scroll\"><table><thead><tr>"
      "<th>Topic</th><th class=\"n\">Event</th><th class=\"n\">Connection</th><th>Phase</th>"
      "<th class=\"n\">Delivery ms</th><th class=\"n\">Intended to commit</th>"
      "<th class=\"n\">Commit to wire</th><th class=\"n\">Wire to parse</th><th>Parsed at</th>"
      "</tr></thead>\n";
  for (std::size_t i = 0; i < std::min(kInTable, list.size()); ++i) {
    const SlowDelivery& slow = list[i];
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td>{}</td></tr>\n",
        html_escaped(slow.topic), slow.event, slow.connection, html_escaped(slow.phase),
        ms_number(static_cast<double>(slow.delivery_us)),
        stage_ms(slow.intended_unix_us, slow.committed_unix_us),
        stage_ms(slow.committed_unix_us, slow.arrived_unix_us),
        stage_ms(slow.arrived_unix_us, slow.parsed_unix_us),
        format_rfc3339(from_unix_us(slow.parsed_unix_us)));
  }
  return out + "</table></div>\n";
}

}  // namespace rt
