// Unpacks a gzip stream (RFC 1952) as it arrives, over zlib, which stays in the .cc. Some 40 KiB
// for each stream: what gzip costs a client that keeps its window. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace rt {

class Inflater {
 public:
  enum class Status : std::uint8_t {
    payload,    // `plain` is the next piece, not empty
    need_more,  // all bytes are consumed
    done,       // the stream came to its end
    bad,        // not gzip
  };

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Takes from the head of `bytes`, which is advanced. Call until it is not `payload`; what `plain`
  // views is gone with the next call of any Inflater of this thread.
  Status next(std::string_view& bytes, std::string_view& plain);

 private:
  struct Zlib;
  std::unique_ptr<Zlib> zlib_;
};

}  // namespace rt
