#include "load/process_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace rt {
namespace {

// The value on a line of that name, with labels or without: NAME{...} VALUE [TIMESTAMP].
std::optional<double> value_of(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  if (line.starts_with('{')) {
    const std::size_t end = line.rfind('}');  // a label's text may hold one
    if (end == line.npos) return std::nullopt;
    line.remove_prefix(end + 1);
  }
  if (!line.starts_with(' ') && !line.starts_with('\t')) return std::nullopt;
  const std::string text(line);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool is_number = end != text.c_str() && std::isfinite(value) && value >= 0;
  return is_number ? std::optional(value) : std::nullopt;
}

void add(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

}  // namespace

std::optional<ProcessUse> parse_process_metrics(std::string_view page) {
  std::optional<double> memory_bytes;
  std::optional<double> cpu_s;
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    add(memory_bytes, value_of(line, "process_resident_memory_bytes"));
    add(cpu_s, value_of(line, "process_cpu_seconds_total"));
  }
  constexpr double kMemoryMax = 1e18;  // within what the counters hold
  constexpr double kSecondsMax = 9e9;
  if (!memory_bytes || !cpu_s || *memory_bytes > kMemoryMax || *cpu_s > kSecondsMax) {
    return std::nullopt;
  }
  return ProcessUse{static_cast<std::uint64_t>(*memory_bytes),
                    static_cast<std::int64_t>(*cpu_s * 1e9)};
}

}  // namespace rt
