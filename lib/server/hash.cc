#include "server/hash.h"

#include <xxhash.h>

namespace rt::server {

Hash128 hash_name(Role role, std::string_view name) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(name.data(), name.size(), static_cast<XXH64_hash_t>(role));
  return {hash.low64, hash.high64};
}

}  // namespace rt::server
