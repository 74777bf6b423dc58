// The runs table as one Relation message describes it: where the columns stand that filters ask
// about, and how a row becomes JSON. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proto/pgoutput.h"
#include "server/run_facts.h"

namespace rt::server {

class RunTable {
 public:
  // Columns are found by name: id; env_id, runtime_environment_id or environment_id; tags, run_tags
  // or runTags; created_at or createdAt; updated_at or updatedAt; status. Only id must exist.
  static Result<std::shared_ptr<const RunTable>> describe(const pgoutput::Relation& relation);

  struct Column {
    std::string json_key;  // "\"status\":"
    std::uint32_t type_oid = 0;
  };
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
  // Which column is which; kAbsent: none is.
  struct Roles {
    std::size_t id = kAbsent;
    std::size_t environment = kAbsent;
    std::size_t tags = kAbsent;
    std::size_t created = kAbsent;
    std::size_t updated = kAbsent;
    std::size_t status = kAbsent;
  };
  const std::vector<Column>& columns() const { return columns_; }
  const std::vector<std::size_t>& columns_by_name() const { return by_name_; }
  const Roles& roles() const { return roles_; }
  std::size_t column_count() const { return columns_.size(); }
  // Every column: {"id":"...","env_id":...}, values as PostgreSQL's to_json() has them.
  void append_row(std::string& out, pgoutput::TupleView row) const;
  // The id and the columns whose values differ: {"id":"...","status":"COMPLETED"}.
  void append_changes(std::string& out, pgoutput::TupleView before,
                      pgoutput::TupleView after) const;
  // {"id":"...","left":true} and, for a row that no longer exists, "deleted":true.
  void append_departure(std::string& out, pgoutput::TupleView row, bool deleted) const;
  // The text of the row's id; empty if NULL.
  std::string_view id_of(pgoutput::TupleView row) const;
  void read_facts(OwnedRunFacts& out, pgoutput::TupleView row) const;

 private:
  void append_value(std::string& out, std::size_t column, pgoutput::Value value) const;
  void append_id(std::string& out, pgoutput::TupleView row) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> by_name_;  // indexes in order of the columns' names
  Roles roles_;
};

// Whether the relation is the one named: "task_run" in any schema, or "schema.task_run".
bool is_table(const pgoutput::Relation& relation, std::string_view name);

// Writes TupleData in which each unchanged value of `row` is taken from `old_row` (columns
// correspond). A value that stands in neither stays NULL.
void append_merged(std::string& out, pgoutput::TupleView row, pgoutput::TupleView old_row);

}  // namespace rt::server
