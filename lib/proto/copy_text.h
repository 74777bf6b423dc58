// The text format of COPY: one line is one row, columns separated by tabs, \N for NULL, backslash
// escapes. Lines are given and made without their newline; the end marker "\." is no line of the
// copy protocol and is not treated here. Only the defaults of the format (delimiter tab, null \N).
// Sans-IO, no state: thread-safe. Source: PostgreSQL 15, COPY, "File Formats", "Text Format".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proto/pgoutput_tuple.h"

namespace rt {

struct CopyColumn {
  bool is_null = false;
  std::string_view text;  // unescaped; empty if null
};

// Walks the columns of one line. A line always has at least one column: the empty line is one empty
// text (also what COPY writes for a row without columns: only the caller can tell). Any line is
// valid; a backslash in front of an ordinary character means that character, one at the very end
// means nothing.
class CopyLineReader {
 public:
  explicit CopyLineReader(std::string_view line) : rest_(line) {}

  // False after the last column. The text is a view into the line, or into `scratch` when the
  // column holds escapes; it is valid until the next call. `scratch` may be reused for ever: it is
  // the only allocation.
  bool next(CopyColumn& column, std::string& scratch);

 private:
  std::string_view rest_;
  bool done_ = false;
};

// Appends one column as COPY TO writes it; the caller puts '\t' between columns.
void append_copy_text(std::string& out, std::string_view text);
void append_copy_null(std::string& out);

// Appends the TupleData ('n' and 't' columns) of a COPY line to `out_tuple`, for
// pgoutput::decode_tuple and append_insert. False, and nothing appended, for more than
// pgoutput::kMaxColumns columns.
bool copy_text_to_tuple(std::string_view line, std::string& out_tuple);

// Appends a row as a COPY line. False, and nothing appended, if a value is unchanged or binary:
// such a row has no text form.
bool tuple_to_copy_text(pgoutput::TupleView row, std::string& out_line);

}  // namespace rt
