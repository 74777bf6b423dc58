// What requests and responses of HTTP/1 share (RFC 9112): header lines, and finding where a head
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt::http1 {

enum class HeadStatus : std::uint8_t { need_more, complete, bad };

// A head is a few hundred bytes, with large cookies and tokens a few thousand; servers commonly
// allow 8 to 16 KiB.
inline constexpr std::size_t kHeadBytesMax = 16 << 10;
inline constexpr std::size_t kHeadersMax = 100;  // header lines; more is an attack on lookup time

struct Header {
  std::string_view name;  // as sent; compare without case
  std::string_view value;
};

class Headers {
 public:
  void add(std::string_view name, std::string_view value) { lines_.push_back({name, value}); }
  void clear() { lines_.clear(); }
  // The first line of that name (any case).
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<Header>& lines() const { return lines_; }

 private:
  std::vector<Header> lines_;
};

// "text/event-stream" of " Text/Event-Stream; charset=x", lower-cased (WHATWG MIME "essence").
std::string media_type(std::string_view content_type);
bool is_event_stream(std::string_view content_type);

// Collects bytes up to and including the blank line that ends a head. A head that lies whole in the
// bytes given is not copied. One thread at a time.
class HeadCollector {
 public:
  enum class Status : std::uint8_t { need_more, complete, bad_line_end, too_large };

  explicit HeadCollector(std::size_t head_bytes_max) : head_bytes_max_(head_bytes_max) {}

  // Advances `bytes` past what belongs to the head. On complete, head() lies in `bytes` or in here.
  // Blank lines before the head are skipped (RFC 9112 2.2). A LF without CR, or a line that begins
  // with a blank (obsolete folding), is refused: readers disagree about them, which is how
  // smuggling works.
  Status receive(std::string_view& bytes);
  std::string_view head() const { return head_; }
  bool in_start_line() const { return line_begin_ == head_begin_; }
  void reset();

 private:
  Status scan(std::string_view text, std::size_t& end);

  std::size_t head_bytes_max_;
  std::string kept_;
  std::string_view head_;
  std::size_t scanned_ = 0;     // bytes looked at
  std::size_t head_begin_ = 0;  // offset of the start line, after blank lines
  std::size_t line_begin_ = 0;  // offset of the line at hand
};

}  // namespace rt::http1
