// Records as they stand inside a block:
//   varint size | u8 kind, bit 7 prelude | varint zigzag(lsn - before) | varint zigzag(received -
//   before) | body
// Pure functions and values; one thread at a time. docs/recording-format.md, "Records".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/format.h"
#include "archive/wire.h"
#include "base/record.h"

namespace rt::archive {

// What the differences of the next record refer to.
struct RecordBase {
  std::uint64_t lsn = 0;
  std::int64_t received_us = 0;
};

inline void append_record(std::string& out, const RecordView& record, RecordBase& base) {
  char fields[1 + 2 * kMaxVarintBytes];
  char* at = fields;
  *at++ = static_cast<char>(static_cast<std::uint8_t>(record.kind) |
                            (record.prelude ? kPreludeBit : 0u));
  at = write_varint(at, zigzag(record.lsn - base.lsn));
  at = write_varint(at, zigzag(static_cast<std::uint64_t>(record.received_us) -
                               static_cast<std::uint64_t>(base.received_us)));
  const auto size = static_cast<std::size_t>(at - fields);
  append_varint(out, size + record.body.size());
  out.append(fields, size);
  out.append(record.body);
  base = {record.lsn, record.received_us};
}

enum class ReadRecord : std::uint8_t { record, end, damaged };

// Takes one record off [at, end). On damage `at` stays at the record that is wrong.
inline ReadRecord read_record(const char*& at, const char* end, RecordBase& base, RecordView& out) {
  if (at == end) return ReadRecord::end;
  const char* cursor = at;
  std::uint64_t size = 0;
  std::uint64_t lsn = 0;
  std::uint64_t received = 0;
  if (!read_varint(cursor, end, size) || size == 0 ||
      size > static_cast<std::uint64_t>(end - cursor)) {
    return ReadRecord::damaged;
  }
  const char* const record_end = cursor + size;
  const auto kind = static_cast<unsigned char>(*cursor++);
  if (!read_varint(cursor, record_end, lsn) || !read_varint(cursor, record_end, received)) {
    return ReadRecord::damaged;
  }
  base.lsn += unzigzag(lsn);
  base.received_us =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(base.received_us) + unzigzag(received));
  out.kind = static_cast<RecordKind>(kind & ~kPreludeBit);
  out.prelude = (kind & kPreludeBit) != 0;
  out.lsn = base.lsn;
  out.received_us = base.received_us;
  out.body = {cursor, static_cast<std::size_t>(record_end - cursor)};
  at = record_end;
  return ReadRecord::record;
}

}  // namespace rt::archive
