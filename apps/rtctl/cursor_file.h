// `--state FILE`: where a tail goes on after it was stopped or killed. The file is replaced as a
// whole (rename), and only after the events up to it were written; with an output file it also says
// how long that file was then, so that what a killed tail wrote beyond its cursor is cut off and
// comes again: nothing is missing, nothing is doubled. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt::rtctl {

struct Cursor {
  std::string stream;  // EventStream::name(): a cursor fits one stream
  std::string id;      // the last event that was handled; empty: none had one
  std::optional<std::uint64_t> output_bytes;  // length of the output file at that point
};

// {"v":1,"stream":"http://host/events","id":"42","output_bytes":1234}
std::string cursor_json(const Cursor& cursor);
// Code::usage on a file that is not such a cursor.
Result<Cursor> parse_cursor(std::string_view json, const std::string& path);

// Nothing if there is no such file yet.
Result<std::optional<Cursor>> read_cursor(const std::string& path);
// Durable when it returns: fdatasync of the new file, then rename.
Result<void> write_cursor(const std::string& path, const Cursor& cursor);

}  // namespace rt::rtctl
