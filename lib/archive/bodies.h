// Bodies of records other than WAL: encode to bytes, decode to views into them. Text is UTF-8,
// sizes are varints, integers little-endian. Pure functions. docs/recording-format.md, "Record
// bodies".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt::archive {

struct SseBody {  // 'e'
  std::string_view id;
  std::string_view event;  // "message" if the stream named none
  std::string_view data;
};
struct NotifyBody {  // 'n'
  std::string_view channel;
  std::string_view payload;
  std::uint32_t pid = 0;  // of the notifying backend
};
struct RedisBody {           // 'r'
  std::string_view id;       // of a stream's entry; empty: a published message
  std::string_view channel;  // or the stream's key
  std::string_view payload;  // of an entry: its fields, see below
};
struct KeepaliveBody {  // 'k'
  std::uint64_t wal_end = 0;
  std::int64_t server_time_us = 0;  // Unix us
};
struct SnapshotRowBody {  // 's'
  std::uint32_t relation = 0;
  std::string_view copy_line;  // COPY text format, without the newline
};
struct AbandonBody {  // 'A'
  std::uint64_t final_lsn = 0;
};
struct LeftOutBody {  // 'x'
  std::uint32_t changes = 0;
};
// gap ('G') and mark ('m') bodies are plain text.

// Each appends to `out`.
void encode(std::string& out, const SseBody& body);
void encode(std::string& out, const NotifyBody& body);
void encode(std::string& out, const RedisBody& body);
void encode(std::string& out, const KeepaliveBody& body);
void encode(std::string& out, const SnapshotRowBody& body);
void encode(std::string& out, const AbandonBody& body);
void encode(std::string& out, const LeftOutBody& body);

// Nothing if the body is malformed. Views die with `body`.
std::optional<SseBody> decode_sse(std::string_view body);
std::optional<NotifyBody> decode_notify(std::string_view body);
std::optional<RedisBody> decode_redis(std::string_view body);
std::optional<KeepaliveBody> decode_keepalive(std::string_view body);
std::optional<SnapshotRowBody> decode_snapshot_row(std::string_view body);
std::optional<AbandonBody> decode_abandon(std::string_view body);
std::optional<LeftOutBody> decode_left_out(std::string_view body);

// The fields of a stream's entry, in order: the payload of a RedisBody with an id.
struct RedisField {
  std::string_view name;
  std::string_view value;  // any bytes
};
void encode(std::string& payload, const RedisField& field);
// Nothing if the payload is malformed.
std::optional<std::vector<RedisField>> decode_redis_fields(std::string_view payload);

// snapshot_begin ('b') is a JSON object: {"consistent_point":"0/1A2B","snapshot":"00000003-1"}.
struct SnapshotBegin {
  std::uint64_t consistent_point = 0;
  std::string snapshot;  // name of the exported snapshot, for people
};
std::string encode_json(const SnapshotBegin& body);
std::optional<SnapshotBegin> decode_snapshot_begin(std::string_view body);

}  // namespace rt::archive
