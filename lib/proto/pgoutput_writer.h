// Encodes pgoutput messages, byte for byte as PostgreSQL does: for rows that do not come from a
// slot (the initial snapshot, the in-memory source) and for tests. Each function appends one whole
// message body to `out`, which may be reused: no other allocation. Names must not hold NUL and
// counts must respect the limits of proto/pgoutput_tuple.h (checked: they are ours, never input).
// Source: PostgreSQL 15, section 55.9. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proto/pgoutput.h"

namespace rt::pgoutput {

// TupleData: the form inside Insert, Update and Delete.
void append_tuple(std::string& out, std::span<const Value> row);

void append_begin(std::string& out, const Begin& begin);
void append_commit(std::string& out, const Commit& commit);
void append_relation(std::string& out, std::uint32_t oid, std::string_view schema,
                     std::string_view name, char identity, std::span<const Column> columns);
void append_insert(std::string& out, std::uint32_t relation, std::span<const Value> row);
void append_insert(std::string& out, std::uint32_t relation, TupleView row);
// `old_row` is left out with OldRow::none.
void append_update(std::string& out, std::uint32_t relation, OldRow old_kind,
                   std::span<const Value> old_row, std::span<const Value> row);
void append_delete(std::string& out, std::uint32_t relation, OldRow old_kind,
                   std::span<const Value> old_row);
void append_truncate(std::string& out, std::uint8_t flags,
                     std::span<const std::uint32_t> relations);
void append_logical_message(std::string& out, const LogicalMessage& message);

// Any message as decoded, back to its bytes: decode() then append() gives the same body.
// `stream_xid` goes in front of the fields of R Y I U D T M when `options.in_stream`.
void append(std::string& out, const Message& message, Options options = {},
            std::uint32_t stream_xid = 0);

}  // namespace rt::pgoutput
