// Output that a connection's socket does not take now, in order. A piece is a shared event or text
// of this connection's own. One thread; what it holds back of a topic shows in that topic's count.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "server/event_block.h"

namespace rt::server {

class Backlog {
 public:
  Backlog() = default;
  ~Backlog() {
    while (!pieces_.empty()) drop_back();
  }
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // A live event, of which `rest` is unsent.
  void push(EventRef event, std::string_view rest) {
    if (auto* const held = event->content().held_back.get()) {
      held->fetch_add(1, std::memory_order_relaxed);
    }
    owed_bytes_ += rest.size();
    ++owed_events_;
    pieces_.push_back({std::move(event), {}, rest, 0, true});
  }
  // Text that is an event to this subscriber alone: limited as one.
  void push_owed(std::string text) {
    owed_bytes_ += text.size();
    ++owed_events_;
    pieces_.push_back({{}, std::move(text), {}, 0, true});
  }
  void push(std::string text) { pieces_.push_back({{}, std::move(text), {}, 0, false}); }

  bool empty() const { return pieces_.empty(); }
  // Of live events: what the slow-client limits count. Catch-up chunks come only when asked for.
  std::size_t owed_bytes() const { return owed_bytes_; }
  std::size_t owed_events() const { return owed_events_; }

  std::string_view front() const { return rest_of(pieces_.front()); }
  void consume(std::size_t bytes) {
    Piece& piece = pieces_.front();
    started_ = true;
    if (piece.owed) owed_bytes_ -= bytes;
    if (piece.event) {
      piece.rest.remove_prefix(bytes);
    } else {
      piece.written += bytes;
    }
    if (!rest_of(piece).empty()) return;
    forget(piece);
    pieces_.pop_front();
    started_ = false;
  }
  // Drops every piece of which nothing was written; the stream ends at the end of a frame.
  void drop_unstarted() {
    while (pieces_.size() > (started_ ? 1U : 0U)) drop_back();
  }
  // The piece in front begins in mid-frame: some of it went out before it came here.
  void mark_started() { started_ = true; }

  // Events that the subscriber missed because of what is in here.
  void count_missed() { ++missed_; }
  bool has_missed() const { return missed_ > 0; }
  std::uint32_t take_missed() { return std::exchange(missed_, 0); }

 private:
  struct Piece {
    EventRef event;
    std::string text;
    std::string_view rest;  // of the event's frame
    std::size_t written;    // of text
    bool owed;              // it counts for the limits
  };

  static std::string_view rest_of(const Piece& piece) {
    return piece.event ? piece.rest : std::string_view(piece.text).substr(piece.written);
  }
  void forget(const Piece& piece) {
    if (piece.owed) {
      owed_bytes_ -= rest_of(piece).size();
      --owed_events_;
    }
    if (!piece.event) return;
    if (auto* const held = piece.event->content().held_back.get()) {
      held->fetch_sub(1, std::memory_order_relaxed);
    }
  }
  void drop_back() {
    forget(pieces_.back());
    pieces_.pop_back();
  }

  std::deque<Piece> pieces_;
  std::size_t owed_bytes_ = 0;
  std::size_t owed_events_ = 0;
  std::uint32_t missed_ = 0;
  bool started_ = false;
};

}  // namespace rt::server
