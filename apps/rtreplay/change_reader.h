// The changes and events of a recording one by one, as `rtreplay diff` and `bisect` see them: which
// stream, which thing, what was said. One thread; no allocation per change once warm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/reader.h"
#include "proto/pgoutput.h"
#include "rtreplay/row_layout.h"

namespace rt::rtreplay {

struct Change {
  std::string_view stream;     // "public.orders", "event delta", "notify chat": until the next call
  char op = 'E';               // I U D T, or E for an event
  Position position;           // of a row
  std::uint64_t key_hash = 0;  // of stream, op and key (or the event's id): what it is about
  std::uint64_t body_hash = 0;  // of everything a subscriber could see of it
  std::int64_t time_us = 0;     // the clock of the stream
};

// Turns entries into changes. A T is one change for each of its tables.
class ChangeReader {
 public:
  explicit ChangeReader(archive::Reader reader) : reader_(std::move(reader)) {}
  // False at the end.
  Result<bool> next(Change& change);
  // The entry that the last change came from, until the next call.
  const archive::Entry& entry() const { return entry_; }
  const archive::Reader& reader() const { return reader_; }

 private:
  bool read_wal(Change& change);
  bool read_event(Change& change);
  bool row(Change& change, std::uint32_t oid, char op, pgoutput::OldRow old_kind,
           pgoutput::TupleView old_row, pgoutput::TupleView new_row);
  void name_stream(std::string_view kind, std::string_view name);

  archive::Reader reader_;
  archive::Entry entry_;
  RowLayouts layouts_;
  std::string stream_;
  std::string scratch_;
  // The tables of a T that are still to come.
  std::string_view truncated_;
  std::uint32_t truncate_index_ = 0;
};

}  // namespace rt::rtreplay
