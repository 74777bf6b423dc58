// Pseudonyms: the same value under the same key always has the same one, and without the key nobody
// can tell which value it stands for, not even by trying all of them (HMAC-SHA-256, RFC 2104).
// Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

class PseudonymKey {
 public:
  static constexpr std::size_t kBytes = 32;
  using Digest = std::array<unsigned char, 32>;

  // The key in this file; made, readable by its owner alone, if it is missing and `make` says so.
  // Code::usage: it is missing, or no such key.
  static Result<PseudonymKey> of_file(const std::string& path, bool make);
  explicit PseudonymKey(const std::array<unsigned char, kBytes>& bytes) : bytes_(bytes) {}

  Digest digest(std::string_view value) const;

 private:
  std::array<unsigned char, kBytes> bytes_;
};

}  // namespace rt
