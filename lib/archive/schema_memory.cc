#include "archive/schema_memory.h"

#include <fmt/format.h>

#include "archive/wire.h"

namespace rt::archive {
namespace {

// Moves `at` past a zero-terminated string; false if there is no end.
bool skip_text(std::string_view message, std::size_t& at) {
  const std::size_t end = message.find('\0', at);
  if (end == std::string_view::npos) return false;
  at = end + 1;
  return true;
}

}  // namespace

std::vector<std::uint32_t> column_types(std::string_view message) {
  std::vector<std::uint32_t> types;
  std::size_t at = 5;  // 'R', u32 oid; then schema, name, u8 identity, u16 columns
  if (message.size() < at || !skip_text(message, at) || !skip_text(message, at)) return types;
  if (message.size() < at + 3) return types;
  const auto columns = load_be<std::uint16_t>(message.data() + at + 1);
  at += 3;
  for (int i = 0; i < columns; ++i) {  // u8 flags, name, u32 type, i32 modifier
    if (message.size() < ++at || !skip_text(message, at) || message.size() < at + 8) return {};
    types.push_back(load_be<std::uint32_t>(message.data() + at));
    at += 8;
  }
  return types;
}

Result<void> SchemaMemory::learn(std::string_view message, bool made_by_source) {
  if (message.size() < 5) return {};
  const auto oid = load_be<std::uint32_t>(message.data() + 1);
  if (message.front() == 'Y') {
    types_[oid] = message;
    types_here_.insert(oid);
  } else if (message.front() == 'R') {
    Known& known = relations_[oid];
    (made_by_source ? known.described : known.message) = message;
    known.types = column_types(message);
    relations_here_.insert(oid);
  }
  if (relations_.size() > kMaxRelations || types_.size() > kMaxRelations) {
    return fail(Code::limit, fmt::format("cannot record more than {} relations", kMaxRelations),
                "record fewer tables at a time");
  }
  return {};
}

void SchemaMemory::use(std::uint32_t relation, std::vector<std::string_view>& needed) {
  if (last_used_valid_ && last_used_ == relation) return;
  last_used_ = relation;
  last_used_valid_ = true;
  if (!relations_here_.insert(relation).second) return;
  const auto known = relations_.find(relation);
  if (known == relations_.end()) return;  // never announced: a decoder of the whole lacks it too
  for (const std::uint32_t type : known->second.types) {
    const auto message = types_.find(type);
    if (message != types_.end() && types_here_.insert(type).second) {
      needed.push_back(message->second);
    }
  }
  for (const std::string* message : {&known->second.described, &known->second.message}) {
    if (!message->empty()) needed.push_back(*message);
  }
}

void SchemaMemory::start_block() {
  relations_here_.clear();
  types_here_.clear();
  last_used_valid_ = false;
}

}  // namespace rt::archive
