// What the rows of one recording mean, as far as it was read: the Relation and Type messages that
// hold now. For writing some of its rows elsewhere, where they have to be announced again.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/record.h"

namespace rt::rtreplay {

class StreamSchema {
 public:
  struct Relation {
    std::string described;      // made by the recorder, names the real key; or empty
    std::string message;        // the server's
    std::uint64_t version = 0;  // grows with each change, across relations
    bool from_prelude = false;  // `message` may be the recorder's description
  };

  // Takes an R or Y message. A prelude may be the recorder's own description, which stands before
  // the server's message, or a repetition, which is no news: false.
  bool learn(const RecordView& record);
  const Relation* find(std::uint32_t oid) const;
  // The Type message of `oid`, empty if it is a built-in type.
  std::string_view type(std::uint32_t oid) const;

 private:
  std::unordered_map<std::uint32_t, Relation> relations_;
  std::unordered_map<std::uint32_t, std::string> types_;
  std::uint64_t version_ = 0;
};

}  // namespace rt::rtreplay
