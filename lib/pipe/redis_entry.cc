#include "pipe/redis_entry.h"

#include "base/text.h"
#include "pipe/bytes_json.h"

namespace rt {

std::string RedisEntryId::text() const {
  std::string out;
  append_decimal(out, ms);
  out += '-';
  append_decimal(out, sequence);
  return out;
}

RedisEntryId RedisEntryId::before() const {
  if (sequence > 0) return {ms, sequence - 1};
  if (ms > 0) return {ms - 1, UINT64_MAX};
  return {};
}

std::optional<RedisEntryId> RedisEntryId::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto ms = parse_decimal(text.substr(0, dash));
  const auto sequence =
      dash == text.npos ? std::optional<std::uint64_t>(0) : parse_decimal(text.substr(dash + 1));
  if (!ms || !sequence) return std::nullopt;
  return RedisEntryId{*ms, *sequence};
}

bool append_redis_data(std::string& out, const archive::RedisBody& body) {
  if (body.id.empty()) {
    out += body.payload;
    return true;
  }
  const auto fields = archive::decode_redis_fields(body.payload);
  if (!fields) return false;
  if (fields->size() == 1 &&
      (fields->front().name == "data" || fields->front().name == "payload")) {
    out += fields->front().value;
    return true;
  }
  out += '{';
  for (std::size_t i = 0; i < fields->size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, (*fields)[i].name);
    out += ':';
    append_bytes_json(out, (*fields)[i].value);
  }
  out += '}';
  return true;
}

}  // namespace rt
