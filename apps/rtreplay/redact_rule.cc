#include "rtreplay/redact_rule.h"

#include <fmt/format.h>

#include <span>

#include "base/text.h"
#include "proto/json_scan.h"
#include "proto/pg_types.h"

namespace rt::rtreplay {
namespace {

// 64 bits: two of a billion values share a pseudonym with a chance of 3 %.
constexpr std::size_t kHexDigits = 16;
constexpr std::int32_t kTypmodHeader = 4;  // varchar(n) has the typmod n + 4

std::string hex_of(const PseudonymKey::Digest& digest, std::size_t digits) {
  std::string text;
  for (std::size_t i = 0; 2 * i < digits; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::uint64_t number_of(const PseudonymKey::Digest& digest) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return number;
}

std::string uuid_of(const PseudonymKey::Digest& digest) {
  std::string hex = hex_of(digest, 32);
  hex[12] = '8';  // version and variant of a custom UUID (RFC 9562 section 5.8)
  hex[16] = "89ab"[digest[8] & 3];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

std::string unescaped(std::string_view part) {
  std::string name;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    if (escape) ++i;
    name += escape ? (part[i] == '1' ? '/' : '~') : part[i];
  }
  return name;
}

std::string json_pseudonym(const PseudonymKey& key, std::string_view value) {
  const auto text = json_string(value);
  const auto digest = key.digest(text ? std::string_view(*text) : value);
  const bool number = !value.empty() && (value[0] == '-' || (value[0] >= '0' && value[0] <= '9'));
  // 53 bits: what every reader of JSON takes for a number.
  if (number) return std::to_string(number_of(digest) >> 11);
  return '"' + hex_of(digest, kHexDigits) + '"';
}

std::string redact_member(std::string_view json, std::span<const std::string> members,
                          RedactRule::Act act, const PseudonymKey& key);

std::string redact_elements(std::string_view array, std::span<const std::string> members,
                            RedactRule::Act act, const PseudonymKey& key) {
  std::string out;
  std::size_t copied = 0;
  std::size_t at = json_scan::skip_space(array, 1);
  while (at < array.size() && array[at] != ']') {
    const std::size_t end = json_scan::value_end(array, at);
    out += array.substr(copied, at - copied);
    out += redact_member(array.substr(at, end - at), members, act, key);
    copied = end;
    at = json_scan::skip_space(array, end);
    if (at < array.size() && array[at] == ',') at = json_scan::skip_space(array, at + 1);
  }
  out += array.substr(copied);
  return out;
}

std::string redact_member(std::string_view json, std::span<const std::string> members,
                          RedactRule::Act act, const PseudonymKey& key) {
  if (members.empty()) {
    return act == RedactRule::Act::drop ? "null" : json_pseudonym(key, json);
  }
  const std::size_t begin = json_scan::skip_space(json, 0);
  if (begin < json.size() && json[begin] == '[') {
    return redact_elements(json.substr(begin), members, act, key);
  }
  if (begin >= json.size() || json[begin] != '{') return std::string(json);
  std::string out;
  std::size_t copied = 0;
  // A name may stand there twice: each of its values counts.
  for (const JsonMember& member : json_members(json.substr(begin))) {
    const auto name = json_string(member.name);
    if (!name || *name != members.front()) continue;
    const auto at = static_cast<std::size_t>(member.value.data() - json.data());
    out += json.substr(copied, at - copied);
    out += redact_member(member.value, members.subspan(1), act, key);
    copied = at + member.value.size();
  }
  out += json.substr(copied);
  return out;
}

}  // namespace

Result<RedactRule> parse_redact_rule(std::string_view text) {
  const auto bad = [&] {
    return fail(
        Code::usage, fmt::format("cannot read --redact \"{}\"", text),
        "write /TABLE/COLUMN=hash or =drop, message:PREFIX=hash or =drop; with /NAME behind it a "
        "member of a JSON value");
  };
  RedactRule rule;
  rule.text = text;
  const std::size_t equals = text.rfind('=');
  constexpr std::string_view kMessage = "message:";
  const bool message = text.starts_with(kMessage);
  if ((!text.starts_with('/') && !message) || equals == text.npos) return bad();
  const std::string_view act = text.substr(equals + 1);
  if (act != "hash" && act != "drop") return bad();
  rule.act = act == "hash" ? RedactRule::Act::hash : RedactRule::Act::drop;
  const std::string_view path = text.substr(0, equals);
  const auto parts = split(path.substr(message ? kMessage.size() : 1), '/');
  if (message) {
    rule.of = RedactRule::Of::message;
    rule.prefix = unescaped(parts[0]);
    for (std::size_t i = 1; i < parts.size(); ++i) rule.members.push_back(unescaped(parts[i]));
    if (rule.prefix.empty()) return bad();
    return rule;
  }
  if (parts.size() < 2) return bad();
  rule.table = unescaped(parts[0]);
  if (const auto dot = rule.table.find('.'); dot != std::string::npos) {
    rule.schema = rule.table.substr(0, dot);
    rule.table.erase(0, dot + 1);
  }
  rule.column = unescaped(parts[1]);
  for (std::size_t i = 2; i < parts.size(); ++i) rule.members.push_back(unescaped(parts[i]));
  if (rule.table.empty() || rule.column.empty()) return bad();
  return rule;
}

std::string pseudonym_key_file(std::string archive) {
  while (archive.size() > 1 && archive.ends_with('/')) archive.pop_back();
  return archive + ".redact-key";
}

Result<std::string> pseudonym_of(const PseudonymKey& key, std::string_view value,
                                 const pgoutput::CachedColumn& column) {
  const auto digest = key.digest(value);
  switch (column.base_oid) {
    case pg_type::kInt2:
      return std::to_string(number_of(digest) >> 49);
    case pg_type::kInt4:
    case pg_type::kOid:
      return std::to_string(number_of(digest) >> 33);
    case pg_type::kInt8:
      return std::to_string(number_of(digest) >> 1);
    case pg_type::kNumeric:
      return std::to_string(number_of(digest) >> 33);
    case pg_type::kUuid:
      return uuid_of(digest);
    case pg_type::kBytea:
      return "\\x" + hex_of(digest, kHexDigits);
    case pg_type::kJson:
    case pg_type::kJsonb:
      return json_pseudonym(key, value);
    case pg_type::kText:
    case pg_type::kName:
      return hex_of(digest, kHexDigits);
    case pg_type::kVarchar:
    case pg_type::kBpchar: {
      const std::string hex = hex_of(digest, kHexDigits);
      const bool limited = column.typmod > kTypmodHeader;
      return limited ? hex.substr(0, static_cast<std::size_t>(column.typmod - kTypmodHeader)) : hex;
    }
    default:
      return fail(
          Code::usage,
          fmt::format("cannot redact column {} by hash: its type (oid {}) has no pseudonyms",
                      column.name, column.type_oid),
          "use =drop");
  }
}

std::string redact_content(std::string_view content, const RedactRule& rule,
                           const PseudonymKey& key) {
  const bool drop = rule.act == RedactRule::Act::drop;
  if (rule.members.empty()) return drop ? std::string() : hex_of(key.digest(content), kHexDigits);
  return is_json(content) ? redact_json(content, rule, key) : std::string();
}

std::string redact_json(std::string_view json, const RedactRule& rule, const PseudonymKey& key) {
  return redact_member(json, rule.members, rule.act, key);
}

}  // namespace rt::rtreplay
