// Where a reader of one Redis stream stands, and whether entries are gone that it has not read.
// Pure. Source: redis.io, XINFO STREAM; contracts of at-least-once: trimming (MAXLEN, MINID) takes
// the oldest entries and leaves no trace but a first entry that is younger than the reader's last
// one.
#pragma once

#include <optional>
#include <string>

#include "pipe/redis_entry.h"
#include "redis/connection.h"

namespace rt {

struct RedisStreamFacts {
  RedisEntryId last_generated;                            // 0-0: nothing was ever added
  std::optional<RedisEntryId> first;                      // of the entries that are there
  std::optional<RedisEntryId> max_deleted;                // by XDEL; servers from 7.0 on
  static RedisStreamFacts read(const RedisReply& xinfo);  // an error ("no such key") is no facts
};

struct RedisStreamCursor {
  std::string key;
  RedisEntryId after;          // the last entry that was read, or a point between entries
  bool is_entry = false;       // it was read: what followed it must still be there
  RedisEntryId known_deleted;  // told already

  // Why entries after the cursor are missing, if they are or may be. Moves the cursor to the
  // beginning of a stream that was made anew.
  std::optional<std::string> check(const RedisStreamFacts& facts);
};

}  // namespace rt
