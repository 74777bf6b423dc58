#include "rtreplay/rewrite_rule.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/text.h"
#include "base/units.h"
#include "proto/pg_types.h"

namespace rt::rtreplay {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_whole_number(std::uint32_t type_oid) {
  return type_oid == pg_type::kInt2 || type_oid == pg_type::kInt4 || type_oid == pg_type::kInt8;
}

bool is_time(std::uint32_t type_oid) {
  return type_oid == pg_type::kDate || type_oid == pg_type::kTimestamp ||
         type_oid == pg_type::kTimestamptz;
}

// As RFC 3339 has it: a date begins at midnight, a time without a zone is taken for UTC, an offset
// has minutes.
std::string as_rfc3339(std::string_view value, std::uint32_t type_oid) {
  std::string text(value);
  if (type_oid == pg_type::kDate) return text + "T00:00:00Z";
  if (type_oid == pg_type::kTimestamp) return text + 'Z';
  const auto sign = text.find_last_of("+-");
  if (sign != text.npos && text.size() - sign == 3) text += ":00";
  return text;
}

}  // namespace

Result<RewriteRule> parse_rewrite_rule(const std::string& text) {
  const auto bad = [&] {
    return fail(Code::usage, fmt::format("cannot read --rewrite \"{}\"", text),
                "write TABLE.COLUMN=hash, =drop, =null, =+1000000 or =shift");
  };
  const std::size_t equals = text.rfind('=');
  if (equals == text.npos) return bad();
  const std::string address = text.substr(0, equals);
  const std::string act = text.substr(equals + 1);
  const std::size_t dot = address.rfind('.');
  if (dot == address.npos || dot == 0 || dot + 1 == address.size()) return bad();
  RewriteRule rule;
  rule.text = text;
  rule.tables = NameGlobs({address.substr(0, dot)});
  rule.column = address.substr(dot + 1);
  if (act == "hash") {
    rule.act = RewriteRule::Act::hash;
  } else if (act == "drop") {
    rule.act = RewriteRule::Act::drop;
  } else if (act == "null") {
    rule.act = RewriteRule::Act::null;
  } else if (act == "shift") {
    rule.act = RewriteRule::Act::shift;
  } else if (!act.empty() && (act[0] == '+' || act[0] == '-')) {
    const auto added = whole_number(act[0] == '+' ? std::string_view(act).substr(1) : act);
    if (!added) return bad();
    rule.act = RewriteRule::Act::add;
    rule.added = *added;
  } else {
    return bad();
  }
  return rule;
}

Result<void> RewriteRule::check(const pgoutput::CachedRelation& relation,
                                const pgoutput::CachedColumn& at) const {
  const auto refuse = [&](std::string why, std::string hint) {
    return fail(Code::refused, fmt::format("cannot rewrite {}: {}", text, why), std::move(hint));
  };
  // With FULL every column counts as key, and the whole row is there to find it by.
  const bool is_key = at.is_key && relation.identity != 'f';
  if (is_key && (act == Act::drop || act == Act::null)) {
    return refuse("rows are found by it", "use =hash or an offset");
  }
  if (act == Act::add && !is_whole_number(at.base_oid)) {
    return refuse("it holds no whole numbers", "=hash serves for other keys");
  }
  if (act == Act::shift && !is_time(at.base_oid)) {
    return refuse("it is no date, timestamp or timestamptz", {});
  }
  return {};
}

std::optional<std::int64_t> add_to(std::string_view value, std::int64_t added,
                                   std::uint32_t type_oid) {
  const auto number = whole_number(value);
  std::int64_t sum = 0;
  if (!number || __builtin_add_overflow(*number, added, &sum)) return std::nullopt;
  const auto fits = [sum](auto limit) {
    using Type = decltype(limit);
    return sum >= std::numeric_limits<Type>::min() && sum <= std::numeric_limits<Type>::max();
  };
  if (type_oid == pg_type::kInt2 && !fits(std::int16_t{})) return std::nullopt;
  if (type_oid == pg_type::kInt4 && !fits(std::int32_t{})) return std::nullopt;
  return sum;
}

std::optional<std::string> shift_time(std::string_view value, std::int64_t us,
                                      std::uint32_t type_oid) {
  if (value == "infinity" || value == "-infinity") return std::string(value);
  const auto time = parse_rfc3339(as_rfc3339(value, type_oid));
  if (!time) return std::nullopt;
  std::string text = format_rfc3339(*time + std::chrono::microseconds(us));
  text.pop_back();  // Z
  text[text.find('T')] = ' ';
  if (type_oid == pg_type::kDate) return text.substr(0, text.find(' '));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  if (type_oid == pg_type::kTimestamptz) text += "+00";
  return text;
}

}  // namespace rt::rtreplay
