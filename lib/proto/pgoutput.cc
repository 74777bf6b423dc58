#include "proto/pgoutput.h"

#include <limits>

namespace rt::pgoutput {

// Walks a body and remembers the first thing that is wrong. After a failure every read yields zero
// or nothing, so the decoders below read field after field and ask once.
class Reader {
 public:
  explicit Reader(std::string_view body) : body_(body) {}

  DecodeError error() const { return error_; }
  std::size_t error_offset() const { return error_offset_; }
  std::size_t left() const { return body_.size() - at_; }

  template <typename T>
  T number() {
    if (error_ != DecodeError::none || left() < sizeof(T)) return fail(DecodeError::truncated), T{};
    const T value = load_big_endian<T>(body_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  Timestamp timestamp() { return {number<std::int64_t>()}; }
  char letter() { return static_cast<char>(number<std::uint8_t>()); }
  bool flag() {
    const std::size_t start = at_;
    const auto value = number<std::uint8_t>();
    if (value > 1) fail_at(DecodeError::bad_flag, start);
    return value == 1;
  }

  // A name that ends in NUL.
  std::string_view name() {
    if (error_ != DecodeError::none) return {};
    const std::string_view rest = body_.substr(at_);
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return fail(DecodeError::truncated), std::string_view{};
    at_ += end + 1;
    return rest.substr(0, end);
  }

  std::string_view bytes(std::size_t size) {
    if (error_ != DecodeError::none || left() < size)
      return fail(DecodeError::truncated), std::string_view{};
    at_ += size;
    return body_.substr(at_ - size, size);
  }

  TupleView tuple() {
    const std::size_t start = at_;
    const std::uint16_t count = column_count();
    // The hot loop: one comparison and one advance a column, on locals.
    const char* const data = body_.data();
    std::size_t at = at_;
    for (std::uint16_t i = 0; i < count; ++i) {
      if (at == body_.size()) return fail_at(DecodeError::truncated, at), TupleView{};
      const auto kind = static_cast<ValueKind>(data[at]);
      if (kind == ValueKind::text || kind == ValueKind::binary) {
        if (body_.size() - at < 5) return fail_at(DecodeError::truncated, at), TupleView{};
        const auto size = load_big_endian<std::uint32_t>(data + at + 1);
        if (size > kLengthMax) return fail_at(DecodeError::bad_length, at + 1), TupleView{};
        if (body_.size() - at - 5 < size)
          return fail_at(DecodeError::truncated, at + 5), TupleView{};
        at += 5 + std::size_t{size};
      } else if (kind == ValueKind::null || kind == ValueKind::unchanged) {
        ++at;
      } else {
        return fail_at(DecodeError::bad_kind, at), TupleView{};
      }
    }
    if (error_ != DecodeError::none) return {};
    at_ = at;
    return {body_.substr(start, at_ - start), count};
  }

  ColumnsView columns() {
    const std::size_t start = at_;
    const std::uint16_t count = column_count();
    for (std::uint16_t i = 0; i < count && error_ == DecodeError::none; ++i) {
      bytes(1);
      name();
      bytes(8);
    }
    if (error_ != DecodeError::none) return {};
    return {body_.substr(start, at_ - start), count};
  }

  void fail(DecodeError error) { fail_at(error, at_); }
  void fail_at(DecodeError error, std::size_t offset) {
    if (error_ != DecodeError::none) return;
    error_ = error;
    error_offset_ = offset;
  }
  // The offset of the field just read, of `size` bytes.
  std::size_t offset_before(std::size_t size) const { return at_ - size; }

 private:
  static constexpr std::uint32_t kLengthMax = std::numeric_limits<std::int32_t>::max();

  std::uint16_t column_count() {
    const std::size_t start = at_;
    const auto count = number<std::uint16_t>();
    if (count <= kMaxColumns) return count;
    fail_at(DecodeError::bad_count, start);
    return 0;
  }

  std::string_view body_;
  std::size_t at_ = 0;
  DecodeError error_ = DecodeError::none;
  std::size_t error_offset_ = 0;
};

namespace {

Begin decode_begin(Reader& reader) {
  Begin begin;
  begin.final_lsn = reader.number<std::uint64_t>();
  begin.commit_time = reader.timestamp();
  begin.xid = reader.number<std::uint32_t>();
  return begin;
}

Commit decode_commit(Reader& reader) {
  Commit commit;
  commit.flags = reader.number<std::uint8_t>();
  commit.commit_lsn = reader.number<std::uint64_t>();
  commit.end_lsn = reader.number<std::uint64_t>();
  commit.commit_time = reader.timestamp();
  return commit;
}

Origin decode_origin(Reader& reader) {
  Origin origin;
  origin.commit_lsn = reader.number<std::uint64_t>();
  origin.name = reader.name();
  return origin;
}

Relation decode_relation(Reader& reader) {
  Relation relation;
  relation.oid = reader.number<std::uint32_t>();
  relation.schema = reader.name();
  relation.name = reader.name();
  relation.identity = reader.letter();
  relation.columns = reader.columns();
  return relation;
}

Type decode_type(Reader& reader) {
  Type type;
  type.oid = reader.number<std::uint32_t>();
  type.schema = reader.name();
  type.name = reader.name();
  return type;
}

void expect_new_row(Reader& reader, char tag) {
  if (tag != 'N') reader.fail_at(DecodeError::bad_tag, reader.offset_before(1));
}

Insert decode_insert(Reader& reader) {
  Insert insert;
  insert.relation = reader.number<std::uint32_t>();
  const char tag = reader.letter();
  if (reader.error() == DecodeError::none) expect_new_row(reader, tag);
  insert.row = reader.tuple();
  return insert;
}

bool is_old_row(char tag) {
  return tag == 'K' || tag == 'O';
}

Update decode_update(Reader& reader) {
  Update update;
  update.relation = reader.number<std::uint32_t>();
  char tag = reader.letter();
  if (is_old_row(tag)) {
    update.old_kind = static_cast<OldRow>(tag);
    update.old_row = reader.tuple();
    tag = reader.letter();
  }
  if (reader.error() == DecodeError::none) expect_new_row(reader, tag);
  update.row = reader.tuple();
  return update;
}

Delete decode_delete(Reader& reader) {
  Delete removed;
  removed.relation = reader.number<std::uint32_t>();
  const char tag = reader.letter();
  if (reader.error() == DecodeError::none && !is_old_row(tag))
    reader.fail_at(DecodeError::bad_tag, reader.offset_before(1));
  removed.old_kind = static_cast<OldRow>(tag);
  removed.old_row = reader.tuple();
  return removed;
}

Truncate decode_truncate(Reader& reader) {
  Truncate truncate;
  const auto count = reader.number<std::int32_t>();
  if (count < 0) reader.fail_at(DecodeError::bad_count, reader.offset_before(4));
  truncate.flags = reader.number<std::uint8_t>();
  if (count >= 0) truncate.relations = OidsView(reader.bytes(static_cast<std::size_t>(count) * 4));
  return truncate;
}

LogicalMessage decode_logical_message(Reader& reader) {
  LogicalMessage message;
  message.flags = reader.number<std::uint8_t>();
  message.lsn = reader.number<std::uint64_t>();
  message.prefix = reader.name();
  const auto size = reader.number<std::int32_t>();
  if (size < 0) reader.fail_at(DecodeError::bad_length, reader.offset_before(4));
  if (size >= 0) message.content = reader.bytes(static_cast<std::size_t>(size));
  return message;
}

StreamStart decode_stream_start(Reader& reader) {
  StreamStart start;
  start.xid = reader.number<std::uint32_t>();
  start.first_segment = reader.flag();
  return start;
}

StreamCommit decode_stream_commit(Reader& reader) {
  StreamCommit commit;
  commit.xid = reader.number<std::uint32_t>();
  commit.flags = reader.number<std::uint8_t>();
  commit.commit_lsn = reader.number<std::uint64_t>();
  commit.end_lsn = reader.number<std::uint64_t>();
  commit.commit_time = reader.timestamp();
  return commit;
}

StreamAbort decode_stream_abort(Reader& reader) {
  StreamAbort abort;
  abort.xid = reader.number<std::uint32_t>();
  abort.subxid = reader.number<std::uint32_t>();
  abort.has_position = reader.left() > 0;
  if (abort.has_position) {
    abort.abort_lsn = reader.number<std::uint64_t>();
    abort.abort_time = reader.timestamp();
  }
  return abort;
}

bool carries_stream_xid(char letter) {
  return std::string_view("RYIUDTM").find(letter) != std::string_view::npos;
}

// clang-format off
// False: a letter we do not know.
bool decode_fields(char letter, Reader& reader, Message& message) {
  switch (letter) {
    case 'B': message = decode_begin(reader); return true;
    case 'C': message = decode_commit(reader); return true;
    case 'O': message = decode_origin(reader); return true;
    case 'R': message = decode_relation(reader); return true;
    case 'Y': message = decode_type(reader); return true;
    case 'I': message = decode_insert(reader); return true;
    case 'U': message = decode_update(reader); return true;
    case 'D': message = decode_delete(reader); return true;
    case 'T': message = decode_truncate(reader); return true;
    case 'M': message = decode_logical_message(reader); return true;
    case 'S': message = decode_stream_start(reader); return true;
    case 'E': message = StreamStop{}; return true;
    case 'c': message = decode_stream_commit(reader); return true;
    case 'A': message = decode_stream_abort(reader); return true;
    default: return false;
  }
}
// clang-format on

}  // namespace

DecodeResult decode(std::string_view body, Options options) {
  DecodeResult result;
  Reader reader(body);
  const char letter = reader.letter();
  if (reader.error() == DecodeError::none) {
    if (options.in_stream && carries_stream_xid(letter))
      result.stream_xid = reader.number<std::uint32_t>();
    if (!decode_fields(letter, reader, result.message)) {
      result.message = Unknown{letter, body};
      return result;
    }
    if (reader.left() > 0) reader.fail(DecodeError::trailing_bytes);
  }
  if (reader.error() != DecodeError::none) {
    result.message = Unknown{letter, body};
    result.error = reader.error();
    result.error_offset = reader.error_offset();
  }
  return result;
}

std::optional<TupleView> decode_tuple(std::string_view bytes) {
  Reader reader(bytes);
  const TupleView tuple = reader.tuple();
  if (reader.error() != DecodeError::none || reader.left() > 0) return std::nullopt;
  return tuple;
}

const char* decode_error_text(DecodeError error) {
  switch (error) {
    case DecodeError::none:
      return "no error";
    case DecodeError::truncated:
      return "the message ends inside a field";
    case DecodeError::trailing_bytes:
      return "bytes are left after the message";
    case DecodeError::bad_count:
      return "a count is negative or beyond the limit";
    case DecodeError::bad_length:
      return "a length is negative";
    case DecodeError::bad_kind:
      return "a column value is none of n, u, t, b";
    case DecodeError::bad_tag:
      return "a row does not begin with the letter expected there";
    case DecodeError::bad_flag:
      return "a boolean is neither 0 nor 1";
  }
  return "unknown error";
}

}  // namespace rt::pgoutput
