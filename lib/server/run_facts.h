// The facts of a run that filters ask about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/hash.h"

namespace rt::server {

// A view; the tags live elsewhere.
struct RunFacts {
  Hash128 id;
  std::optional<Hash128> environment;
  std::optional<std::int64_t> created_us;  // Unix microseconds
  std::span<const Hash128> tags;
};

// The same, owned and reusable.
struct OwnedRunFacts {
  Hash128 id;
  std::optional<Hash128> environment;
  std::optional<std::int64_t> created_us;
  std::vector<Hash128> tags;
  std::string scratch;  // for unescaping tags

  RunFacts view() const { return {id, environment, created_us, tags}; }
};

inline bool same_facts(const RunFacts& a, const RunFacts& b) {
  return a.id == b.id && a.environment == b.environment && a.created_us == b.created_us &&
         std::equal(a.tags.begin(), a.tags.end(), b.tags.begin(), b.tags.end());
}

}  // namespace rt::server
