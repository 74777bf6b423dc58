#include "proto/pg_time.h"

#include <limits>

namespace rt {

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
// In the year 294247: PostgreSQL counts from 2000 and so goes 30 years further.
constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kSecondUs;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes text apart from the left; after the first failure everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool good() const { return good_; }
  bool empty() const { return rest_.empty(); }

  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) { good_ = skip(c) && good_; }

  // A number of `digits_min` to `digits_max` digits and at most `max`.
  std::int64_t number(std::size_t digits_min, std::size_t digits_max, std::int64_t max) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < digits_max && !rest_.empty() && is_digit(rest_.front()); ++digits) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (digits < digits_min || value > max) good_ = false;
    return value;
  }

  // The digits after the point, as microseconds.
  std::int64_t fraction_us() {
    const std::size_t before = rest_.size();
    std::int64_t value = number(1, 6, kSecondUs);
    for (std::size_t digits = before - rest_.size(); digits < 6; ++digits) value *= 10;
    return value;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Days from 1970-01-01 in the proleptic Gregorian calendar; year >= 1. Years begin in March, so
// that the leap day is the last one.
std::int64_t days_from_epoch(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719'468;
}

// Seconds east of UTC at the end of the text.
std::int64_t offset_seconds(Scanner& scanner) {
  if (scanner.empty() || scanner.skip('Z')) return 0;
  const bool west = scanner.skip('-');
  if (!west) scanner.expect('+');
  std::int64_t seconds = scanner.number(2, 2, 15) * 3'600;  // PostgreSQL: below 16 hours
  if (scanner.skip(':')) {
    seconds += scanner.number(2, 2, 59) * 60;
    if (scanner.skip(':')) seconds += scanner.number(2, 2, 59);
  }
  return west ? -seconds : seconds;
}

}  // namespace

std::optional<std::int64_t> parse_pg_timestamp_us(std::string_view text) {
  Scanner scanner(text);
  const std::int64_t year = scanner.number(4, 6, 294'276);  // the last year PostgreSQL has
  scanner.expect('-');
  const std::int64_t month = scanner.number(2, 2, 12);
  scanner.expect('-');
  const std::int64_t day = scanner.number(2, 2, 31);
  if (!scanner.skip('T')) scanner.expect(' ');
  const std::int64_t hour = scanner.number(2, 2, 23);
  scanner.expect(':');
  const std::int64_t minute = scanner.number(2, 2, 59);
  scanner.expect(':');
  const std::int64_t second = scanner.number(2, 2, 59);
  const std::int64_t fraction = scanner.skip('.') ? scanner.fraction_us() : 0;
  const std::int64_t offset = offset_seconds(scanner);
  if (!scanner.good() || !scanner.empty()) return std::nullopt;
  if (year == 0 || month == 0 || day == 0 || day > days_in_month(year, month)) return std::nullopt;
  const std::int64_t seconds =
      days_from_epoch(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second - offset;
  if (seconds >= kSecondsMax) return std::nullopt;
  return seconds * kSecondUs + fraction;
}

}  // namespace rt
