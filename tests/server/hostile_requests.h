// Requests that a server on the open internet gets sooner or later, and what each must come to.
#pragma once

#include <string>
#include <vector>

namespace rt::test {

enum class Manner {
  whole,
  bytewise,     // a byte a write
  half_closed,  // our side is shut right after
  reset,        // and the connection torn down
};

struct Hostile {
  std::string name;
  std::string bytes;
  // Statuses in order, "200 400"; alternatives are parted by '|'; empty: closed without an answer.
  std::string expected;
  Manner manner = Manner::whole;
};

// Each of these ends by itself.
std::vector<Hostile> hostile_requests();
// These are never complete: each ends when its time is over.
std::vector<Hostile> unfinished_requests();

}  // namespace rt::test
