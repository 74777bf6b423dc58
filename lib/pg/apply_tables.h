// The tables that changes are applied to: what the source sends of each (its Relation messages),
// met with what the target has, and the statements prepared for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "pg/apply_sql.h"
#include "pg/apply_window.h"
#include "pg/names.h"
#include "proto/relation_cache.h"

namespace rt {

// A statement prepared at the server, and for what.
struct ApplyForm {
  char operation = 0;  // I U D
  UpdateForm update;   // of a U
  std::string name;
  ApplySql sql;
};

struct AppliedTable {
  TableName name;
  std::string text;  // schema.table, for people
  ApplyTarget target;
  bool full = false;          // REPLICA IDENTITY FULL: old rows are complete
  std::uint32_t version = 0;  // of the relation that `target` was made from
  std::vector<std::unique_ptr<ApplyForm>> forms;
};

// One thread.
class ApplyTables {
 public:
  explicit ApplyTables(OnConflict on_conflict) : on_conflict_(on_conflict) {}

  // Code::limit when there are more relations than can be kept.
  Result<void> learn(const pgoutput::Relation& relation);
  Result<void> learn(const pgoutput::Type& type);

  // The table of a relation; at its first use, and after it changed, the target's catalog is asked.
  // Code::refused if the target has no such table or lacks a column, Code::integrity if the
  // recording never described the relation. The table stays where it is for good.
  Result<AppliedTable*> find(std::uint32_t relation, ApplyWindow& window);
  // The same over a connection in ordinary use.
  Result<AppliedTable*> find(std::uint32_t relation, Connection& connection);
  // The statement for such a change, prepared now if it is new.
  Result<const ApplyForm*> form(AppliedTable& table, char operation, const UpdateForm& update,
                                ApplyWindow& window);

  // All relations that were described, whether used or not.
  std::vector<std::uint32_t> relations() const;
  // The tables that were used.
  const std::unordered_map<std::uint32_t, std::unique_ptr<AppliedTable>>& used() const {
    return tables_;
  }

 private:
  // Prepared at most for one table: sets of unchanged columns are few in practice, but there are
  // 2^n of them. One more, and all of the table's are forgotten.
  static constexpr std::size_t kFormsMax = 256;

  Result<void> meet(AppliedTable& table, const pgoutput::CachedRelation& relation,
                    Connection& connection);
  Result<void> forget_forms(AppliedTable& table, ApplyWindow& window);

  OnConflict on_conflict_;
  pgoutput::RelationCache relations_;
  std::vector<std::uint32_t> oids_;
  std::unordered_map<std::uint32_t, std::unique_ptr<AppliedTable>> tables_;
  std::uint64_t named_ = 0;
};

}  // namespace rt
