// Incremental parser of an event stream (WHATWG HTML 9.2.6, "Interpreting an event stream").
//
// Sans-IO: bytes in, items out, split anywhere. It is not a client: connecting, back-off and
// resuming are sse_session.h. An event that lies whole in the caller's bytes with one data line is
// handed out as views into them: no copy, no allocation. Only what is split over reads, has several
// data lines or needs repair goes through a buffer, which is kept and reused, or freed as soon as
// the stream is between events (ParserOptions::keep_buffer), so that an idle parser is its 48 bytes
// and nothing else.
//
// A parser belongs to one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "proto/short_text.h"

namespace rt::sse {

// One dispatched event. Views die at the next call to the parser or when the caller's bytes go.
struct EventView {
  std::string_view event{};  // "message" when the block names none
  std::string_view data{};   // lines joined with LF, no trailing one; may be empty
  std::string_view id{};     // the stream's last event id at dispatch; empty = none
};

enum class ItemKind : std::uint8_t {
  need_more,  // all bytes are consumed
  event,
  comment,
  retry,
  too_large,  // the event exceeds event_bytes_max: the stream cannot be parsed any further
};

struct Item {
  ItemKind kind = ItemKind::need_more;
  EventView event;                    // kind event
  std::string_view comment;           // kind comment: the text after the colon and one space
  std::chrono::milliseconds retry{};  // kind retry: 0 to kRetryMax
};

// A server that asks for more is given this: a wait beyond a day is a mistake, and no sum
// overflows.
inline constexpr std::chrono::milliseconds kRetryMax = std::chrono::hours(24);
// The standard sets no limit. Real streams carry single events of 13 MB; memory must be bounded.
inline constexpr std::uint32_t kEventBytesMax = 16u << 20;

struct ParserOptions {
  // Bound of the kept values of one block (data, event, id) plus the line at hand.
  std::uint32_t event_bytes_max = kEventBytesMax;
  // Each maximal ill-formed subpart becomes one U+FFFD, as the standard's decoder does it. Off:
  // bytes pass as they are (the load engine compares bytes, and saves the look).
  bool repair_utf8 = true;
  bool keep_buffer = true;  // off: hold no heap memory between events
};

enum class ReceiveStatus : std::uint8_t { drained, stopped, too_large };

struct Received {
  std::size_t consumed = 0;  // of the bytes given; less than all only if stopped or too_large
  ReceiveStatus status = ReceiveStatus::drained;
};

class Parser {
 public:
  Parser() : Parser(ParserOptions{}) {}
  explicit Parser(const ParserOptions& options);
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // The next item at the head of `bytes`, which is advanced past what it took. Call until
  // need_more. A line that ends in CR ends at once, without waiting for a possible LF.
  Item next(std::string_view& bytes) {
    Item item;
    step(bytes, item);
    return item;
  }

  // Takes all items of `bytes` and calls handler.on_event(const EventView&),
  // on_comment(std::string_view) and on_retry(std::chrono::milliseconds). on_event may return bool:
  // false stops right after that event, and the bytes beyond `consumed` may be given again later.
  template <typename Handler>
  Received receive(std::string_view bytes, Handler&& handler);

  // End of the stream. An unfinished block is dropped, with its id; true if there was one.
  bool finish();
  // A new stream begins: finish(), a leading BOM is stripped again, the last event id stays (it
  // seeds the new stream's buffer, as browsers do it), a too_large is forgotten.
  void reconnected();

  // What a Last-Event-ID header should say; empty = send none. Valid until the next call.
  std::string_view last_event_id() const { return last_id_.view(); }
  // Where to resume from, before the first stream.
  void set_last_event_id(std::string_view id) { last_id_.assign(id); }

 private:
  struct Split;  // what outlives the caller's bytes
  struct Draft;  // the block being read

  void step(std::string_view& bytes, Item& item);
  bool take_simple_block(std::string_view& bytes, Item& item);
  void skip_prefix(std::string_view& bytes);
  Item next_line(std::string_view& bytes, Draft& draft);
  Item take_line(std::string_view line, Draft& draft);
  void take_field(std::string_view name, std::string_view value, Draft& draft);
  void take_data(std::string_view value, Draft& draft);
  std::string_view take_value(std::string_view value, const Draft& draft,
                              std::string Split::*storage);
  Item take_comment(std::string_view text, const Draft& draft);
  bool must_repair(std::string_view value) const;
  Item dispatch(Draft& draft);
  Item pause(std::string_view rest, const Draft& draft);
  void save(const Draft& draft);
  void release();
  Split& split();
  Item too_large();

  ShortText last_id_;
  std::unique_ptr<Split> split_;
  std::uint32_t event_bytes_max_;
  std::uint8_t bom_matched_ = 0;  // bytes of the leading BOM seen; 3 = no longer looked for
  bool skip_line_feed_ : 1;       // the last byte was CR: a LF now belongs to it
  bool open_ : 1;                 // a block is under way in split_
  bool partial_line_ : 1;         // split_->line holds the head of a line
  bool failed_ : 1;
  bool repair_utf8_ : 1;
  bool keep_buffer_ : 1;
};

static_assert(sizeof(Parser) <= 48, "400,000 idle subscribers hold one each");

// The sentence for a too_large stream (Code::refused).
Error too_large_error(std::uint32_t event_bytes_max = kEventBytesMax);

template <typename Handler>
Received Parser::receive(std::string_view bytes, Handler&& handler) {
  const std::size_t size = bytes.size();
  Item item;
  for (;;) {
    step(bytes, item);
    switch (item.kind) {
      case ItemKind::event:
        if constexpr (std::is_same_v<decltype(handler.on_event(item.event)), bool>) {
          if (!handler.on_event(item.event)) return {size - bytes.size(), ReceiveStatus::stopped};
        } else {
          handler.on_event(item.event);
        }
        break;
      case ItemKind::comment:
        handler.on_comment(item.comment);
        break;
      case ItemKind::retry:
        handler.on_retry(item.retry);
        break;
      case ItemKind::need_more:
        return {size, ReceiveStatus::drained};
      case ItemKind::too_large:
        return {size - bytes.size(), ReceiveStatus::too_large};
    }
  }
}

}  // namespace rt::sse
