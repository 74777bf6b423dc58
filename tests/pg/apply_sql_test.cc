// The statements of a replay into PostgreSQL, as text.
#include "pg/apply_sql.h"

#include <catch2/catch.hpp>

using namespace rt;

namespace {

// "s"."t": key id, large big, generated g.
ApplyTarget target() {
  ApplyTarget made;
  made.quoted = "\"s\".\"t\"";
  made.columns = {{"\"id\"", 23, true, false, true},
                  {"\"big\"", 25, true, false, false},
                  {"\"g\"", 23, false, false, false}};
  made.unique = {0};
  return made;
}

UpdateForm form(bool big_given, bool has_old = false) {
  UpdateForm made;
  made.given = {true, big_given, true};
  made.has_old = has_old;
  return made;
}

}  // namespace

TEST_CASE("apply sql: an insert leaves generated columns out and takes identity values",
          "[apply_sql]") {
  const ApplySql sql = insert_sql(target(), OnConflict::error);
  CHECK(sql.text ==
        "INSERT INTO \"s\".\"t\" AS t (\"id\", \"big\") OVERRIDING SYSTEM VALUE VALUES ($1, $2)");
  CHECK(sql.types == std::vector<std::uint32_t>{23, 25});
  CHECK(sql.parameters == std::vector<ApplyParameter>{{false, 0}, {false, 1}});
  CHECK_THAT(insert_sql(target(), OnConflict::fill).text,
             Catch::EndsWith("ON CONFLICT DO NOTHING"));
  CHECK_THAT(insert_sql(target(), OnConflict::upsert).text,
             Catch::Contains("ON CONFLICT (\"id\") DO UPDATE SET \"big\" = excluded.\"big\""));
}

TEST_CASE("apply sql: a value that was not sent is not set, and no row is made without it",
          "[apply_sql]") {
  ApplyTarget wide = target();
  wide.columns.push_back({"\"n\"", 23, true, false, false});
  UpdateForm partial = form(false);
  partial.given.push_back(true);
  const ApplySql sql = update_sql(wide, OnConflict::upsert, partial);
  CHECK(sql.text == "UPDATE \"s\".\"t\" AS t SET \"n\" = $1 WHERE t.\"id\" = $2");
  CHECK(sql.answer == ApplySql::Answer::zero_missing);
  partial.given[1] = true;
  const ApplySql whole = update_sql(wide, OnConflict::upsert, partial);
  CHECK(whole.answer == ApplySql::Answer::one_restored);
  CHECK_THAT(whole.text, Catch::Contains("WHERE NOT EXISTS (SELECT FROM u)"));
}

TEST_CASE("apply sql: a row is found by its key as it was", "[apply_sql]") {
  const ApplySql moved = update_sql(target(), OnConflict::skip, form(true, true));
  CHECK(moved.text == "UPDATE \"s\".\"t\" AS t SET \"id\" = $1, \"big\" = $2 WHERE t.\"id\" = $3");
  CHECK(moved.parameters == std::vector<ApplyParameter>{{false, 0}, {false, 1}, {true, 0}});
  CHECK(delete_sql(target(), OnConflict::skip).parameters ==
        std::vector<ApplyParameter>{{true, 0}});
}

TEST_CASE("apply sql: without a key one of the equal rows is taken", "[apply_sql]") {
  ApplyTarget keyless = target();
  keyless.columns[0].key = false;
  keyless.unique.clear();
  CHECK(delete_sql(keyless, OnConflict::fill).text ==
        "DELETE FROM \"s\".\"t\" AS t WHERE (t.ctid) = (SELECT t.ctid FROM \"s\".\"t\" AS t WHERE "
        "t.\"id\"::text IS NOT DISTINCT FROM $1::text AND t.\"big\"::text IS NOT DISTINCT FROM "
        "$2::text LIMIT 1)");
  // Nothing can conflict.
  CHECK(insert_sql(keyless, OnConflict::upsert).text.find("CONFLICT") == std::string::npos);
}

TEST_CASE("apply sql: a policy is one of four words", "[apply_sql]") {
  CHECK(parse_on_conflict("fill").value() == OnConflict::fill);
  CHECK(parse_on_conflict("merge").error().code == Code::usage);
}

TEST_CASE("apply sql: a row that gets another key meets the one that has it, by policy",
          "[apply_sql]") {
  UpdateForm moved = form(true, true);
  moved.moves_key = true;
  const ApplySql upsert = update_sql(target(), OnConflict::upsert, moved);
  CHECK(upsert.answer == ApplySql::Answer::moved);
  CHECK_THAT(upsert.text, Catch::Contains("WITH there AS (DELETE FROM \"s\".\"t\" AS t WHERE "
                                          "t.\"id\" = $1 RETURNING 1)"));
  const ApplySql skip = update_sql(target(), OnConflict::skip, moved);
  CHECK_THAT(skip.text, Catch::Contains("WITH there AS (SELECT FROM") &&
                            Catch::Contains("(SELECT count(*) FROM there) = 0") &&
                            !Catch::Contains("INSERT"));
  // An old row of which not all is known must be there to take the other's place.
  moved.given[1] = false;
  CHECK_THAT(update_sql(target(), OnConflict::upsert, moved).text,
             Catch::Contains("AND EXISTS (SELECT FROM"));
  moved.given[1] = true;
  moved.moves_always = true;
  CHECK_THAT(update_sql(target(), OnConflict::fill, moved).text,
             Catch::Contains("AND NOT EXISTS (SELECT FROM there)"));
  const ApplySql error = update_sql(target(), OnConflict::error, moved);
  CHECK_THAT(error.text, !Catch::Contains("there"));
}
