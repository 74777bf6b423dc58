#include "pg/apply_sql.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt {
namespace {

// One statement being written; hands out $1, $2, .. and knows what each stands for.
class Statement {
 public:
  explicit Statement(const ApplyTarget& target) : target_(target) {}

  std::string parameter(bool old, std::size_t column) {
    const ApplyParameter wanted{old, static_cast<std::uint16_t>(column)};
    auto& all = sql_.parameters;
    auto found = std::find(all.begin(), all.end(), wanted);
    if (found == all.end()) {
      sql_.types.push_back(target_.columns[column].type_oid);
      found = all.insert(all.end(), wanted);
    }
    return fmt::format("${}", found - all.begin() + 1);
  }

  // Which row: by key, else one of those that are equal in every column. Text is compared, because
  // json, xml and point have no equality, and both sides come from the same output functions.
  std::string where(bool old) {
    std::string out;
    const bool keyed = target_.keyed();
    for (std::size_t i = 0; i < target_.columns.size(); ++i) {
      const ApplyColumn& column = target_.columns[i];
      if (keyed ? !column.key : !column.takes_value) continue;
      if (!out.empty()) out += " AND ";
      const std::string value = parameter(old, i);
      out += keyed ? fmt::format("t.{} = {}", column.quoted, value)
                   : fmt::format("t.{}::text IS NOT DISTINCT FROM {}::text", column.quoted, value);
    }
    if (keyed) return out;
    // Rows of two partitions may share a ctid.
    const char* place = target_.partitioned ? "t.tableoid, t.ctid" : "t.ctid";
    return fmt::format("({0}) = (SELECT {0} FROM {1} AS t WHERE {2} LIMIT 1)", place,
                       target_.quoted, out.empty() ? "true" : out);
  }

  // Another row has the key that this one will have.
  std::string in_the_way() {
    std::string out;
    for (const std::uint16_t column : target_.unique) {
      if (!out.empty()) out += " AND ";
      out += fmt::format("t.{} = {}", target_.columns[column].quoted, parameter(false, column));
    }
    return out;
  }

  // "a" = $1, "b" = $2: the columns whose new value is known and may be set.
  std::string assignments(const UpdateForm& form) {
    std::string out;
    for (std::size_t i = 0; i < target_.columns.size(); ++i) {
      const ApplyColumn& column = target_.columns[i];
      if (!form.given[i] || !column.takes_value || column.identity_always) continue;
      if (column.key && !form.has_old) continue;  // it is what the row was found by
      if (!out.empty()) out += ", ";
      out += fmt::format("{} = {}", column.quoted, parameter(false, i));
    }
    return out;
  }

  // ("a", "b") and $1, $2: every column that takes a value.
  struct Lists {
    std::string names;
    std::string values;
  };
  Lists lists() {
    Lists lists;
    for (std::size_t i = 0; i < target_.columns.size(); ++i) {
      if (!target_.columns[i].takes_value) continue;
      if (!lists.names.empty()) lists.names += ", ";
      if (!lists.values.empty()) lists.values += ", ";
      lists.names += target_.columns[i].quoted;
      lists.values += parameter(false, i);
    }
    return lists;
  }

  // What an INSERT does where the row is already there; "" if nothing can be.
  std::string on_conflict(OnConflict policy) const {
    if (policy == OnConflict::error) return {};
    if (policy != OnConflict::upsert) return " ON CONFLICT DO NOTHING";
    if (target_.unique.empty()) return {};
    std::string key;
    for (const std::uint16_t column : target_.unique) {
      if (!key.empty()) key += ", ";
      key += target_.columns[column].quoted;
    }
    std::string sets, mine, theirs;
    for (std::size_t i = 0; i < target_.columns.size(); ++i) {
      const ApplyColumn& column = target_.columns[i];
      if (!column.takes_value || column.identity_always || is_unique(i)) continue;
      const char* comma = sets.empty() ? "" : ", ";
      sets += fmt::format("{}{} = excluded.{}", comma, column.quoted, column.quoted);
      mine += fmt::format("{}t.{}", comma, column.quoted);
      theirs += fmt::format("{}excluded.{}", comma, column.quoted);
    }
    if (sets.empty()) return fmt::format(" ON CONFLICT ({}) DO NOTHING", key);
    // By the stored bytes, which needs no operator of the columns' types.
    return fmt::format(
        " ON CONFLICT ({}) DO UPDATE SET {} WHERE ROW({})::record "
        "OPERATOR(pg_catalog.*<>) ROW({})::record",
        key, sets, mine, theirs);
  }

  ApplySql finish(std::string text, ApplySql::Answer answer) {
    sql_.text = std::move(text);
    sql_.answer = answer;
    return std::move(sql_);
  }

 private:
  bool is_unique(std::size_t column) const {
    return std::find(target_.unique.begin(), target_.unique.end(), column) != target_.unique.end();
  }

  const ApplyTarget& target_;
  ApplySql sql_;
};

// A row that takes another value in a GENERATED ALWAYS identity column, which no UPDATE may set:
// it is taken out and put in again, with what was not sent as it was.
ApplySql move_sql(const ApplyTarget& target, OnConflict on_conflict, const UpdateForm& form) {
  Statement statement(target);
  std::string names, values;
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    const ApplyColumn& column = target.columns[i];
    if (!column.takes_value) continue;
    const char* comma = names.empty() ? "" : ", ";
    names += comma + column.quoted;
    values += comma + (form.given[i] ? statement.parameter(false, i)
                                     : fmt::format("was.{}", column.quoted));
  }
  std::string where = statement.where(form.has_old);
  const std::string made =
      fmt::format("INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM was",
                  target.quoted, names, values);
  if (!form.moves_key || on_conflict == OnConflict::error) {
    return statement.finish(
        fmt::format("WITH was AS (DELETE FROM {} AS t WHERE {} RETURNING t.*) {}", target.quoted,
                    where, made),
        ApplySql::Answer::zero_missing);
  }
  const std::string in_the_way = statement.in_the_way();
  if (on_conflict != OnConflict::upsert) where += " AND NOT EXISTS (SELECT FROM there)";
  return statement.finish(
      fmt::format("WITH there AS (SELECT FROM {0} AS t WHERE {1}), was AS (DELETE FROM {0} AS t "
                  "WHERE {2} RETURNING t.*), made AS ({3}{4}) SELECT (SELECT count(*) FROM there), "
                  "(SELECT count(*) FROM was), 0",
                  target.quoted, in_the_way, where, made, statement.on_conflict(on_conflict)),
      ApplySql::Answer::moved);
}

// A row that gets another key, which a row of the target may have already. upsert takes that one
// away first: what a WITH clause deletes is gone for the unique index once somebody has counted it.
// fill and skip leave both as they are. An old row of which not all is known must be there to take
// the place of the other.
ApplySql rekey_sql(const ApplyTarget& target, OnConflict on_conflict, const UpdateForm& form,
                   bool whole) {
  Statement statement(target);
  const std::string sets = statement.assignments(form);
  const std::string where = statement.where(form.has_old);
  const std::string in_the_way = statement.in_the_way();
  const bool wins = on_conflict == OnConflict::upsert;
  std::string there = fmt::format("SELECT FROM {} AS t WHERE {}", target.quoted, in_the_way);
  if (wins) {
    there = fmt::format("DELETE FROM {} AS t WHERE {}", target.quoted, in_the_way);
    if (!whole)
      there += fmt::format(" AND EXISTS (SELECT FROM {} AS t WHERE {})", target.quoted, where);
    there += " RETURNING 1";
  }
  std::string text = fmt::format(
      "WITH there AS ({}), u AS (UPDATE {} AS t SET {} WHERE {} AND (SELECT count(*) FROM there) "
      "{} "
      "0 RETURNING 1)",
      there, target.quoted, sets, where, wins ? ">=" : "=");
  const bool inserts = whole && on_conflict != OnConflict::skip;
  if (inserts) {
    const auto [names, values] = statement.lists();
    text += fmt::format(
        ", made AS (INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE SELECT {} WHERE NOT EXISTS "
        "(SELECT FROM u){} RETURNING 1)",
        target.quoted, names, values, statement.on_conflict(on_conflict));
  }
  text += fmt::format(" SELECT (SELECT count(*) FROM there), (SELECT count(*) FROM u), {}",
                      inserts ? "(SELECT count(*) FROM made)" : "0");
  return statement.finish(std::move(text), ApplySql::Answer::moved);
}

}  // namespace

Result<OnConflict> parse_on_conflict(std::string_view text) {
  if (text == "upsert") return OnConflict::upsert;
  if (text == "fill") return OnConflict::fill;
  if (text == "skip") return OnConflict::skip;
  if (text == "error") return OnConflict::error;
  return fail(Code::usage, fmt::format("unknown conflict policy \"{}\"", text),
              "one of upsert, fill, skip, error");
}

bool ApplyTarget::keyed() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const ApplyColumn& column) { return column.key; });
}

ApplySql insert_sql(const ApplyTarget& target, OnConflict on_conflict) {
  Statement statement(target);
  const auto [names, values] = statement.lists();
  if (names.empty()) {
    return statement.finish(fmt::format("INSERT INTO {} DEFAULT VALUES", target.quoted),
                            ApplySql::Answer::plain);
  }
  const std::string conflict = statement.on_conflict(on_conflict);
  std::string text = fmt::format("INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE VALUES ({}){}",
                                 target.quoted, names, values, conflict);
  if (conflict.empty()) return statement.finish(std::move(text), ApplySql::Answer::plain);
  if (conflict.find("DO UPDATE") == conflict.npos) {
    return statement.finish(std::move(text), ApplySql::Answer::zero_kept);
  }
  // A row that was updated carries the lock that found it; partitioned tables do not show it.
  if (!target.partitioned) {
    return statement.finish(text + " RETURNING t.xmax <> 0", ApplySql::Answer::overwrote);
  }
  std::string same;
  for (const std::uint16_t column : target.unique) {
    same += fmt::format("{}t.{} = {}", same.empty() ? "" : " AND ", target.columns[column].quoted,
                        statement.parameter(false, column));
  }
  return statement.finish(fmt::format("WITH was AS (SELECT FROM {} AS t WHERE {}) {} RETURNING "
                                      "EXISTS (SELECT FROM was)",
                                      target.quoted, same, text),
                          ApplySql::Answer::overwrote);
}

ApplySql update_sql(const ApplyTarget& target, OnConflict on_conflict, const UpdateForm& form) {
  if (form.moves_always) return move_sql(target, on_conflict, form);
  bool whole = true;
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    whole = whole && (form.given[i] || !target.columns[i].takes_value);
  }
  if (form.moves_key && on_conflict != OnConflict::error) {
    return rekey_sql(target, on_conflict, form, whole);
  }
  Statement statement(target);
  const std::string sets = statement.assignments(form);
  const std::string where = statement.where(form.has_old);
  // Nothing to set, as in a table that is all key: the row must be there all the same.
  const std::string update =
      sets.empty() ? fmt::format("SELECT 1 FROM {} AS t WHERE {}", target.quoted, where)
                   : fmt::format("UPDATE {} AS t SET {} WHERE {}", target.quoted, sets, where);
  const std::string returning = sets.empty() ? "" : " RETURNING 1";
  if (on_conflict == OnConflict::error) {
    return statement.finish(
        fmt::format("WITH u AS ({}{}) SELECT 1 / count(*) FROM u", update, returning),
        ApplySql::Answer::fails_missing);
  }
  if (on_conflict == OnConflict::skip || !whole || target.columns.empty()) {
    return statement.finish(update, ApplySql::Answer::zero_missing);
  }
  const auto [names, values] = statement.lists();
  return statement.finish(
      fmt::format("WITH u AS ({}{}) INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE SELECT {} "
                  "WHERE NOT EXISTS (SELECT FROM u){}",
                  update, returning, target.quoted, names, values,
                  statement.on_conflict(on_conflict)),
      ApplySql::Answer::one_restored);
}

ApplySql delete_sql(const ApplyTarget& target, OnConflict on_conflict) {
  Statement statement(target);
  const std::string where = statement.where(true);
  std::string text = fmt::format("DELETE FROM {} AS t WHERE {}", target.quoted, where);
  if (on_conflict != OnConflict::error) {
    return statement.finish(std::move(text), ApplySql::Answer::zero_missing);
  }
  return statement.finish(
      fmt::format("WITH d AS ({} RETURNING 1) SELECT 1 / count(*) FROM d", text),
      ApplySql::Answer::fails_missing);
}

}  // namespace rt
