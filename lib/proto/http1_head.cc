#include "proto/http1_head.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace rt::http1 {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& line : lines_) {
    if (equal_ignoring_case(line.name, name)) return line.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(),
                    [&](const Header& line) { return equal_ignoring_case(line.name, name); }));
}

std::string media_type(std::string_view content_type) {
  std::string essence(trim(content_type.substr(0, content_type.find(';'))));
  for (char& c : essence) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return essence;
}

bool is_event_stream(std::string_view content_type) {
  return equal_ignoring_case(trim(content_type.substr(0, content_type.find(';'))),
                             "text/event-stream");
}

HeadCollector::Status HeadCollector::receive(std::string_view& bytes) {
  const bool in_place = kept_.empty();
  const std::size_t before = kept_.size();
  if (!in_place) kept_.append(bytes.substr(0, head_bytes_max_ + 1 - before));
  const std::string_view text = in_place ? bytes : std::string_view(kept_);
  std::size_t end = 0;
  const Status status = scan(text, end);
  if (status == Status::complete) {
    head_ = text.substr(head_begin_, end - head_begin_);
    bytes.remove_prefix(end - before);
  } else if (status == Status::need_more) {
    if (in_place) kept_.assign(bytes);
    bytes = {};
  }
  return status;
}

HeadCollector::Status HeadCollector::scan(std::string_view text, std::size_t& end) {
  const std::size_t limit = std::min(text.size(), head_bytes_max_);
  while (scanned_ < limit) {
    const void* const found = std::memchr(text.data() + scanned_, '\n', limit - scanned_);
    if (found == nullptr) {
      scanned_ = limit;
      break;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    scanned_ = at + 1;
    if (at == line_begin_ || text[at - 1] != '\r') return Status::bad_line_end;
    const bool first_line = line_begin_ == head_begin_;
    const bool blank = at == line_begin_ + 1;
    const char first = text[line_begin_];
    line_begin_ = at + 1;
    if (blank) {
      if (!first_line) {
        end = at + 1;
        return Status::complete;
      }
      head_begin_ = at + 1;
    } else if (!first_line && (first == ' ' || first == '\t')) {
      return Status::bad_line_end;
    }
  }
  return text.size() > head_bytes_max_ ? Status::too_large : Status::need_more;
}

void HeadCollector::reset() {
  kept_.clear();
  head_ = {};
  scanned_ = 0;
  head_begin_ = 0;
  line_begin_ = 0;
}

}  // namespace rt::http1
