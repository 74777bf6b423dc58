#include "pipe/redis_stream_cursor.h"

#include <fmt/format.h>

namespace rt {

RedisStreamFacts RedisStreamFacts::read(const RedisReply& xinfo) {
  RedisStreamFacts facts;
  for (std::size_t i = 0; i + 1 < xinfo.items.size(); i += 2) {
    const std::string& name = xinfo.items[i].text;
    const RedisReply& value = xinfo.items[i + 1];
    if (name == "last-generated-id") {
      facts.last_generated = RedisEntryId::parse(value.text).value_or(RedisEntryId());
    } else if (name == "max-deleted-entry-id") {
      facts.max_deleted = RedisEntryId::parse(value.text);
    } else if (name == "first-entry" && !value.items.empty()) {
      facts.first = RedisEntryId::parse(value.items.front().text);
    }
  }
  return facts;
}

std::optional<std::string> RedisStreamCursor::check(const RedisStreamFacts& facts) {
  if (!is_entry || facts.last_generated == after) return std::nullopt;
  if (facts.last_generated < after) {
    const std::string reason =
        fmt::format("stream {} ends at {}, before {}, which was read: it was lost or made anew",
                    key, facts.last_generated.text(), after.text());
    after = {};
    is_entry = false;
    return reason;
  }
  if (!facts.first || *facts.first > after) {
    return fmt::format("stream {} was trimmed: entries after {} may be gone", key, after.text());
  }
  if (facts.max_deleted && *facts.max_deleted > after && *facts.max_deleted > known_deleted) {
    known_deleted = *facts.max_deleted;
    return fmt::format("entries of stream {} after {} were deleted, the last of them {}", key,
                       after.text(), known_deleted.text());
  }
  return std::nullopt;
}

}  // namespace rt
