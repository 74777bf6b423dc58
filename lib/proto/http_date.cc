#include "proto/http_date.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace rt {
namespace {

constexpr Duration kWaitMax = std::chrono::hours(24);  // longer is a mistake of the server's

std::optional<int> parse_number(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value || *value > 9'999) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<unsigned> parse_month(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (text == kMonths[i]) return i + 1;
  }
  return std::nullopt;
}

struct Parts {
  std::string_view year, month, day, time;
};

std::optional<WallTime> time_of(const Parts& parts) {
  auto year = parse_number(parts.year);
  const auto month = parse_month(parts.month);
  const auto day = parse_number(parts.day);
  const auto clock = split(parts.time, ':');
  if (!year || !month || !day || clock.size() != 3) return std::nullopt;
  if (parts.year.size() == 2) *year += *year < 70 ? 2000 : 1900;
  const auto hour = parse_number(clock[0]);
  const auto minute = parse_number(clock[1]);
  const auto second = parse_number(clock[2]);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                  std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(trim(text), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() == 6 && words[5] == "GMT") {
    return time_of({.year = words[3], .month = words[2], .day = words[1], .time = words[4]});
  }
  if (words.size() == 4 && words[3] == "GMT") {
    const auto date = split(words[1], '-');
    if (date.size() != 3) return std::nullopt;
    return time_of({.year = date[2], .month = date[1], .day = date[0], .time = words[2]});
  }
  if (words.size() == 5) {
    return time_of({.year = words[4], .month = words[1], .day = words[2], .time = words[3]});
  }
  return std::nullopt;
}

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  text = trim(text);
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto seconds = parse_decimal(text);
    constexpr std::uint64_t kSecondsMax = 24 * 60 * 60;
    return std::chrono::seconds(std::min(seconds.value_or(kSecondsMax), kSecondsMax));
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  const Duration wait = *date <= now                           ? Duration::zero()
                        : *date - now > std::chrono::hours(24) ? kWaitMax
                                                               : Duration(*date - now);
  return wait;
}

}  // namespace rt
