#include "pg/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt {

namespace {

constexpr std::size_t kNameBytes = 63;  // NAMEDATALEN - 1

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// Takes one part off the front of text; false if there is none.
bool take_part(std::string_view& text, std::string& part) {
  part.clear();
  if (!text.empty() && text[0] == '"') {
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] != '"') {
        part += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        part += text[i++];
      } else {
        text.remove_prefix(i + 1);
        return !part.empty();
      }
    }
    return false;  // the closing quote is missing
  }
  std::size_t used = 0;
  while (used < text.size() && is_bare(text[used])) {
    const char c = text[used++];
    part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  text.remove_prefix(used);
  return used > 0 && !(part[0] >= '0' && part[0] <= '9') && part[0] != '$';
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string TableName::quoted() const {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

Result<TableName> parse_table_name(std::string_view text) {
  TableName name;
  std::string_view rest = text;
  bool ok = take_part(rest, name.table);
  if (ok && !rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    name.schema = std::move(name.table);
    ok = take_part(rest, name.table);
  }
  ok = ok && rest.empty() && name.schema.size() <= kNameBytes && name.table.size() <= kNameBytes &&
       text.find('\0') == text.npos;
  if (!ok) {
    return fail(Code::usage, fmt::format("cannot read the table name '{}'", text),
                "write table, schema.table, or \"Quoted\".\"Names\"");
  }
  return name;
}

Result<void> check_slot_name(std::string_view name) {
  const bool ok = !name.empty() && name.size() <= kNameBytes &&
                  std::all_of(name.begin(), name.end(), [](char c) {
                    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                  });
  if (ok) return {};
  return fail(Code::usage, fmt::format("replication slot name '{}' is not valid", name),
              "use 1 to 63 of a-z, 0-9 and _");
}

}  // namespace rt
