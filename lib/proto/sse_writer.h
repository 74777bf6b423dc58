// Writes an event stream (WHATWG HTML 9.2.5) so that a parser gets back what was given.
// Pure functions that append to a buffer of the caller; thread-safe on different buffers.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "proto/sse_parser.h"

namespace rt::sse {

// Appends "id: ...\nevent: ...\ndata: ...\n\n". An empty id or event is left out. Data is cut into
// one data line at each CR LF, CR or LF (the reader joins them with LF: a CR does not survive);
// empty data is one empty line. False, and nothing appended, if id or event contains CR, LF or NUL:
// they would start a field of their own, or be ignored.
[[nodiscard]] bool append_event(std::string& out, const EventView& event);

// Appends ": text\n\n", the heartbeat; text of several lines becomes several comments.
void append_comment(std::string& out, std::string_view text);

// Appends "retry: <ms>\n\n"; a negative wait counts as 0.
void append_retry(std::string& out, std::chrono::milliseconds retry);

// May stand in an id or event line, and in a Last-Event-ID header: no CR, LF or NUL.
bool is_field_safe(std::string_view value);

}  // namespace rt::sse
