#include "base/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.h"

namespace rt {
namespace {

struct Quantity {
  double value;
  std::string_view unit;
};

// A non-negative decimal number and whatever follows it.
bool parse_quantity(std::string_view text, Quantity& out) {
  text = trim(text);
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out.value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(out.value)) return false;
  out.unit = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  return true;
}

tl::unexpected<Error> expected(std::string_view what, std::string_view example,
                               std::string_view found) {
  return fail(Code::usage,
              fmt::format("expected {} like \"{}\", found \"{}\"", what, example, found));
}

double scale_of_count(std::string_view unit) {
  if (unit.empty()) return 1;
  if (unit == "k") return 1e3;
  if (unit == "M") return 1e6;
  if (unit == "G") return 1e9;
  return 0;
}

// Two decimal digits at `at`, or -1.
int two_digits(std::string_view s, std::size_t at) {
  if (at + 2 > s.size()) return -1;
  const auto value = parse_decimal(s.substr(at, 2));
  return value ? static_cast<int>(*value) : -1;
}

// "Z", "+02:00" or "-0800" to minutes east of UTC; false if neither.
bool parse_offset(std::string_view s, int& minutes) {
  if (s == "Z" || s == "z") {
    minutes = 0;
    return true;
  }
  if (s.size() < 3 || (s[0] != '+' && s[0] != '-')) return false;
  const int h = two_digits(s, 1);
  int m = 0;
  if (s.size() == 6 && s[3] == ':')
    m = two_digits(s, 4);
  else if (s.size() == 5)
    m = two_digits(s, 3);
  else if (s.size() != 3)
    return false;
  if (h < 0 || h > 23 || m < 0 || m > 59) return false;
  minutes = (h * 60 + m) * (s[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  Quantity q{};
  if (!parse_quantity(text, q)) return expected("a duration", "300ms", text);
  double ns = 0;
  if (q.unit == "ns")
    ns = 1;
  else if (q.unit == "us")
    ns = 1e3;
  else if (q.unit == "ms")
    ns = 1e6;
  else if (q.unit == "s")
    ns = 1e9;
  else if (q.unit == "m")
    ns = 60e9;
  else if (q.unit == "h")
    ns = 3600e9;
  else if (q.unit == "d")
    ns = 86400e9;
  else if (q.unit.empty() && q.value == 0)
    ns = 1;
  else
    return expected("a duration", "300ms", text);
  const double total = q.value * ns;
  if (total > 9e18) return fail(Code::usage, fmt::format("duration \"{}\" is too long", text));
  return Duration(static_cast<std::int64_t>(std::llround(total)));
}

Result<std::uint64_t> parse_count(std::string_view text) {
  Quantity q{};
  if (!parse_quantity(text, q)) return expected("a count", "400k", text);
  const double scale = scale_of_count(q.unit);
  const double total = q.value * scale;
  if (scale == 0 || total != std::floor(total) || total > 1e18)
    return expected("a count", "400k", text);
  return static_cast<std::uint64_t>(total);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  Quantity q{};
  if (!parse_quantity(text, q)) return expected("a size", "64KiB", text);
  double scale = 0;
  if (q.unit == "B")
    scale = 1;
  else if (q.unit == "kB" || q.unit == "KB")
    scale = 1e3;
  else if (q.unit == "MB")
    scale = 1e6;
  else if (q.unit == "GB")
    scale = 1e9;
  else if (q.unit == "KiB")
    scale = 1024;
  else if (q.unit == "MiB")
    scale = 1024.0 * 1024;
  else if (q.unit == "GiB")
    scale = 1024.0 * 1024 * 1024;
  else if (q.unit.empty() && q.value == 0)
    scale = 1;
  if (scale == 0 || q.value * scale > 1e18) return expected("a size", "64KiB", text);
  return static_cast<std::uint64_t>(std::llround(q.value * scale));
}

Result<double> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  Quantity q{};
  if (slash == std::string_view::npos || !parse_quantity(text.substr(0, slash), q)) {
    return expected("a rate", "500/s", text);
  }
  const std::string_view per = trim(text.substr(slash + 1));
  const double seconds = per == "s" ? 1 : per == "m" ? 60 : per == "h" ? 3600 : 0;
  const double scale = scale_of_count(q.unit);
  if (seconds == 0 || scale == 0) return expected("a rate", "500/s", text);
  return q.value * scale / seconds;
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  const auto bad = [&] { return expected("a time", "2026-03-29T00:30:00Z", text); };
  std::string_view s = trim(text);
  if (s.size() < 20 || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':') return bad();
  if (s[10] != 'T' && s[10] != 't' && s[10] != ' ') return bad();
  const auto year = parse_decimal(s.substr(0, 4));
  const int month = two_digits(s, 5), day = two_digits(s, 8);
  const int hour = two_digits(s, 11), minute = two_digits(s, 14), second = two_digits(s, 17);
  if (!year || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return bad();
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(static_cast<int>(*year)) /
                            std::chrono::month(static_cast<unsigned>(month)) /
                            std::chrono::day(static_cast<unsigned>(day))};
  if (month < 1 || day < 1 || !date.ok()) return bad();
  std::size_t at = 19;
  std::int64_t us = 0;
  if (s[at] == '.') {
    std::int64_t unit = 100'000;
    const std::size_t first = ++at;
    for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, unit /= 10)
      us += (s[at] - '0') * unit;
    if (at == first) return bad();
  }
  int offset_minutes = 0;
  if (!parse_offset(s.substr(at), offset_minutes)) return bad();
  return WallTime(sys_days(date).time_since_epoch() + hours(hour) +
                  minutes(minute - offset_minutes) + seconds(second) + microseconds(us));
}

std::string format_duration(Duration d) {
  const double ns = static_cast<double>(d.count());
  if (ns < 1e3) return fmt::format("{:.0f}ns", ns);
  if (ns < 1e6) return fmt::format("{:.3g}us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.3g}ms", ns / 1e6);
  if (ns < 60e9) return fmt::format("{:.3g}s", ns / 1e9);
  const auto seconds = static_cast<long>(std::llround(ns / 1e9));
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string format_bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string format_count(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, " ");
  return digits;
}

namespace {

// "2026-03-29T00:30:00": the calendar is asked once a second, for times mostly come in order.
struct SecondText {
  std::chrono::sys_seconds second{std::chrono::seconds(-1)};
  char text[32] = {};
  std::size_t size = 0;

  std::string_view of(std::chrono::sys_seconds wanted) {
    using namespace std::chrono;
    if (wanted == second && size > 0) return {text, size};
    const auto day = floor<days>(wanted);
    const year_month_day date{day};
    const hh_mm_ss time{wanted - day};
    const auto end = fmt::format_to_n(
        text, sizeof text, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        time.hours().count(), time.minutes().count(), time.seconds().count());
    size = std::min(end.size, sizeof text);
    second = wanted;
    return {text, size};
  }
};

void append_time(std::string& out, WallTime t, int fraction_digits) {
  using namespace std::chrono;
  thread_local SecondText last;
  const auto second = floor<seconds>(t);
  auto fraction = static_cast<std::uint32_t>((t - second).count());
  if (fraction_digits == 3) fraction /= 1000;
  out.append(last.of(second));
  const std::size_t at = out.size();
  out.append(static_cast<std::size_t>(fraction_digits) + 2, '.');
  out.back() = 'Z';
  for (std::size_t i = at + static_cast<std::size_t>(fraction_digits); i > at; --i) {
    out[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
}

}  // namespace

void append_rfc3339(std::string& out, WallTime t) {
  append_time(out, t, 6);
}
std::string format_rfc3339(WallTime t) {
  std::string out;
  append_time(out, t, 6);
  return out;
}
std::string format_rfc3339_ms(WallTime t) {
  std::string out;
  append_time(out, t, 3);
  return out;
}

}  // namespace rt
