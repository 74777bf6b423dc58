#include "archive/bodies.h"

#include <nlohmann/json.hpp>

#include "archive/wire.h"
#include "base/text.h"

namespace rt::archive {
namespace {

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

bool read_text(const char*& at, const char* end, std::string_view& out) {
  std::uint64_t size = 0;
  if (!read_varint(at, end, size) || size > static_cast<std::uint64_t>(end - at)) return false;
  out = {at, static_cast<std::size_t>(size)};
  at += size;
  return true;
}

}  // namespace

void encode(std::string& out, const SseBody& body) {
  append_text(out, body.id);
  append_text(out, body.event);
  out.append(body.data);
}

std::optional<SseBody> decode_sse(std::string_view bytes) {
  SseBody body;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (!read_text(at, end, body.id) || !read_text(at, end, body.event)) return std::nullopt;
  body.data = {at, static_cast<std::size_t>(end - at)};
  return body;
}

void encode(std::string& out, const NotifyBody& body) {
  append_le(out, body.pid);
  append_text(out, body.channel);
  out.append(body.payload);
}

std::optional<NotifyBody> decode_notify(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  NotifyBody body;
  body.pid = load_le<std::uint32_t>(bytes.data());
  const char* at = bytes.data() + 4;
  const char* const end = bytes.data() + bytes.size();
  if (!read_text(at, end, body.channel)) return std::nullopt;
  body.payload = {at, static_cast<std::size_t>(end - at)};
  return body;
}

void encode(std::string& out, const RedisBody& body) {
  append_text(out, body.id);
  append_text(out, body.channel);
  out.append(body.payload);
}

std::optional<RedisBody> decode_redis(std::string_view bytes) {
  RedisBody body;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (!read_text(at, end, body.id) || !read_text(at, end, body.channel)) return std::nullopt;
  body.payload = {at, static_cast<std::size_t>(end - at)};
  return body;
}

void encode(std::string& payload, const RedisField& field) {
  append_text(payload, field.name);
  append_text(payload, field.value);
}

std::optional<std::vector<RedisField>> decode_redis_fields(std::string_view payload) {
  std::vector<RedisField> fields;
  const char* at = payload.data();
  const char* const end = at + payload.size();
  while (at != end) {
    RedisField field;
    if (!read_text(at, end, field.name) || !read_text(at, end, field.value)) return std::nullopt;
    fields.push_back(field);
  }
  return fields;
}

void encode(std::string& out, const KeepaliveBody& body) {
  append_le(out, body.wal_end);
  append_le(out, body.server_time_us);
}

std::optional<KeepaliveBody> decode_keepalive(std::string_view bytes) {
  if (bytes.size() < 16) return std::nullopt;
  return KeepaliveBody{load_le<std::uint64_t>(bytes.data()),
                       load_le<std::int64_t>(bytes.data() + 8)};
}

void encode(std::string& out, const SnapshotRowBody& body) {
  append_le(out, body.relation);
  out.append(body.copy_line);
}

std::optional<SnapshotRowBody> decode_snapshot_row(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  return SnapshotRowBody{load_le<std::uint32_t>(bytes.data()), bytes.substr(4)};
}

void encode(std::string& out, const AbandonBody& body) {
  append_le(out, body.final_lsn);
}

std::optional<AbandonBody> decode_abandon(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  return AbandonBody{load_le<std::uint64_t>(bytes.data())};
}

void encode(std::string& out, const LeftOutBody& body) {
  append_varint(out, body.changes);
}

std::optional<LeftOutBody> decode_left_out(std::string_view bytes) {
  const char* at = bytes.data();
  std::uint64_t changes = 0;
  if (!read_varint(at, at + bytes.size(), changes) || changes > 0xFFFFFFFF) return std::nullopt;
  return LeftOutBody{static_cast<std::uint32_t>(changes)};
}

std::string encode_json(const SnapshotBegin& body) {
  const nlohmann::ordered_json json = {{"consistent_point", lsn_text(body.consistent_point)},
                                       {"snapshot", body.snapshot}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<SnapshotBegin> decode_snapshot_begin(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  SnapshotBegin out;
  if (const auto at = json.find("consistent_point"); at != json.end() && at->is_string()) {
    const auto lsn = parse_lsn(at->get_ref<const std::string&>());
    if (!lsn) return std::nullopt;
    out.consistent_point = *lsn;
  }
  if (const auto at = json.find("snapshot"); at != json.end() && at->is_string()) {
    out.snapshot = at->get<std::string>();
  }
  return out;
}

}  // namespace rt::archive
