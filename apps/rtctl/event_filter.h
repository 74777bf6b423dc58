// `--filter 'pointer op value'`: which events are shown, by their JSON data. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt::rtctl {

// All conditions must hold. An event whose data is not JSON, or has nothing at the pointer, meets
// only "!=" conditions. Movable; one thread.
class EventFilter {
 public:
  // Each text is "POINTER OP VALUE" or "POINTER exists". POINTER: RFC 6901 ("/user/id"); the
  // leading slash may be left out. OP: = (or ==), !=, <, <=, >, >=, ~ (contains; in an array: has
  // the element). VALUE: JSON, or else the text as it stands; numbers compare as numbers, texts by
  // bytes, and different types are never equal. Code::usage on what cannot be read.
  static Result<EventFilter> parse(const std::vector<std::string>& texts);
  EventFilter();
  ~EventFilter();
  EventFilter(EventFilter&&) noexcept;
  EventFilter& operator=(EventFilter&&) noexcept;

  bool empty() const;
  bool matches(std::string_view data) const;

 private:
  struct Condition;
  std::vector<Condition> conditions_;
};

}  // namespace rt::rtctl
