#include "pg/cron_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <vector>

#include "base/text.h"

namespace rt {
namespace {

using Names = std::span<const std::string_view>;
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned min;
  unsigned max;
  Names names;        // names[0] means `min`
  bool any = false;   // "?"
  bool last = false;  // "L", and of a weekday "5L"
  bool nth = false;   // "5#2"
};

constexpr std::array<Field, 6> kFields = {{
    {"second", 0, 59, {}},
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day of the month", 1, 31, {}, true, true},
    {"month", 1, 12, kMonths},
    {"day of the week", 0, 7, kDays, true, true, true},
}};
constexpr std::size_t kDayOfMonth = 3;
constexpr std::size_t kMonth = 4;

constexpr std::array<std::string_view, 5> kNicknames = {"@yearly", "@monthly", "@weekly", "@daily",
                                                        "@hourly"};

tl::unexpected<Error> wrong(const Field& field, std::string_view text, std::string_view why) {
  return fail(Code::usage, fmt::format("{} \"{}\" {}", field.name, text, why),
              "cron is \"MINUTE HOUR DAY MONTH WEEKDAY\", for example \"*/5 * * * *\"");
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (equal_ignoring_case(text, field.names[i])) return field.min + static_cast<unsigned>(i);
  }
  if (text.empty() || text.size() > 4) return std::nullopt;
  const auto number = parse_decimal(text);
  return number ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

Result<unsigned> value_within(const Field& field, std::string_view whole, std::string_view text) {
  const auto value = value_of(field, text);
  if (value && *value >= field.min && *value <= field.max) return *value;
  return wrong(field, whole, fmt::format("is not within {} to {}", field.min, field.max));
}

struct Range {
  unsigned from = 0;
  unsigned to = 0;
};

// "*", "?", "5", "1-5", "mon-fri", each with "/2"; "L", "5L", "5#2".
Result<Range> check_element(const Field& field, std::string_view element) {
  const std::size_t slash = element.find('/');
  std::string_view range = element.substr(0, slash);
  if (slash != std::string_view::npos) {
    const auto step = parse_decimal(element.substr(slash + 1));
    if (!step || *step == 0 || *step > field.max) {
      return wrong(field, element, fmt::format("needs a step of 1 to {}", field.max));
    }
  }
  const Range all{field.min, field.max};
  if (range == "*" || (range == "?" && field.any)) return all;
  if (field.last && slash == std::string_view::npos && !range.empty() && range.back() == 'L') {
    const std::string_view day = range.substr(0, range.size() - 1);
    if (!day.empty() && (!field.nth || !value_of(field, day))) {
      return wrong(field, element, "is no last day");
    }
    if (!day.empty()) RT_TRY(value_within(field, element, day));
    return all;
  }
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) {
    const unsigned value = RT_TRY(value_within(field, element, range));
    return Range{value, slash == std::string_view::npos ? value : field.max};
  }
  const unsigned from = RT_TRY(value_within(field, element, range.substr(0, dash)));
  const unsigned to = RT_TRY(value_within(field, element, range.substr(dash + 1)));
  if (from > to) return wrong(field, element, "ends before it begins");
  return Range{from, to};
}

Result<std::vector<Range>> check_field(const Field& field, std::string_view text) {
  std::string_view rest = text;
  if (field.nth) {
    const std::size_t hash = text.find('#');
    if (hash != std::string_view::npos) {
      const auto nth = parse_decimal(text.substr(hash + 1));
      if (!nth || *nth < 1 || *nth > 5) return wrong(field, text, "needs a week of 1 to 5");
      rest = text.substr(0, hash);
      RT_TRY(value_within(field, text, rest));  // one day alone
    }
  }
  std::vector<Range> ranges;
  for (const std::string_view element : split(rest, ',')) {
    if (element.empty()) return wrong(field, text, "has an empty place in its list");
    ranges.push_back(RT_TRY(check_element(field, element)));
  }
  return ranges;
}

// "0 0 31 2 *" never comes.
Result<void> check_days(const std::vector<Range>& days, const std::vector<Range>& months) {
  constexpr std::array<unsigned, 12> kLength = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  unsigned longest = 0;
  for (const Range& range : months) {
    for (unsigned month = range.from; month <= range.to; ++month) {
      longest = std::max(longest, kLength[month - 1]);
    }
  }
  const bool comes = std::any_of(days.begin(), days.end(),
                                 [&](const Range& range) { return range.from <= longest; });
  if (comes) return {};
  return fail(Code::usage, "that day does not exist in that month");
}

std::vector<std::string_view> fields_of(std::string_view expression) {
  std::vector<std::string_view> fields;
  for (const std::string_view word : split(expression, ' ')) {
    if (!word.empty()) fields.push_back(word);
  }
  return fields;
}

}  // namespace

Result<void> check_cron(std::string_view expression) {
  const bool nickname =
      std::find(kNicknames.begin(), kNicknames.end(), expression) != kNicknames.end();
  if (nickname) return {};
  const std::vector<std::string_view> words = fields_of(expression);
  if (words.size() < 5 || words.size() > 6) {
    return fail(Code::usage,
                fmt::format("cron \"{}\" has {} fields, not five", expression, words.size()),
                "cron is \"MINUTE HOUR DAY MONTH WEEKDAY\", for example \"*/5 * * * *\"");
  }
  const std::size_t skipped = kFields.size() - words.size();
  std::array<std::vector<Range>, kFields.size()> ranges;
  for (std::size_t i = 0; i < words.size(); ++i) {
    ranges[i + skipped] = RT_TRY(check_field(kFields[i + skipped], words[i]));
  }
  return check_days(ranges[kDayOfMonth], ranges[kMonth]);
}

}  // namespace rt
