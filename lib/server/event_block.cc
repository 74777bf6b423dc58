#include "server/event_block.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace rt::server {
namespace {

// Hands out pieces of the one allocation.
class Cursor {
 public:
  explicit Cursor(char* at) : at_(at) {}

  template <typename T>
  std::span<const T> copy(std::span<const T> source) {
    char* const start = at_;
    if (!source.empty()) std::memcpy(start, source.data(), source.size_bytes());
    at_ += source.size_bytes();
    return {reinterpret_cast<const T*>(start), source.size()};
  }
  std::string_view copy(std::string_view source) {
    const auto copied = copy(std::span<const char>(source.data(), source.size()));
    return {copied.data(), copied.size()};
  }

 private:
  char* at_;
};

std::size_t tag_bytes(const std::optional<RunFacts>& facts) {
  return facts ? facts->tags.size_bytes() : 0;
}

std::string_view choose(const EventBlock::Content& event, bool held_before, bool holds_after) {
  if (holds_after) return held_before ? event.delta : event.initial;
  return held_before ? event.left : std::string_view();
}

}  // namespace

EventBlock* EventBlock::create(const Content& content) {
  const std::size_t bytes = sizeof(EventBlock) + content.keys.size_bytes() +
                            tag_bytes(content.before) + tag_bytes(content.after) +
                            content.initial.size() + content.delta.size() + content.left.size() +
                            content.frame.size() + content.gzip_frame.size();
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  auto* const block = new (memory) EventBlock();
  block->memory_bytes_ = bytes;
  block->content_ = content;
  // 8-byte items first, so that each piece is aligned.
  Cursor cursor(static_cast<char*>(memory) + sizeof(EventBlock));
  Content& own = block->content_;
  own.keys = cursor.copy(content.keys);
  if (own.before) own.before->tags = cursor.copy(content.before->tags);
  if (own.after) own.after->tags = cursor.copy(content.after->tags);
  own.initial = cursor.copy(content.initial);
  own.delta = cursor.copy(content.delta);
  own.left = cursor.copy(content.left);
  own.frame = cursor.copy(content.frame);
  own.gzip_frame = cursor.copy(content.gzip_frame);
  return block;
}

void EventBlock::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~EventBlock();
  std::free(this);
}

std::string_view EventBlock::frame_for(const RunFilter& filter) const {
  return choose(content_, content_.before && filter.matches(*content_.before),
                content_.after && filter.matches(*content_.after));
}

std::string_view EventBlock::frame_for_run(const Hash128& id) const {
  return choose(content_, content_.before && content_.before->id == id,
                content_.after && content_.after->id == id);
}

std::string_view EventBlock::frame_for_target(const Hash128& target, bool gzip) const {
  if (content_.target != Hash128{} && content_.target != target) return {};
  return gzip ? content_.gzip_frame : content_.frame;
}

}  // namespace rt::server
