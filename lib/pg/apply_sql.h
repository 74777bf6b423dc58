// The statements that apply row changes: one for each table, operation and set of columns sent, to
// be prepared once. Pure functions on values; thread-safe.
// Sources: PostgreSQL 15, "INSERT" (ON CONFLICT), "Identity Columns", "System Columns".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt {

// What happens to a change that does not fit what the database holds.
enum class OnConflict : std::uint8_t {
  upsert,  // the recorded row wins: what is there is overwritten, what is missing inserted
  fill,    // what is there stays, what is missing is inserted
  skip,    // what is there stays, what is missing stays missing
  error,   // the transaction is rolled back, and applying ends
};
Result<OnConflict> parse_on_conflict(std::string_view text);

// A column as the source sends it, met with the target's.
struct ApplyColumn {
  std::string quoted;  // "na""me"
  std::uint32_t type_oid = 0;
  bool takes_value = true;  // false: generated, what is sent for it is left out
  bool identity_always = false;
  bool key = false;  // of the rows' key: which row an update or delete is about
};

struct ApplyTarget {
  std::string quoted;  // "schema"."table"
  bool partitioned = false;
  std::vector<ApplyColumn> columns;   // in the source's order
  std::vector<std::uint16_t> unique;  // columns for ON CONFLICT; empty: nothing can conflict

  bool keyed() const;
};

// Where a parameter takes its value from.
struct ApplyParameter {
  bool old = false;  // the row as it was
  std::uint16_t column = 0;
  friend bool operator==(const ApplyParameter&, const ApplyParameter&) = default;
};

struct ApplySql {
  // What the answer of the server says.
  enum class Answer : std::uint8_t {
    plain,          // nothing to learn: it was done
    overwrote,      // no row: an equal one was there; a row "t": a different one was there
    zero_kept,      // 0 rows: another row was there and stayed
    zero_missing,   // 0 rows: there was no such row
    one_restored,   // 1 row: it was missing and has been inserted
    fails_missing,  // division by zero (22012): there was no such row
    moved,          // three counts: rows in the way of its new key, updated, inserted
  };
  std::string text;
  std::vector<ApplyParameter> parameters;
  std::vector<std::uint32_t> types;  // of the parameters
  Answer answer = Answer::plain;
};

ApplySql insert_sql(const ApplyTarget& target, OnConflict on_conflict);

struct UpdateForm {
  std::vector<bool> given;    // columns of which the new value is known (not: unchanged TOAST)
  bool has_old = false;       // the old row's key (or the whole old row) was sent
  bool moves_always = false;  // an identity column GENERATED ALWAYS gets another value
  bool moves_key = false;     // the columns of ApplyTarget::unique get other values, all known
};
ApplySql update_sql(const ApplyTarget& target, OnConflict on_conflict, const UpdateForm& form);

// With a key by it, else by the whole old row: one of the rows that are equal to it.
ApplySql delete_sql(const ApplyTarget& target, OnConflict on_conflict);

}  // namespace rt
