#include "archive/segment_index.h"

#include "archive/stream_tracker.h"
#include "archive/wire.h"
#include "base/text.h"

namespace rt::archive {
namespace {

// "schema.table" of a Relation message; an empty schema is pg_catalog.
std::string relation_name(std::string_view message) {
  const std::size_t schema_end = message.find('\0', 5);
  if (schema_end == std::string_view::npos) return "?";
  const std::size_t name_end = message.find('\0', schema_end + 1);
  if (name_end == std::string_view::npos) return "?";
  std::string name(message.substr(5, schema_end - 5));
  if (name.empty()) name = "pg_catalog";
  name += '.';
  name += message.substr(schema_end + 1, name_end - schema_end - 1);
  return name;
}

struct Cursor {
  const char* at;
  const char* end;
  bool ok = true;

  std::string_view bytes(std::uint64_t n) {
    if (!ok || n > static_cast<std::uint64_t>(end - at)) {
      ok = false;
      return {};
    }
    const std::string_view out(at, static_cast<std::size_t>(n));
    at += n;
    return out;
  }
  template <typename T>
  T number() {
    const std::string_view raw = bytes(sizeof(T));
    return ok ? load_le<T>(raw.data()) : T{};
  }
};

void append_text(std::string& out, std::string_view text) {
  append_le(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

RelationCounts& of(std::map<std::uint32_t, RelationCounts>& relations, std::uint32_t oid,
                   std::uint32_t block) {
  const auto [found, is_new] = relations.try_emplace(oid);
  RelationCounts& counts = found->second;
  if (is_new) counts.first_block = block;
  if (counts.name.empty()) append_decimal(counts.name, oid);
  counts.last_block = block;
  return counts;
}

}  // namespace

void SegmentTables::count(const RecordView& record, std::uint32_t block) {
  if (record.kind == RecordKind::mark && !record.prelude && markers.size() < kMaxMarkers) {
    markers.push_back({record.lsn, record.received_us, std::string(record.body.substr(0, 1024))});
  }
  if (record.kind != RecordKind::wal) return;
  const char letter = wal_letter(record.body);
  if (letter == 'R') {
    if (const auto oid = relation_of(record.body)) {
      of(relations, *oid, block).name = relation_name(record.body);
    }
    return;
  }
  if (record.prelude) return;
  if (letter == 'T') {
    for (std::size_t at = 6; at + 4 <= record.body.size(); at += 4) {
      ++of(relations, load_be<std::uint32_t>(record.body.data() + at), block).truncates;
    }
  } else if (const auto oid = relation_of(record.body)) {
    RelationCounts& counts = of(relations, *oid, block);
    if (letter == 'I') ++counts.inserts;
    if (letter == 'U') ++counts.updates;
    if (letter == 'D') ++counts.deletes;
  }
}

BlockEntry entry_of(const BlockHeader& h, std::uint64_t offset) {
  return {offset, h.last_commit_lsn, h.t_hi, h.commits, h.rows, h.raw_bytes, h.flags};
}

void append_frame(std::string& out, const std::vector<BlockEntry>& blocks,
                  const SegmentTables& tables) {
  std::string payload;
  append_tag(payload, FrameKind::index, kIndexFixedBytes,
             tables.complete ? kTablesComplete : std::uint16_t{0});
  append_le(payload, static_cast<std::uint32_t>(blocks.size()));
  append_le(payload, static_cast<std::uint32_t>(tables.relations.size()));
  append_le(payload, static_cast<std::uint32_t>(tables.markers.size()));
  append_le(payload, std::uint32_t{0});
  for (const BlockEntry& b : blocks) {
    append_le(payload, b.offset);
    append_le(payload, b.last_commit_lsn);
    append_le(payload, b.t_hi);
    append_le(payload, b.commits);
    append_le(payload, b.rows);
    append_le(payload, b.raw_bytes);
    append_le(payload, std::uint32_t{b.flags});
  }
  for (const auto& [oid, r] : tables.relations) {
    append_le(payload, oid);
    append_text(payload, r.name);
    for (const std::uint64_t n : {r.inserts, r.updates, r.deletes, r.truncates}) {
      append_le(payload, n);
    }
    append_le(payload, r.first_block);
    append_le(payload, r.last_block);
  }
  for (const Marker& m : tables.markers) {
    append_le(payload, m.lsn);
    append_le(payload, m.time_us);
    append_text(payload, m.text);
  }
  append_skippable(out, payload);
}

std::optional<SegmentIndex> decode_index(std::string_view payload) {
  if (payload.size() < kIndexFixedBytes + kChecksumBytes) return std::nullopt;
  SegmentIndex index;
  index.tables.complete = (load_le<std::uint16_t>(payload.data() + 6) & kTablesComplete) != 0;
  const auto blocks = load_le<std::uint32_t>(payload.data() + 8);
  const auto relations = load_le<std::uint32_t>(payload.data() + 12);
  const auto markers = load_le<std::uint32_t>(payload.data() + 16);
  if (blocks > payload.size() / kIndexEntryBytes) return std::nullopt;
  const std::size_t fixed = std::size_t{static_cast<unsigned char>(payload[5])} * 8;
  Cursor c{payload.data() + fixed, payload.data() + payload.size() - kChecksumBytes};
  if (c.at > c.end) return std::nullopt;
  index.blocks.reserve(blocks);
  for (std::uint32_t i = 0; i < blocks && c.ok; ++i) {
    BlockEntry b;
    b.offset = c.number<std::uint64_t>();
    b.last_commit_lsn = c.number<std::uint64_t>();
    b.t_hi = c.number<std::int64_t>();
    b.commits = c.number<std::uint32_t>();
    b.rows = c.number<std::uint32_t>();
    b.raw_bytes = c.number<std::uint32_t>();
    b.flags = static_cast<std::uint16_t>(c.number<std::uint32_t>());
    index.blocks.push_back(b);
  }
  for (std::uint32_t i = 0; i < relations && c.ok; ++i) {
    RelationCounts& r = index.tables.relations[c.number<std::uint32_t>()];
    r.name = c.bytes(c.number<std::uint32_t>());
    for (std::uint64_t* n : {&r.inserts, &r.updates, &r.deletes, &r.truncates}) {
      *n = c.number<std::uint64_t>();
    }
    r.first_block = c.number<std::uint32_t>();
    r.last_block = c.number<std::uint32_t>();
  }
  for (std::uint32_t i = 0; i < markers && c.ok; ++i) {
    Marker m;
    m.lsn = c.number<std::uint64_t>();
    m.time_us = c.number<std::int64_t>();
    m.text = c.bytes(c.number<std::uint32_t>());
    index.tables.markers.push_back(std::move(m));
  }
  if (!c.ok) return std::nullopt;
  return index;
}

}  // namespace rt::archive
