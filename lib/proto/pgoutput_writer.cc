#include "proto/pgoutput_writer.h"

#include <limits>

#include "base/result.h"

namespace rt::pgoutput {

namespace {

void append_letter(std::string& out, char letter) {
  out.push_back(letter);
}
void append_flags(std::string& out, std::uint8_t flags) {
  out.push_back(static_cast<char>(flags));
}

void append_name(std::string& out, std::string_view name) {
  RT_CHECK(name.find('\0') == std::string_view::npos);
  out.append(name);
  out.push_back('\0');
}

void append_sized(std::string& out, std::string_view bytes) {
  RT_CHECK(bytes.size() <= std::size_t{std::numeric_limits<std::int32_t>::max()});
  append_big_endian(out, static_cast<std::uint32_t>(bytes.size()));
  out.append(bytes);
}

void append_count(std::string& out, std::size_t count) {
  RT_CHECK(count <= kMaxColumns);
  append_big_endian(out, static_cast<std::uint16_t>(count));
}

// An empty TupleView stands for a row without columns.
void append_tuple(std::string& out, TupleView row) {
  if (row.empty()) {
    append_count(out, 0);
  } else {
    out.append(row.bytes());
  }
}

template <typename Row>
void append_update_fields(std::string& out, std::uint32_t relation, OldRow old_kind, Row old_row,
                          Row row) {
  append_big_endian(out, relation);
  if (old_kind != OldRow::none) {
    append_letter(out, static_cast<char>(old_kind));
    append_tuple(out, old_row);
  }
  append_letter(out, 'N');
  append_tuple(out, row);
}

template <typename Row>
void append_delete_fields(std::string& out, std::uint32_t relation, OldRow old_kind, Row old_row) {
  RT_CHECK(old_kind != OldRow::none);
  append_big_endian(out, relation);
  append_letter(out, static_cast<char>(old_kind));
  append_tuple(out, old_row);
}

template <typename Row>
void append_insert_fields(std::string& out, std::uint32_t relation, Row row) {
  append_big_endian(out, relation);
  append_letter(out, 'N');
  append_tuple(out, row);
}

void append_relation_head(std::string& out, std::uint32_t oid, std::string_view schema,
                          std::string_view name, char identity) {
  append_big_endian(out, oid);
  append_name(out, schema);
  append_name(out, name);
  append_letter(out, identity);
}

// The fields behind the letter and, in a stream, the xid.
struct FieldWriter {
  std::string& out;

  void operator()(const Begin& m) const {
    append_big_endian(out, m.final_lsn);
    append_big_endian(out, m.commit_time.pg_us);
    append_big_endian(out, m.xid);
  }
  void operator()(const Commit& m) const {
    append_flags(out, m.flags);
    append_big_endian(out, m.commit_lsn);
    append_big_endian(out, m.end_lsn);
    append_big_endian(out, m.commit_time.pg_us);
  }
  void operator()(const Origin& m) const {
    append_big_endian(out, m.commit_lsn);
    append_name(out, m.name);
  }
  void operator()(const Relation& m) const {
    append_relation_head(out, m.oid, m.schema, m.name, m.identity);
    if (m.columns.empty()) {
      append_count(out, 0);
    } else {
      out.append(m.columns.bytes());
    }
  }
  void operator()(const Type& m) const {
    append_big_endian(out, m.oid);
    append_name(out, m.schema);
    append_name(out, m.name);
  }
  void operator()(const Insert& m) const { append_insert_fields(out, m.relation, m.row); }
  void operator()(const Update& m) const {
    append_update_fields(out, m.relation, m.old_kind, m.old_row, m.row);
  }
  void operator()(const Delete& m) const {
    append_delete_fields(out, m.relation, m.old_kind, m.old_row);
  }
  void operator()(const Truncate& m) const {
    append_big_endian(out, static_cast<std::uint32_t>(m.relations.size()));
    append_flags(out, m.flags);
    out.append(m.relations.bytes());
  }
  void operator()(const LogicalMessage& m) const {
    append_flags(out, m.flags);
    append_big_endian(out, m.lsn);
    append_name(out, m.prefix);
    append_sized(out, m.content);
  }
  void operator()(const StreamStart& m) const {
    append_big_endian(out, m.xid);
    append_flags(out, m.first_segment ? 1 : 0);
  }
  void operator()(const StreamStop&) const {}
  void operator()(const StreamCommit& m) const {
    append_big_endian(out, m.xid);
    (*this)(Commit{m.flags, m.commit_lsn, m.end_lsn, m.commit_time});
  }
  void operator()(const StreamAbort& m) const {
    append_big_endian(out, m.xid);
    append_big_endian(out, m.subxid);
    if (!m.has_position) return;
    append_big_endian(out, m.abort_lsn);
    append_big_endian(out, m.abort_time.pg_us);
  }
  void operator()(const Unknown& m) const { out.append(m.raw); }
};

// In the order of Message; Unknown brings its own letter.
constexpr std::string_view kLetters = "BCORYIUDTMSEcA";
static_assert(kLetters.size() + 1 == std::variant_size_v<Message>);
// The first and last of R Y I U D T M, which carry an xid inside a stream.
constexpr std::size_t kFirstWithXid = 3;
constexpr std::size_t kLastWithXid = 9;

}  // namespace

void append_tuple(std::string& out, std::span<const Value> row) {
  append_count(out, row.size());
  for (const Value& value : row) {
    append_letter(out, static_cast<char>(value.kind));
    if (value.kind == ValueKind::text || value.kind == ValueKind::binary)
      append_sized(out, value.bytes);
  }
}

void append_begin(std::string& out, const Begin& begin) {
  append(out, begin);
}
void append_commit(std::string& out, const Commit& commit) {
  append(out, commit);
}
void append_logical_message(std::string& out, const LogicalMessage& message) {
  append(out, message);
}

void append_relation(std::string& out, std::uint32_t oid, std::string_view schema,
                     std::string_view name, char identity, std::span<const Column> columns) {
  append_letter(out, 'R');
  append_relation_head(out, oid, schema, name, identity);
  append_count(out, columns.size());
  for (const Column& column : columns) {
    append_flags(out, column.flags);
    append_name(out, column.name);
    append_big_endian(out, column.type_oid);
    append_big_endian(out, column.typmod);
  }
}

void append_insert(std::string& out, std::uint32_t relation, std::span<const Value> row) {
  append_letter(out, 'I');
  append_insert_fields(out, relation, row);
}

void append_insert(std::string& out, std::uint32_t relation, TupleView row) {
  append_letter(out, 'I');
  append_insert_fields(out, relation, row);
}

void append_update(std::string& out, std::uint32_t relation, OldRow old_kind,
                   std::span<const Value> old_row, std::span<const Value> row) {
  append_letter(out, 'U');
  append_update_fields(out, relation, old_kind, old_row, row);
}

void append_delete(std::string& out, std::uint32_t relation, OldRow old_kind,
                   std::span<const Value> old_row) {
  append_letter(out, 'D');
  append_delete_fields(out, relation, old_kind, old_row);
}

void append_truncate(std::string& out, std::uint8_t flags,
                     std::span<const std::uint32_t> relations) {
  append_letter(out, 'T');
  append_big_endian(out, static_cast<std::uint32_t>(relations.size()));
  append_flags(out, flags);
  for (const std::uint32_t oid : relations) append_big_endian(out, oid);
}

void append(std::string& out, const Message& message, Options options, std::uint32_t stream_xid) {
  const std::size_t kind = message.index();
  if (kind < kLetters.size()) append_letter(out, kLetters[kind]);
  if (options.in_stream && kind >= kFirstWithXid && kind <= kLastWithXid)
    append_big_endian(out, stream_xid);
  std::visit(FieldWriter{out}, message);
}

}  // namespace rt::pgoutput
