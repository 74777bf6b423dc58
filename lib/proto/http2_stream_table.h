// What a session keeps of its open streams, in the order of their numbers. Numbers only grow (RFC
// 9113 section 5.1.1), so that adding is at the end; who goes through the streams in order, either
// way, finds each at once. Pointers die when a stream is added or erased. One thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "proto/http2_frame_splitter.h"

namespace rt::http2 {

template <typename Stream>  // has a StreamId id
class StreamTable {
 public:
  Stream& add(Stream stream) {
    const auto at = streams_.insert(place_of(stream.id), std::move(stream));
    last_ = static_cast<std::size_t>(at - streams_.begin());
    return *at;
  }
  // Null: not open.
  Stream* find(StreamId id) {
    // The last one, or its neighbour: `near` wraps at the front, which is beyond the end.
    for (const std::size_t near : {last_, last_ - 1, last_ + 1}) {
      if (near < streams_.size() && streams_[near].id == id) {
        last_ = near;
        return &streams_[near];
      }
    }
    const auto at = place_of(id);
    if (at == streams_.end() || at->id != id) return nullptr;
    last_ = static_cast<std::size_t>(at - streams_.begin());
    return &*at;
  }
  void erase(StreamId id) {
    if (Stream* const stream = find(id)) streams_.erase(streams_.begin() + (stream - &streams_[0]));
  }

  std::size_t size() const { return streams_.size(); }
  auto begin() { return streams_.begin(); }
  auto end() { return streams_.end(); }
  auto begin() const { return streams_.begin(); }
  auto end() const { return streams_.end(); }

 private:
  auto place_of(StreamId id) {
    return std::lower_bound(streams_.begin(), streams_.end(), id,
                            [](const Stream& stream, StreamId it) { return stream.id < it; });
  }

  std::vector<Stream> streams_;
  std::size_t last_ = 0;  // where one was found
};

}  // namespace rt::http2
