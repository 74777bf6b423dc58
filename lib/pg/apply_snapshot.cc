#include "pg/apply_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rt {
namespace {

constexpr const char* kStage = "pg_temp.rtreplay_rows";

// "a", "b": columns that take a value, or all.
std::string names(const ApplyTarget& target, bool all, std::string_view prefix = {}) {
  std::string out;
  for (const ApplyColumn& column : target.columns) {
    if (!all && !column.takes_value) continue;
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", prefix, column.quoted);
  }
  return out;
}

bool takes_all(const ApplyTarget& target) {
  return std::all_of(target.columns.begin(), target.columns.end(),
                     [](const ApplyColumn& column) { return column.takes_value; });
}

// The policy's clause, as for a single row, over the rows of the stage.
std::string merge_sql(const ApplyTarget& target, OnConflict on_conflict) {
  const std::string insert = insert_sql(target, on_conflict).text;
  const auto clause = insert.find(" ON CONFLICT");
  std::string policy = clause == insert.npos ? "" : insert.substr(clause);
  if (const auto returning = policy.find(" RETURNING"); returning != policy.npos) {
    policy.resize(returning);
  }
  return fmt::format("INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} s{}",
                     target.quoted, names(target, false), names(target, false, "s."), kStage,
                     policy);
}

}  // namespace

Result<std::unique_ptr<Applier::Snapshot>> Applier::Snapshot::start(Connection& connection,
                                                                    ApplyTables& tables,
                                                                    OnConflict on_conflict,
                                                                    bool void_before) {
  RT_CHECKED(connection.exec("BEGIN", "cannot begin the snapshot"));
  auto snapshot = std::unique_ptr<Snapshot>(new Snapshot(connection, tables, on_conflict));
  if (!void_before) return snapshot;
  for (const std::uint32_t relation : tables.relations()) {
    const AppliedTable* table = RT_TRY(tables.find(relation, connection));
    RT_CHECKED(connection.exec("DELETE FROM " + table->target.quoted,
                               fmt::format("cannot empty table {}", table->text)));
  }
  return snapshot;
}

Result<void> Applier::Snapshot::put(std::uint32_t relation, std::string_view line) {
  if (!copy_ || relation != relation_) {
    RT_CHECKED(close());
    RT_CHECKED(open(relation));
  }
  ++rows_;
  return copy_->put(line);
}

Result<void> Applier::Snapshot::open(std::uint32_t relation) {
  relation_ = relation;
  table_ = RT_TRY(tables_.find(relation, connection_));
  const ApplyTarget& target = table_->target;
  const std::string attempt = fmt::format("cannot copy rows into {}", table_->text);
  const Rows found =
      RT_TRY(connection_.query(fmt::format("SELECT 1 FROM {} LIMIT 1", target.quoted), attempt));
  staged_ = !takes_all(target) || (found.size() > 0 && on_conflict_ != OnConflict::error);
  if (staged_) {
    // Of the columns' types alone: no default, no check, no generated column.
    RT_CHECKED(connection_.exec(
        fmt::format("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
                    std::string_view(kStage).substr(8), names(target, true), target.quoted),
        attempt));
  }
  copy_.emplace(RT_TRY(CopyIn::start(
      connection_,
      fmt::format("COPY {} ({}) FROM STDIN", staged_ ? kStage : target.quoted, names(target, true)),
      attempt)));
  return {};
}

Result<void> Applier::Snapshot::close() {
  if (!copy_) return {};
  RT_TRY(copy_->finish());
  copy_.reset();
  return staged_ ? merge(*table_) : Result<void>();
}

Result<void> Applier::Snapshot::merge(const AppliedTable& table) {
  const ApplyTarget& target = table.target;
  const std::string attempt = fmt::format("cannot copy rows into {}", table.text);
  if (!target.unique.empty()) {
    std::string key;
    for (const std::uint16_t column : target.unique) {
      key += (key.empty() ? "" : ", ") + target.columns[column].quoted;
    }
    const Rows there = RT_TRY(connection_.query(
        fmt::format("SELECT count(*) FROM {} JOIN {} USING ({})", kStage, target.quoted, key),
        attempt));
    conflicts_ += parse_decimal(there.text(0, 0)).value_or(0);
  }
  RT_CHECKED(connection_.exec(merge_sql(target, on_conflict_), attempt));
  return connection_.exec(fmt::format("DROP TABLE {}", kStage), attempt);
}

Result<void> Applier::Snapshot::finish(ApplyProgress& progress, std::uint64_t lsn) {
  RT_CHECKED(close());
  RT_CHECKED(progress.set(connection_, lsn));
  return connection_.exec("COMMIT", "cannot commit the snapshot");
}

}  // namespace rt
