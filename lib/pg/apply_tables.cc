#include "pg/apply_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "pg/target_table.h"

namespace rt {
namespace {

bool same(const UpdateForm& a, const UpdateForm& b) {
  return a.has_old == b.has_old && a.moves_always == b.moves_always && a.moves_key == b.moves_key &&
         a.given == b.given;
}

Result<void> check_taken(pgoutput::RelationCache::Applied applied) {
  if (applied != pgoutput::RelationCache::Applied::full) return {};
  return fail(Code::limit, fmt::format("the recording describes more than {} relations",
                                       pgoutput::RelationCache::kEntriesMax));
}

}  // namespace

Result<void> ApplyTables::learn(const pgoutput::Relation& relation) {
  const auto applied = relations_.apply(relation);
  if (applied == pgoutput::RelationCache::Applied::added) oids_.push_back(relation.oid);
  return check_taken(applied);
}

Result<void> ApplyTables::learn(const pgoutput::Type& type) {
  return check_taken(relations_.apply(type));
}

std::vector<std::uint32_t> ApplyTables::relations() const {
  return oids_;
}

Result<AppliedTable*> ApplyTables::find(std::uint32_t relation, ApplyWindow& window) {
  const pgoutput::CachedRelation* described = relations_.find(relation);
  const auto known = tables_.find(relation);
  if (described != nullptr && known != tables_.end() &&
      known->second->version == described->version) {
    return known->second.get();
  }
  if (known != tables_.end()) RT_CHECKED(forget_forms(*known->second, window));
  Connection* connection = RT_TRY(window.leave());
  AppliedTable* table = RT_TRY(find(relation, *connection));
  RT_CHECKED(window.rejoin());
  return table;
}

Result<AppliedTable*> ApplyTables::find(std::uint32_t relation, Connection& connection) {
  const pgoutput::CachedRelation* described = relations_.find(relation);
  if (described == nullptr) {
    return fail(Code::integrity,
                fmt::format("the recording does not describe relation {}", relation));
  }
  auto& table = tables_[relation];
  if (table == nullptr) table = std::make_unique<AppliedTable>();
  if (table->version == described->version) return table.get();
  RT_CHECKED(meet(*table, *described, connection));
  table->version = described->version;
  return table.get();
}

Result<void> ApplyTables::meet(AppliedTable& table, const pgoutput::CachedRelation& relation,
                               Connection& connection) {
  table.name = {relation.schema, relation.name};
  table.text = table.name.text();
  table.full = relation.identity == 'f';
  const TargetTable target = RT_TRY(find_target_table(connection, table.name));
  ApplyTarget met;
  met.quoted = table.name.quoted();
  met.partitioned = target.partitioned;
  const auto is_unique = [&](const std::string& column) {
    return std::find(target.key.begin(), target.key.end(), column) != target.key.end();
  };
  for (const pgoutput::CachedColumn& column : relation.columns) {
    const TargetColumn* there = target.find(column.name);
    if (there == nullptr) {
      return fail(Code::refused,
                  fmt::format("cannot apply to {} on {}: it has no column \"{}\"", table.text,
                              connection.endpoint(), column.name),
                  fmt::format("bring the table to the recorded form, or leave the column out with "
                              "--rewrite {}.{}=drop",
                              table.text, column.name));
    }
    ApplyColumn made;
    made.quoted = quote_identifier(column.name);
    made.type_oid = there->type_oid;
    made.takes_value = !there->generated;
    made.identity_always = there->identity_always;
    made.key = column.is_key && !table.full;
    if (is_unique(column.name))
      met.unique.push_back(static_cast<std::uint16_t>(met.columns.size()));
    met.columns.push_back(std::move(made));
  }
  if (met.unique.size() != target.key.size()) met.unique.clear();
  // FULL marks every column as key: the target's own key is the one to look rows up by.
  if (!met.keyed()) {
    for (const std::uint16_t column : met.unique) met.columns[column].key = true;
  }
  table.target = std::move(met);
  return {};
}

Result<const ApplyForm*> ApplyTables::form(AppliedTable& table, char operation,
                                           const UpdateForm& update, ApplyWindow& window) {
  for (const auto& form : table.forms) {
    if (form->operation == operation && (operation != 'U' || same(form->update, update))) {
      return form.get();
    }
  }
  if (table.forms.size() >= kFormsMax) RT_CHECKED(forget_forms(table, window));
  auto made = std::make_unique<ApplyForm>();
  made->operation = operation;
  made->update = update;
  made->name = fmt::format("rt_{}", ++named_);
  made->sql = operation == 'I'   ? insert_sql(table.target, on_conflict_)
              : operation == 'U' ? update_sql(table.target, on_conflict_, update)
                                 : delete_sql(table.target, on_conflict_);
  RT_CHECKED(window.prepare(made->name, made->sql.text, made->sql.types));
  table.forms.push_back(std::move(made));
  return table.forms.back().get();
}

Result<void> ApplyTables::forget_forms(AppliedTable& table, ApplyWindow& window) {
  for (const auto& form : table.forms) {
    RT_CHECKED(window.send_sql("DEALLOCATE " + form->name, {}, {}));
  }
  table.forms.clear();
  return {};
}

}  // namespace rt
