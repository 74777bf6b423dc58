#include "rtreplay/row_line.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "rtreplay/value_text.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::Value;
using pgoutput::ValueKind;

// Writes at the end of a string, which is a little longer than what was written until the pen is
// put down.
class Pen {
 public:
  explicit Pen(std::string& out) : out_(out) { grow(kStep); }
  ~Pen() { put_down(); }
  Pen(const Pen&) = delete;
  Pen& operator=(const Pen&) = delete;

  void put(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) grow(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put(char c) {
    if (at_ == end_) grow(1);
    *at_++ = c;
  }
  void put(const Position& position) {
    if (static_cast<std::size_t>(end_ - at_) < Position::kTextSize) grow(Position::kTextSize);
    position.write(at_);
    at_ += Position::kTextSize;
  }
  void put_value(const Value& value) {
    if (value.kind == ValueKind::null) {
      put("null");
    } else if (value.kind == ValueKind::text && is_plain_ascii(value.bytes)) {
      put('"');
      put(value.bytes);
      put('"');
    } else {
      put_down();
      append_value_json(out_, value);
      grow(kStep);
    }
  }

 private:
  static constexpr std::size_t kStep = 768;  // a line of most tables; resize() clears what it adds

  void grow(std::size_t size) {
    const std::size_t used =
        at_ == nullptr ? out_.size() : static_cast<std::size_t>(at_ - out_.data());
    out_.resize(used + std::max(size, kStep));
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }
  void put_down() {
    out_.resize(static_cast<std::size_t>(at_ - out_.data()));
    at_ = nullptr;
  }

  std::string& out_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

// {"a":"1","b":null}: unchanged columns come from `fallback` (the full old row) or are left out.
// True if one was left out.
bool put_object(Pen& pen, const RowLayout& layout, TupleView row, bool key_only,
                TupleView fallback = {}) {
  pen.put('{');
  bool first = true;
  bool left_out = false;
  const std::size_t end = key_only ? layout.key_end : layout.columns.size();
  std::size_t i = 0;
  for (Value value : row) {
    if (i == end) break;
    const RowLayout::Column& column = layout.columns[i++];
    if (key_only && !column.is_key) continue;
    if (value.kind == ValueKind::unchanged) {
      if (i <= fallback.size()) value = fallback[i - 1];
      left_out = left_out || value.kind == ValueKind::unchanged;
      if (value.kind == ValueKind::unchanged) continue;
    }
    if (!first) pen.put(',');
    first = false;
    pen.put(column.json_name);
    pen.put_value(value);
  }
  pen.put('}');
  return left_out;
}

void put_unchanged(Pen& pen, const RowLayout& layout, TupleView row) {
  bool any = false;
  std::size_t i = 0;
  for (const Value value : row) {
    if (i == layout.columns.size()) break;
    const RowLayout::Column& column = layout.columns[i++];
    if (value.kind != ValueKind::unchanged) continue;
    pen.put(any ? "," : ",\"unchanged\":[");
    any = true;
    pen.put(std::string_view(column.json_name).substr(0, column.json_name.size() - 1));  // no ':'
  }
  if (any) pen.put(']');
}

}  // namespace

void transaction_fields(std::string& out, std::string_view time, std::uint32_t xid) {
  out += "\",\"ts\":\"";
  out += time;
  out += "\",\"xid\":";
  append_decimal(out, xid);
  out += ",\"op\":\"";
}

void append_row_line(std::string& out, const RowChange& row, const Position& position,
                     std::string_view transaction) {
  const RowLayout& layout = *row.layout;
  Pen pen(out);
  pen.put("{\"id\":\"");
  pen.put(position);
  pen.put(transaction);
  pen.put(row.op);
  pen.put("\",\"rel\":");
  pen.put(layout.json_name);
  pen.put(",\"key\":");
  if (layout.key_known)
    put_object(pen, layout, row.has_new ? row.new_row : row.old_row, true, row.old_row);
  else
    pen.put("null");
  pen.put(",\"old\":");
  if (row.old_kind == OldRow::none)
    pen.put("null");
  else
    put_object(pen, layout, row.old_row, row.old_kind == OldRow::key);
  pen.put(",\"new\":");
  if (!row.has_new) {
    pen.put("null}\n");
    return;
  }
  const TupleView fallback = row.old_kind == OldRow::full ? row.old_row : TupleView();
  if (put_object(pen, layout, row.new_row, false, fallback) && fallback.empty()) {
    put_unchanged(pen, layout, row.new_row);
  }
  pen.put("}\n");
}

}  // namespace rt::rtreplay
