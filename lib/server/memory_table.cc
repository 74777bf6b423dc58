#include "server/memory_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "proto/pg_array.h"
#include "proto/pg_types.h"
#include "proto/pgoutput_writer.h"

namespace rt::server {
namespace {

using nlohmann::json;
using pgoutput::Value;
using pgoutput::ValueKind;

constexpr std::uint32_t kRelationOid = 1;
constexpr std::uint32_t kTextArrayOid = 1009;  // text[]
enum ColumnIndex : std::size_t {
  kId,
  kEnvironment,
  kStatus,
  kTags,
  kInput,
  kCreated,
  kUpdated,
  kCount
};
constexpr std::array<pgoutput::Column, kCount> kColumns = {{
    {1, "id", pg_type::kText, -1},
    {1, "env_id", pg_type::kText, -1},
    {1, "status", pg_type::kText, -1},
    {1, "tags", kTextArrayOid, -1},
    {1, "data", pg_type::kJsonb, -1},
    {1, "created_at", pg_type::kTimestamptz, -1},
    {1, "updated_at", pg_type::kTimestamptz, -1},
}};

using Texts = std::array<std::string, kCount>;
using Row = std::array<Value, kCount>;

// As PostgreSQL writes a timestamptz: "2026-03-29 00:30:00.000000+00".
std::string timestamp_text(WallTime time) {
  std::string text = format_rfc3339(time);
  text[10] = ' ';
  text.replace(text.size() - 1, 1, "+00");
  return text;
}

Result<std::string> text_of(std::string_view name, std::size_t column, const json& value) {
  const auto wrong = [&](std::string_view what) {
    return fail(Code::usage, fmt::format("\"{}\" must be {}", name, what));
  };
  if (column == kInput) return value.dump();
  if (column == kTags) {
    if (!value.is_array()) return wrong("an array of strings");
    std::string out = "{";
    for (const json& tag : value) {
      if (!tag.is_string()) return wrong("an array of strings");
      if (out.size() > 1) out.push_back(',');
      append_array_element(out, tag.get_ref<const std::string&>());
    }
    return out + "}";
  }
  if (!value.is_string()) return wrong("a string");
  std::string text = value.get<std::string>();
  if (column == kCreated || column == kUpdated) {
    const auto time = parse_rfc3339(text);
    if (!time) return wrong("a time like 2026-03-29T00:30:00Z");
    text = timestamp_text(*time);
  }
  return text;
}

// The row's values as they will be: given ones, kept ones, defaults.
Result<void> fill(const json& object, WallTime now, const RunStore::Row& old, Texts& texts,
                  Row& row) {
  for (std::size_t column = 0; column < kCount; ++column) {
    const std::string name(kColumns[column].name);
    const auto given = object.find(name);
    if (given != object.end() && !given->is_null()) {
      texts[column] = RT_TRY(text_of(name, column, *given));
    } else if (given == object.end() && old.table != nullptr && column != kUpdated) {
      row[column] = old.tuple[column];
      continue;
    } else if (column == kStatus) {
      texts[column] = "PENDING";
    } else if (column == kTags) {
      texts[column] = "{}";
    } else if (column == kCreated || column == kUpdated) {
      texts[column] = timestamp_text(now);
    } else {
      row[column] = {ValueKind::null, {}};
      continue;
    }
    row[column] = {ValueKind::text, texts[column]};
  }
  return {};
}

Result<json> parse_row(std::string_view text) {
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded() || !object.is_object()) {
    return fail(Code::usage,
                "expected a JSON object like {\"id\":\"run_1\",\"status\":\"PENDING\"}");
  }
  for (const auto& item : object.items()) {
    const std::string& name = item.key();
    const bool known =
        name == "deleted" || std::any_of(kColumns.begin(), kColumns.end(),
                                         [&](const auto& c) { return c.name == name; });
    if (!known) return fail(Code::usage, fmt::format("unknown column \"{}\"", name));
  }
  const auto id = object.find("id");
  if (id == object.end() || !id->is_string() || id->get_ref<const std::string&>().empty()) {
    return fail(Code::usage, "\"id\" must be a string that is not empty");
  }
  return object;
}

}  // namespace

void MemoryTable::continue_after(std::uint64_t lsn) {
  last_lsn_ = std::max(last_lsn_, lsn);
}

void MemoryTable::append_relation(RecordBatch& out, WallTime now) const {
  std::string body;
  pgoutput::append_relation(body, kRelationOid, "public", "task_run", 'f', kColumns);
  out.append({RecordKind::wal, false, 0, unix_us(now), body});
}

Result<MemoryTable::Published> MemoryTable::upsert(std::string_view text, RunStore& store,
                                                   WallTime now, RecordBatch& out) {
  const json object = RT_TRY(parse_row(text));
  const std::string id = object["id"].get<std::string>();
  const std::uint32_t slot = store.find(hash_name(Role::run, id));
  const RunStore::Row old = slot == RunStore::kNone ? RunStore::Row{} : store.row(slot);
  const bool deleted = object.value("deleted", false);
  if (deleted && old.table == nullptr) {
    return fail(Code::refused, fmt::format("there is no run \"{}\"", id));
  }
  Texts texts;
  Row row;
  RT_CHECKED(fill(object, now, old, texts, row));
  std::vector<Value> old_row(old.tuple.begin(), old.tuple.end());

  // The clock gives positions that go on after a restart; two rows in one microsecond still differ.
  last_lsn_ = std::max(last_lsn_ + 1, static_cast<std::uint64_t>(unix_us(now)));
  const auto time = pgoutput::Timestamp::from_unix_us(unix_us(now));
  const auto append = [&](const std::string& body) {
    out.append({RecordKind::wal, false, last_lsn_, unix_us(now), body});
  };
  std::string begin, change, commit;
  pgoutput::append_begin(begin, {last_lsn_, time, 0});
  if (deleted) {
    pgoutput::append_delete(change, kRelationOid, pgoutput::OldRow::full, old_row);
  } else if (old.table != nullptr) {
    pgoutput::append_update(change, kRelationOid, pgoutput::OldRow::full, old_row, row);
  } else {
    pgoutput::append_insert(change, kRelationOid, std::span<const Value>(row));
  }
  pgoutput::append_commit(commit, {0, last_lsn_, last_lsn_ + 1, time});
  append(begin);
  append(change);
  append(commit);
  return Published{id, {last_lsn_, 0}};
}

}  // namespace rt::server
