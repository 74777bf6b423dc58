#include "rtreplay/column_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"

namespace rt::rtreplay {
namespace {

tl::unexpected<Error> unreadable(const std::string& text, std::string_view why) {
  return fail(Code::usage, fmt::format("condition \"{}\": {}", text, why),
              "for example --where 'status = failed', --where 'amount >= 100' or "
              "--where 'ended_at is null'");
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\'' && text[i + 1] == '\'' && i + 2 < text.size()) ++i;  // '' is one '
  }
  return out;
}

template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

Result<ColumnTest> ColumnTest::parse(const std::string& text) {
  // Longer spellings first: "<=" begins with "<".
  static constexpr std::array<std::pair<std::string_view, Op>, 10> kOps = {
      {{"is not null", Op::is_not_null},
       {"is null", Op::is_null},
       {"==", Op::equal},
       {"!=", Op::unequal},
       {"<=", Op::less_equal},
       {">=", Op::more_equal},
       {"=", Op::equal},
       {"<", Op::less},
       {">", Op::more},
       {"~", Op::contains}}};
  const std::string_view whole = trim(text);
  const std::size_t end = std::min(whole.find_first_of(" \t=!<>~"), whole.size());
  ColumnTest test;
  test.column_ = whole.substr(0, end);
  if (test.column_.empty()) return unreadable(text, "no column in front");
  const std::string_view rest = trim(whole.substr(end));
  const auto* const op = std::find_if(kOps.begin(), kOps.end(), [&](const auto& known) {
    return equal_ignoring_case(rest.substr(0, known.first.size()), known.first);
  });
  if (op == kOps.end()) {
    return unreadable(text, "no operator: = != < <= > >= ~, is null, is not null");
  }
  test.op_ = op->second;
  const std::string_view value = trim(rest.substr(op->first.size()));
  const bool takes_value = test.op_ != Op::is_null && test.op_ != Op::is_not_null;
  if (!takes_value && !value.empty()) return unreadable(text, "nothing may follow \"null\"");
  test.wanted_ = unquoted(value);
  return test;
}

int ColumnTest::compare(std::string_view a, std::string_view b) {
  if (const auto x = number<std::int64_t>(a), y = number<std::int64_t>(b); x && y) {
    return order(*x, *y);
  }
  if (const auto x = number<double>(a), y = number<double>(b); x && y) return order(*x, *y);
  return order(a, b);
}

Truth ColumnTest::holds(const pgoutput::Value& value) const {
  using pgoutput::ValueKind;
  if (value.kind == ValueKind::unchanged) return Truth::unknown;
  const bool is_null = value.kind == ValueKind::null;
  const auto answer = [](bool yes) { return yes ? Truth::yes : Truth::no; };
  switch (op_) {
    case Op::is_null:
      return answer(is_null);
    case Op::is_not_null:
      return answer(!is_null);
    case Op::contains:
      return answer(!is_null && value.bytes.find(wanted_) != std::string_view::npos);
    default:
      break;
  }
  if (is_null) return Truth::no;
  const int compared = compare(value.bytes, wanted_);
  switch (op_) {
    case Op::equal:
      return answer(compared == 0);
    case Op::unequal:
      return answer(compared != 0);
    case Op::less:
      return answer(compared < 0);
    case Op::less_equal:
      return answer(compared <= 0);
    case Op::more:
      return answer(compared > 0);
    default:
      return answer(compared >= 0);
  }
}

}  // namespace rt::rtreplay
