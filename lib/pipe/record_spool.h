// Messages that wait until it is known how their transaction ends: in memory up to kMemoryMax
// bytes, then in an unnamed file, which is gone with the object. Move-only, one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace rt {

class RecordSpool {
 public:
  // A write of this size costs next to nothing per byte.
  static constexpr std::size_t kMemoryMax = 256 * 1024;

  // The body is `letter`, then `rest`; `tag` is the caller's. `folder` gets the file, if there is
  // to be one.
  Result<void> keep(const std::string& folder, std::uint32_t tag, std::uint64_t lsn, char letter,
                    std::string_view rest);

  using Visit =
      std::function<Result<void>(std::uint32_t tag, std::uint64_t lsn, std::string_view body)>;
  // All of them, in order; as often as wanted.
  Result<void> each(const Visit& visit) const;

 private:
  Result<void> spill(const std::string& folder);
  static Result<std::size_t> visit_entries(std::string_view entries, const Visit& visit);

  std::string tail_;         // entries that are not in the file
  Fd file_;                  // the entries before
  std::uint64_t bytes_ = 0;  // in the file
};

}  // namespace rt
