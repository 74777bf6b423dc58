// The messages of PostgreSQL's logical replication plugin pgoutput: one CopyData payload in, one
// message of views out. Protocol 1 fully, and the stream messages of protocols 2 to 4; any other
// letter is Unknown and kept raw. It knows no transaction, relation or table: see
// proto/relation_cache.h. Sans-IO, no allocation, no state: thread-safe. Views die with the bytes
// given to decode(). LSNs are byte positions; times are microseconds. Source: PostgreSQL 15,
// sections 55.5 and 55.9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "proto/pgoutput_tuple.h"

namespace rt::pgoutput {

// A point in time as the wire has it: microseconds since 2000-01-01 00:00 UTC. Damaged values wrap.
struct Timestamp {
  std::int64_t pg_us = 0;
  std::int64_t unix_us() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(pg_us) +
                                     static_cast<std::uint64_t>(kPostgresEpochOffsetUs));
  }
  static Timestamp from_unix_us(std::int64_t us) {
    return {static_cast<std::int64_t>(static_cast<std::uint64_t>(us) -
                                      static_cast<std::uint64_t>(kPostgresEpochOffsetUs))};
  }
  friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

struct Begin {                  // 'B'
  std::uint64_t final_lsn = 0;  // of the commit record; equals Commit.commit_lsn
  Timestamp commit_time;
  std::uint32_t xid = 0;
};

struct Commit {            // 'C'
  std::uint8_t flags = 0;  // unused by PostgreSQL, 0
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;  // the position to confirm
  Timestamp commit_time;
};

struct Origin {                  // 'O'
  std::uint64_t commit_lsn = 0;  // on the origin server
  std::string_view name;
};

struct Relation {  // 'R'
  std::uint32_t oid = 0;
  std::string_view schema;  // empty means pg_catalog
  std::string_view name;
  char identity = 'd';  // 'd' default, 'n' nothing, 'f' full, 'i' index
  ColumnsView columns;
};

struct Type {  // 'Y'
  std::uint32_t oid = 0;
  std::string_view schema;  // empty means pg_catalog
  std::string_view name;    // of a domain: its base type
};

struct Insert {  // 'I'
  std::uint32_t relation = 0;
  TupleView row;
};

// What an Update or Delete carries of the row as it was.
enum class OldRow : char {
  none = 0,    // key unchanged and identity not FULL
  key = 'K',   // every column is listed, those outside the key as null: do not read them as NULL
  full = 'O',  // the whole row: REPLICA IDENTITY FULL
};

struct Update {  // 'U'
  std::uint32_t relation = 0;
  OldRow old_kind = OldRow::none;
  TupleView old_row;  // empty if none
  TupleView row;      // may hold ValueKind::unchanged
};

struct Delete {  // 'D'
  std::uint32_t relation = 0;
  OldRow old_kind = OldRow::key;  // never none
  TupleView old_row;
};

struct Truncate {  // 'T'
  std::uint8_t flags = 0;
  OidsView relations;
  bool cascade() const { return (flags & 1) != 0; }
  bool restart_identity() const { return (flags & 2) != 0; }
};

struct LogicalMessage {  // 'M': pg_logical_emit_message
  std::uint8_t flags = 0;
  std::uint64_t lsn = 0;
  std::string_view prefix;
  std::string_view content;  // any bytes
  bool transactional() const { return (flags & 1) != 0; }
};

struct StreamStart {  // 'S'
  std::uint32_t xid = 0;
  bool first_segment = false;  // of this transaction
};

struct StreamStop {};  // 'E'

struct StreamCommit {  // 'c'
  std::uint32_t xid = 0;
  std::uint8_t flags = 0;
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  Timestamp commit_time;
};

struct StreamAbort {  // 'A'
  std::uint32_t xid = 0;
  std::uint32_t subxid = 0;   // equals xid when the whole transaction is gone
  bool has_position = false;  // protocol 4 with parallel streaming sends the next two
  std::uint64_t abort_lsn = 0;
  Timestamp abort_time;
};

struct Unknown {  // a letter of a later protocol, or one not asked for
  char letter = 0;
  std::string_view raw;  // the whole body, letter included
};

using Message =
    std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete, Truncate,
                 LogicalMessage, StreamStart, StreamStop, StreamCommit, StreamAbort, Unknown>;

struct Options {
  // Between StreamStart and StreamStop, R Y I U D T and M carry the xid of their (sub)transaction.
  bool in_stream = false;
};

enum class DecodeError : std::uint8_t {
  none,
  truncated,       // the body ends inside a field
  trailing_bytes,  // bytes are left after a complete message
  bad_count,       // a negative count, or more columns than a table can have
  bad_length,      // a negative length
  bad_kind,        // a tuple value is none of n u t b
  bad_tag,         // a row is not introduced by the letter that must stand there
  bad_flag,        // a boolean is neither 0 nor 1
};
// "ends inside a field" and the like, for a person.
const char* decode_error_text(DecodeError error);

struct DecodeResult {
  Message message = Unknown{};
  std::uint32_t stream_xid = 0;  // with Options.in_stream, for the letters named there; else 0
  DecodeError error = DecodeError::none;
  std::size_t error_offset = 0;  // of the field that is wrong

  explicit operator bool() const { return error == DecodeError::none; }
};

// Decodes one message, the payload of one XLogData. Reads no byte outside `body`; every count and
// length in the result has been checked.
DecodeResult decode(std::string_view body, Options options = {});

// Checks TupleData made elsewhere (proto/copy_text.h); nothing may follow it.
std::optional<TupleView> decode_tuple(std::string_view bytes);

}  // namespace rt::pgoutput
