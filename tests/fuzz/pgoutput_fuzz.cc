// Any bytes: the decoder stays inside them, and what it accepts encodes back to the same bytes.
#include <cstdlib>
#include <string>

#include "proto/pgoutput_two_phase.h"
#include "proto/pgoutput_writer.h"
#include "proto/relation_cache.h"

namespace {

using namespace rt::pgoutput;

// Touches every byte the views give access to.
struct Walk {
  std::size_t sum = 0;

  void add(std::string_view text) {
    for (const char c : text) sum += static_cast<unsigned char>(c);
  }
  void add(TupleView row) {
    for (const Value value : row) add(value.bytes);
  }
  void operator()(const Insert& m) { add(m.row); }
  void operator()(const Update& m) { add(m.old_row), add(m.row); }
  void operator()(const Delete& m) { add(m.old_row); }
  void operator()(const LogicalMessage& m) { add(m.prefix), add(m.content); }
  void operator()(const Truncate& m) {
    for (std::size_t i = 0; i < m.relations.size(); ++i) sum += m.relations[i];
  }
  void operator()(const Relation& m) {
    RelationCache cache;
    if (cache.apply(m) != RelationCache::Applied::added) std::abort();
    if (cache.apply(m) != RelationCache::Applied::unchanged) std::abort();
    if (cache.find(m.oid)->columns.size() != m.columns.size()) std::abort();
  }
  template <typename Other>
  void operator()(const Other&) {}
};

}  // namespace

// The first byte chooses whether the rest stands inside a stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const Options options{(bytes[0] & 1) != 0};
  const std::string body(bytes + 1, bytes + size);
  const DecodeResult result = decode(body, options);
  if (!result) {
    if (result.error_offset > body.size()) std::abort();
    return 0;
  }
  Walk walk;
  if (const auto message = decode_two_phase(body)) walk.add(message->gid);
  std::visit(walk, result.message);
  std::string again;
  append(again, result.message, options, result.stream_xid);
  if (again != body) std::abort();
  return 0;
}
