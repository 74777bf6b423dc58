#include "pg/names.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

TEST_CASE("names: an unqualified table is in public and folded to lower case", "[pg]") {
  const auto name = rt::parse_table_name("Task_Run");
  REQUIRE(name);
  CHECK(name->schema == "public");
  CHECK(name->table == "task_run");
  CHECK(name->quoted() == "\"public\".\"task_run\"");
}

TEST_CASE("names: quotes keep case, dots and doubled quotes", "[pg]") {
  const auto name = rt::parse_table_name(R"("My.Schema"."Odd""Name")");
  REQUIRE(name);
  CHECK(name->schema == "My.Schema");
  CHECK(name->table == "Odd\"Name");
  CHECK(name->quoted() == R"("My.Schema"."Odd""Name")");
}

TEST_CASE("names: what PostgreSQL could not read is a usage error", "[pg]") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "."sv, "a."sv, ".a"sv, "a.b.c"sv, "a b"sv, "a;drop table x"sv, "\"a"sv, "\"\""sv,
        "1a"sv, "a\0b"sv, "\"a\"b"sv}) {
    CAPTURE(text);
    const auto name = rt::parse_table_name(text);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == rt::Code::usage);
  }
  CHECK(rt::parse_table_name(std::string(63, 'x')));
  CHECK_FALSE(rt::parse_table_name(std::string(64, 'x')));
}

TEST_CASE("names: any quoted pair is read back as it was", "[pg]") {
  rc::prop("parse(quoted(name)) == name", [] {
    const auto part = rc::gen::suchThat(
        rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
        [](const std::string& text) { return !text.empty() && text.size() <= 63; });
    const rt::TableName name{*part, *part};
    const auto read = rt::parse_table_name(name.quoted());
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == name);
  });
}

TEST_CASE("names: a slot name has 1 to 63 of a-z, 0-9 and _", "[pg]") {
  CHECK(rt::check_slot_name("rt_slot_1"));
  CHECK(rt::check_slot_name(std::string(63, 'a')));
  for (const std::string& name : {std::string(), std::string("Orders"), std::string("a-b"),
                                  std::string("a b"), std::string(64, 'a')}) {
    CAPTURE(name);
    const auto checked = rt::check_slot_name(name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == rt::Code::usage);
  }
}
