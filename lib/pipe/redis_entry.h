// Entries of Redis streams: their ids, and their content as text. Pure.
// Source: redis.io, "Redis Streams", XADD and XRANGE.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "archive/bodies.h"

namespace rt {

// "<milliseconds>-<sequence>": ids of one stream only grow.
struct RedisEntryId {
  std::uint64_t ms = 0;
  std::uint64_t sequence = 0;

  friend constexpr auto operator<=>(const RedisEntryId&, const RedisEntryId&) = default;
  std::string text() const;
  // The greatest id below this one; 0-0 has none and stays.
  RedisEntryId before() const;
  // "5-1", or "5" for 5-0.
  static std::optional<RedisEntryId> parse(std::string_view text);
};

// Appends what a person means by the content: the payload of a published message; of an entry the
// value of its only field, if that is called "data" or "payload", else a JSON object of its fields,
// values as strings (bytes that are no text as {"base64":"..."}). False if the body is malformed.
bool append_redis_data(std::string& out, const archive::RedisBody& body);

}  // namespace rt
