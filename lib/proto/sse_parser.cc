#include "proto/sse_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "proto/line_scan.h"

namespace rt::sse {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kKeptCapacityMax = 256
                                         << 10;  // one huge event must not pin its memory for good

bool begins_with(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && std::memcmp(line.data(), name.data(), name.size()) == 0;
}

// Exactly one U+0020 goes; a tab stays.
std::string_view without_leading_space(std::string_view value) {
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

// ASCII digits only, saturating at kRetryMax; negative if it is anything else.
std::chrono::milliseconds parse_retry(std::string_view value) {
  constexpr std::chrono::milliseconds kIgnored{-1};
  if (value.empty()) return kIgnored;
  std::int64_t ms = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return kIgnored;
    ms = std::min(ms * 10 + (c - '0'), std::int64_t{kRetryMax.count()});
  }
  return std::chrono::milliseconds(ms);
}

}  // namespace

struct Parser::Split {
  std::string line;
  std::string data;
  std::string event;
  std::string id;
  std::size_t kept_bytes = 0;
  bool has_data = false;
  bool has_id = false;
};

// Views into the caller's bytes, or into the storage of the same name in Split.
struct Parser::Draft {
  std::string_view data;
  std::string_view event;
  std::string_view id;
  std::size_t kept_bytes = 0;  // of this block's kept values, one more for each
  bool has_data = false;       // "data:" alone is data
  bool has_id = false;         // "id:" alone clears
  bool line_is_split =
      false;  // the line at hand lies in Split::line, which the next one overwrites

  bool empty() const { return kept_bytes == 0; }
};

Parser::Parser(const ParserOptions& options)
    : event_bytes_max_(options.event_bytes_max),
      skip_line_feed_(false),
      open_(false),
      partial_line_(false),
      failed_(false),
      repair_utf8_(options.repair_utf8),
      keep_buffer_(options.keep_buffer) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

// The general path takes a line at a time and keeps what must outlive the bytes. Most blocks need
// none of it: a first attempt that changes nothing until it succeeds saves them the work.
void Parser::step(std::string_view& bytes, Item& item) {
  if (failed_) {
    item = too_large();
    return;
  }
  if (bom_matched_ < kByteOrderMark.size() || skip_line_feed_) skip_prefix(bytes);
  if (!open_ && !partial_line_ && take_simple_block(bytes, item)) return;
  Draft draft;
  if (open_) {
    draft.kept_bytes = split_->kept_bytes;
    draft.has_data = split_->has_data;
    draft.has_id = split_->has_id;
    draft.data = split_->data;
    draft.event = split_->event;
    draft.id = split_->id;
    open_ = false;
  }
  item = next_line(bytes, draft);
}

// A block that lies whole in `bytes`, of the fields id, event and one data line, to be passed on as
// it is.
bool Parser::take_simple_block(std::string_view& bytes, Item& item) {
  const char* line = bytes.data();
  const char* const end = line + bytes.size();
  std::string_view data;
  std::string_view event;
  std::string_view id;
  LineEnds line_ends(bytes);
  for (;;) {
    const char* const line_end = line_ends.next();
    if (end - line_end < 2 && (line_end == end || *line_end == '\r')) return false;
    const auto size = static_cast<std::size_t>(line_end - line);
    if (size == 0) break;
    if (size >= 5 && std::memcmp(line, "data:", 5) == 0) {
      if (data.data() != nullptr) return false;
      data = without_leading_space({line + 5, size - 5});
    } else if (size >= 3 && std::memcmp(line, "id:", 3) == 0) {
      id = without_leading_space({line + 3, size - 3});
    } else if (size >= 6 && std::memcmp(line, "event:", 6) == 0) {
      event = without_leading_space({line + 6, size - 6});
    } else {
      return false;
    }
    line = line_end + 1;
    if (*line_end == '\r' && *line == '\n') line = line_ends.next() + 1;
  }
  const auto block_bytes = static_cast<std::size_t>(line - bytes.data());
  const std::string_view block = bytes.substr(0, block_bytes);
  if (data.data() == nullptr || block_bytes > event_bytes_max_) return false;
  if (!line_ends.is_plain() && (must_repair(block) || id.find('\0') != std::string_view::npos)) {
    return false;
  }
  if (id.data() != nullptr) last_id_.assign(id);
  // The blank line itself: LF, CR or CR LF; a lone CR at the end was left to the general path.
  const bool two = line[0] == '\r' && line[1] == '\n';
  bytes.remove_prefix(block_bytes + (two ? 2 : 1));
  item.kind = ItemKind::event;
  item.event = {event.empty() ? std::string_view("message") : event, data, last_id_.view()};
  return true;
}

// Strips the leading BOM and the LF of a CR LF, either of which may be split over reads.
void Parser::skip_prefix(std::string_view& bytes) {
  if (bytes.empty()) return;
  if (skip_line_feed_) {
    skip_line_feed_ = false;
    if (bytes.front() == '\n') bytes.remove_prefix(1);
    return;  // a line was seen, so the BOM is no longer looked for
  }
  while (bom_matched_ < kByteOrderMark.size() && !bytes.empty()) {
    if (bytes.front() != kByteOrderMark[bom_matched_]) {
      if (bom_matched_ > 0) {  // not a BOM after all: the first line begins with these bytes
        split().line.assign(kByteOrderMark.substr(0, bom_matched_));
        partial_line_ = true;
      }
      bom_matched_ = static_cast<std::uint8_t>(kByteOrderMark.size());
      return;
    }
    bytes.remove_prefix(1);
    ++bom_matched_;
  }
}

Item Parser::next_line(std::string_view& bytes, Draft& draft) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (;;) {
    const char* const line_end = find_line_end(at, end);
    std::string_view line(at, static_cast<std::size_t>(line_end - at));
    if (line_end == end) {
      bytes = {};
      return pause(line, draft);
    }
    at = line_end + 1;
    if (*line_end == '\r') {
      if (at == end) {
        skip_line_feed_ = true;
      } else if (*at == '\n') {
        ++at;
      }
    }
    draft.line_is_split = partial_line_;
    if (partial_line_) {
      partial_line_ = false;
      split_->line.append(line);
      line = split_->line;
    }
    const Item item = line.empty() ? dispatch(draft) : take_line(line, draft);
    if (item.kind != ItemKind::need_more) {
      bytes = std::string_view(at, static_cast<std::size_t>(end - at));
      return item;
    }
  }
}

// Takes one line that is not blank. need_more: it yields nothing by itself.
Item Parser::take_line(std::string_view line, Draft& draft) {
  if (line.size() + draft.kept_bytes > event_bytes_max_) return too_large();
  // "data" first and without looking for the colon: it can only be at one place.
  if (begins_with(line, "data") && (line.size() == 4 || line[4] == ':')) {
    take_data(line.size() == 4 ? std::string_view() : without_leading_space(line.substr(5)), draft);
    return {};
  }
  if (line.front() == ':') return take_comment(without_leading_space(line.substr(1)), draft);
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  const std::string_view value =
      colon == line.size() ? std::string_view() : without_leading_space(line.substr(colon + 1));
  if (name != "retry") {
    take_field(name, value, draft);
    return {};
  }
  Item item;
  item.retry = parse_retry(value);
  if (item.retry.count() >= 0) {
    item.kind = ItemKind::retry;
    if (!draft.empty()) save(draft);
  }
  return item;
}

void Parser::take_field(std::string_view name, std::string_view value, Draft& draft) {
  if (name == "id") {
    if (value.find('\0') != std::string_view::npos) return;
    draft.id = take_value(value, draft, &Split::id);
    draft.has_id = true;
  } else if (name == "event") {
    draft.event = take_value(value, draft, &Split::event);
  } else {
    return;  // unknown fields are ignored
  }
  draft.kept_bytes += value.size() + 1;
}

std::string_view Parser::take_value(std::string_view value, const Draft& draft,
                                    std::string Split::*storage) {
  const bool repair = must_repair(value);
  if (!repair && !draft.line_is_split) return value;
  std::string& kept = split().*storage;
  kept.clear();
  if (repair) {
    append_utf8_repaired(kept, value);
  } else {
    kept.append(value);
  }
  return kept;
}

void Parser::take_data(std::string_view value, Draft& draft) {
  draft.kept_bytes += value.size() + 1;
  if (!draft.has_data) {
    draft.data = take_value(value, draft, &Split::data);
    draft.has_data = true;
    return;
  }
  std::string& kept = split().data;
  if (draft.data.data() != kept.data()) kept.assign(draft.data);
  kept.push_back('\n');
  if (must_repair(value)) {
    append_utf8_repaired(kept, value);
  } else {
    kept.append(value);
  }
  draft.data = kept;
}

Item Parser::take_comment(std::string_view text, const Draft& draft) {
  Item item;
  item.kind = ItemKind::comment;
  item.comment = text;
  if (!draft.empty()) save(draft);
  if (must_repair(text)) {
    std::string repaired;
    append_utf8_repaired(repaired, text);
    split().line.swap(repaired);
    item.comment = split().line;
  }
  return item;
}

bool Parser::must_repair(std::string_view value) const {
  return repair_utf8_ && !is_ascii(value) && !is_valid_utf8(value);
}

// The blank line. The stream's last id is set even when there is no data and so no event.
Item Parser::dispatch(Draft& draft) {
  if (draft.has_id) last_id_.assign(draft.id);
  Item item;
  if (draft.has_data) {
    item.kind = ItemKind::event;
    item.event.event = draft.event.empty() ? std::string_view("message") : draft.event;
    item.event.data = draft.data;
    item.event.id = last_id_.view();
  } else {
    draft = {};
  }
  return item;
}

// The bytes are used up: keeps the unfinished block and the head of the next line, if any.
Item Parser::pause(std::string_view rest, const Draft& draft) {
  if (!rest.empty()) {
    Split& kept = split();
    if (!partial_line_) kept.line.clear();
    partial_line_ = true;
    if (draft.kept_bytes + kept.line.size() + rest.size() > event_bytes_max_) return too_large();
    kept.line.append(rest);
  }
  if (!draft.empty()) {
    save(draft);
  } else if (!partial_line_ && split_ != nullptr) {
    release();
  }
  return {};
}

void Parser::save(const Draft& draft) {
  Split& kept = split();
  const auto own = [](std::string& storage, std::string_view value) {
    if (value.data() != storage.data()) storage.assign(value);
  };
  own(kept.data, draft.data);
  own(kept.event, draft.event);
  own(kept.id, draft.id);
  kept.kept_bytes = draft.kept_bytes;
  kept.has_data = draft.has_data;
  kept.has_id = draft.has_id;
  open_ = true;
}

void Parser::release() {
  if (!keep_buffer_ || split_->line.capacity() + split_->data.capacity() > kKeptCapacityMax) {
    split_.reset();
  }
}

Parser::Split& Parser::split() {
  if (split_ == nullptr) split_ = std::make_unique<Split>();
  return *split_;
}

Item Parser::too_large() {
  failed_ = true;
  open_ = false;
  partial_line_ = false;
  split_.reset();
  Item item;
  item.kind = ItemKind::too_large;
  return item;
}

bool Parser::finish() {
  const bool unfinished = open_ || partial_line_;
  open_ = false;
  partial_line_ = false;
  skip_line_feed_ = false;
  if (split_ != nullptr) release();
  return unfinished;
}

void Parser::reconnected() {
  finish();
  failed_ = false;
  bom_matched_ = 0;
}

Error too_large_error(std::uint32_t event_bytes_max) {
  return {Code::refused,
          fmt::format("cannot read the event stream: an event or line exceeds {} bytes",
                      event_bytes_max),
          "raise the limit if the server is meant to send events of this size"};
}

}  // namespace rt::sse
