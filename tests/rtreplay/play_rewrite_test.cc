// rtreplay play --rewrite, --ids, --loop: what goes out is not what was recorded.
#include "proto/pg_types.h"
#include "rtreplay/rewrite_rule.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using namespace rt::rtreplay;
using nlohmann::json;

namespace {

// Columns id (the key), email, created_at, n of public.users.
std::string users() {
  std::string out = "R";
  put(out, std::uint32_t{5});
  out += std::string("public") + '\0' + "users" + '\0' + 'd';
  put(out, std::uint16_t{4});
  const std::pair<const char*, std::uint32_t> columns[] = {{"id", pg_type::kInt8},
                                                           {"email", pg_type::kText},
                                                           {"created_at", pg_type::kTimestamptz},
                                                           {"n", pg_type::kInt4}};
  for (const auto& [name, type_oid] : columns) {
    out += name == std::string("id") ? '\1' : '\0';
    out += std::string(name) + '\0';
    put(out, type_oid);
    put(out, std::int32_t{-1});
  }
  return out;
}

void write_users(const std::string& path) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  for (const std::string& body :
       {begin(commit_lsn(0), commit_time(0), 1), users(),
        change('I', 5, 'N' + tuple({"1", "a@b.c", "2026-05-28 20:26:40.5+00", "7"})),
        change('U', 5,
               'K' + tuple({"1", kNull, kNull, kNull}) + 'N' +
                   tuple({"2", "a@b.c", "infinity", kUnchanged})),
        change('D', 5, 'K' + tuple({"2", kNull, kNull, kNull})),
        commit(commit_lsn(0), end_lsn(0), commit_time(0))}) {
    REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
  }
  REQUIRE(writer.close(clock.now()));
}

pgoutput::CachedRelation table(const std::string& schema, const std::string& name) {
  pgoutput::CachedRelation made;
  made.schema = schema;
  made.name = name;
  return made;
}

Outcome play(const std::string& archive, std::vector<std::string> more) {
  std::vector<std::string> words = {"rtreplay", "play",    archive, "--to",
                                    "stdout",   "--speed", "max"};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

}  // namespace

TEST_CASE("rewrite: a rule is a table, a column and what becomes of it", "[rtreplay]") {
  const auto rule = parse_rewrite_rule("app.users.id=-5").value();
  CHECK(rule.act == RewriteRule::Act::add);
  CHECK(rule.added == -5);
  CHECK(rule.column == "id");
  CHECK(rule.matches(table("app", "users")));
  CHECK_FALSE(rule.matches(table("public", "users")));
  CHECK(parse_rewrite_rule("*.email=hash").value().matches(table("x", "y")));
  for (const char* text :
       {"email=hash", "users.email", "users.email=upper", "users.id=+x", ".a=null", "users.=null",
        "users.id=", "users.id=+99999999999999999999"}) {
    INFO(text);
    CHECK(parse_rewrite_rule(text).error().code == Code::usage);
  }
}

TEST_CASE("rewrite: sums fit their type, or are none", "[rtreplay]") {
  CHECK(add_to("-3", 5, pg_type::kInt8) == 2);
  CHECK(add_to("32767", 0, pg_type::kInt2) == 32767);
  CHECK_FALSE(add_to("32767", 1, pg_type::kInt2));
  CHECK_FALSE(add_to("2147483647", 1, pg_type::kInt4));
  CHECK_FALSE(add_to("9223372036854775807", 1, pg_type::kInt8));
  CHECK_FALSE(add_to("1.5", 1, pg_type::kInt8));
}

TEST_CASE("rewrite: times are moved as PostgreSQL writes them", "[rtreplay]") {
  constexpr std::int64_t kDay = 86'400'000'000;
  CHECK(shift_time("2026-02-28 23:30:00.25+00", kDay / 24, pg_type::kTimestamptz) ==
        "2026-03-01 00:30:00.25+00");
  CHECK(shift_time("2026-03-29 01:30:00+02", 1, pg_type::kTimestamptz) ==
        "2026-03-28 23:30:00.000001+00");
  CHECK(shift_time("2026-03-01 00:00:00", -1'000'000, pg_type::kTimestamp) ==
        "2026-02-28 23:59:59");
  CHECK(shift_time("2026-02-28", kDay, pg_type::kDate) == "2026-03-01");
  CHECK(shift_time("-infinity", kDay, pg_type::kDate) == "-infinity");
  CHECK_FALSE(shift_time("0044-03-15 BC", kDay, pg_type::kDate));
}

TEST_CASE("play --rewrite: columns become pseudonyms, NULL, other keys, other times, or nothing",
          "[rtreplay]") {
  const Scratch scratch;
  write_users(scratch / "a.rtr");
  const Outcome end = play(scratch / "a.rtr",
                           {"--rewrite", "users.email=hash", "--rewrite", "public.users.id=+1000",
                            "--rewrite", "users.created_at=shift", "--rewrite", "users.n=drop"});
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(end.err.find("warning") == std::string::npos);
  const auto lines = json_lines(end.out);
  REQUIRE(lines.size() == 3);
  const json& inserted = lines[0]["new"];
  CHECK(inserted.size() == 3);
  CHECK(inserted["id"] == "1001");
  CHECK(inserted["email"].get<std::string>().size() == 16);
  CHECK(inserted["created_at"] > "2026-05-28");
  CHECK(lines[1]["old"]["id"] == "1001");
  CHECK(lines[1]["new"]["id"] == "1002");
  CHECK(lines[1]["new"]["email"] == inserted["email"]);
  CHECK(lines[1]["new"]["created_at"] == "infinity");
  CHECK(lines[2]["old"]["id"] == "1002");
  // The key of the pseudonyms is kept: another play makes the same.
  const Outcome again = play(scratch / "a.rtr", {"--rewrite", "users.email=hash"});
  CHECK(json_lines(again.out)[0]["new"]["email"] == inserted["email"]);
  const Outcome null = play(scratch / "a.rtr", {"--rewrite", "*.email=null", "--map", "users=u.v"});
  CHECK(json_lines(null.out)[0]["new"]["email"].is_null());
  CHECK(json_lines(null.out)[0]["rel"] == "u.v");
}

TEST_CASE("play --rewrite: what cannot be done ends the replay, a misspelt name before it begins",
          "[rtreplay]") {
  const Scratch scratch;
  write_users(scratch / "a.rtr");
  const auto refused = [&](const char* rule) {
    const Outcome end = play(scratch / "a.rtr", {"--rewrite", rule});
    CHECK(end.status == 4);
    return end.err;
  };
  CHECK_THAT(refused("users.id=drop"), Catch::Contains("rows are found by it"));
  CHECK_THAT(refused("users.email=+1"), Catch::Contains("no whole numbers"));
  CHECK_THAT(refused("users.n=shift"), Catch::Contains("no date, timestamp"));
  CHECK_THAT(refused("users.id=+9223372036854775807"), Catch::Contains("of public.users"));
  const Outcome end = play(scratch / "a.rtr", {"--rewrite", "users.emial=hash"});
  CHECK(end.status == 2);
  CHECK(end.out.empty());
  CHECK_THAT(end.err, Catch::Contains("--rewrite users.emial=hash names no column"));
  CHECK(play(scratch / "a.rtr", {"--rewrite", "email=hash"}).status == 2);
}

TEST_CASE("play --ids fresh: ids rise, within a play and from one to the next", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    const Outcome end = play(scratch / "a.rtr", {"--ids", "fresh", "--loop", "2"});
    CHECK(end.status == 0);
    for (const json& line : json_lines(end.out)) {
      if (line.contains("id")) ids.push_back(line["id"]);
    }
  }
  REQUIRE(ids.size() == 2 * 2 * 10);
  CHECK(std::is_sorted(ids.begin(), ids.end(), std::less_equal<>()));
  CHECK(ids.front() > Position{commit_lsn(100), 0}.text());
  CHECK(play(scratch / "a.rtr", {"--ids", "new"}).status == 2);
  const Outcome database = run({"rtreplay", "play", scratch / "a.rtr", "--to",
                                "postgresql://127.0.0.1/x", "--ids", "fresh"});
  CHECK(database.status == 2);
  CHECK_THAT(database.err, Catch::Contains("nothing is applied twice"));
}
