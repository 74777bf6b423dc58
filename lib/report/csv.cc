#include "report/csv.h"

#include <fmt/format.h>

namespace rt {

std::string csv_report(const Outcome& outcome) {
  std::string out =
      "at_s,connections,offered,achieved,received,p50_ms,p95_ms,max_ms,late_max_ms,measured\n";
  for (const SecondSample& s : outcome.series) {
    const auto ms = [&](double us) {
      return s.received == 0 && s.max_us <= 0 ? std::string() : fmt::format("{:.3f}", us / 1000);
    };
    out += fmt::format("{:.3f},{},{},{},{},{},{},{},{:.3f},{}\n", s.at_s, s.connections, s.offered,
                       s.sent, s.received, ms(s.p50_us), ms(s.p95_us), ms(s.max_us),
                       s.late_max_us / 1000, s.measured ? 1 : 0);
  }
  return out;
}

}  // namespace rt
