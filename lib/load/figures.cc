#include "load/figures.h"

#include <fmt/format.h>

#include <cmath>

#include "base/units.h"

namespace rt {

std::string ms_number(double us) {
  if (std::isnan(us)) return "-";
  if (std::isinf(us)) return us > 0 ? "inf" : "-inf";
  const double ms = us / 1000;
  const double size = std::fabs(ms);
  return size < 10     ? fmt::format("{:.2f}", ms)
         : size < 1000 ? fmt::format("{:.1f}", ms)
                       : fmt::format("{:.0f}", ms);
}

std::string ms_text(double us) {
  return std::isfinite(us) ? ms_number(us) + " ms" : ms_number(us);
}

std::string percent_text(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.4g} %", share * 100);
}

std::string figure_text(double value, Quantity quantity) {
  if (!std::isfinite(value)) return ms_number(value);
  switch (quantity) {
    case Quantity::duration:
      return ms_text(value);
    case Quantity::count:
      return format_count(static_cast<std::uint64_t>(std::llround(value)));
    case Quantity::bytes:
      return format_bytes(value);
    case Quantity::ratio:
      return percent_text(value);
    case Quantity::rate:
      return fmt::format("{:.1f}/s", value);
    case Quantity::cores:
      return fmt::format("{:.2f} cores", value);
  }
  return {};
}

}  // namespace rt
