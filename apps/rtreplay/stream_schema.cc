#include "rtreplay/stream_schema.h"

#include "archive/wire.h"

namespace rt::rtreplay {

bool StreamSchema::learn(const RecordView& record) {
  if (record.body.size() < 5) return false;
  const auto oid = archive::load_be<std::uint32_t>(record.body.data() + 1);
  if (record.body.front() == 'Y') {
    std::string& known = types_[oid];
    if (known == record.body) return !record.prelude;
    known = record.body;
    return true;
  }
  if (record.body.front() != 'R') return false;
  Relation& known = relations_[oid];
  if (record.body == known.message) {
    if (known.from_prelude && !record.prelude) known.described = known.message;
    known.from_prelude = known.from_prelude && record.prelude;
    return !record.prelude;
  }
  if (record.prelude && record.body == known.described) return false;
  // Of two preludes, or a prelude and a message, the first is the recorder's description.
  const bool second = known.from_prelude;
  if (second) known.described = std::move(known.message);
  known.message = record.body;
  known.from_prelude = record.prelude && !second;
  known.version = ++version_;
  return true;
}

const StreamSchema::Relation* StreamSchema::find(std::uint32_t oid) const {
  const auto found = relations_.find(oid);
  return found == relations_.end() ? nullptr : &found->second;
}

std::string_view StreamSchema::type(std::uint32_t oid) const {
  const auto found = types_.find(oid);
  return found == types_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace rt::rtreplay
