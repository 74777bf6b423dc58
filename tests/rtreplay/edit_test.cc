// rtreplay cut, filter and merge: recordings made of recordings.
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

std::string id(int transaction, std::uint32_t index) {
  return Position{commit_lsn(transaction), index}.text();
}

std::vector<json> cat(const std::string& path, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay", "cat", path};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome end = run(words);
  INFO(end.err);
  REQUIRE(end.status == 0);
  return json_lines(end.out);
}

// "I 000...-00000000" of each row, other lines by their type.
std::vector<std::string> shape(const std::vector<json>& lines) {
  std::vector<std::string> all;
  for (const json& line : lines) {
    all.push_back(line.contains("op")
                      ? line["op"].get<std::string>() + " " + line["id"].get<std::string>()
                      : line["type"].get<std::string>());
  }
  return all;
}

void check_sound(const std::string& path) {
  const Outcome verified = run({"rtreplay", "verify", path});
  INFO(verified.out << verified.err);
  CHECK(verified.status == 0);
}

Outcome ok(std::vector<std::string> words) {
  words.insert(words.begin(), "rtreplay");
  Outcome end = run(words);
  INFO(end.err);
  REQUIRE(end.status == 0);
  return end;
}

// A recording of bodies, one WAL record each; the first LSN of transaction `t` is commit_lsn(t).
void write_bodies(const std::string& path, const std::vector<std::string>& bodies,
                  archive::Origin where = origin(), std::size_t block_bytes = 4096) {
  const ManualClock clock;
  archive::WriterOptions options;
  options.block_raw_bytes = block_bytes;
  auto writer = archive::Writer::create(path, where, moment(clock), options).value();
  for (const std::string& body : bodies) {
    REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
  }
  REQUIRE(writer.close(clock.now()));
}

std::string row(const std::string& id, const std::string& note) {
  return tuple({id, note});
}

// One transaction around its changes.
void add_transaction(std::vector<std::string>& all, int t, const std::vector<std::string>& inner) {
  all.push_back(begin(commit_lsn(t), commit_time(t), static_cast<std::uint32_t>(700 + t)));
  all.insert(all.end(), inner.begin(), inner.end());
  all.push_back(commit(commit_lsn(t), end_lsn(t), commit_time(t)));
}

}  // namespace

TEST_CASE("cut: whole transactions with their ids, times and schemas, from any block",
          "[rtreplay]") {
  const Scratch scratch;
  const ManualClock clock;
  archive::WriterOptions options;
  options.block_raw_bytes = 600;
  {
    auto writer =
        archive::Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
    write_transactions(writer, 0, 60, 3, clock.now());
    REQUIRE(writer.close(clock.now()));
  }
  const auto all = cat(scratch / "a.rtr");
  ok({"cut", scratch / "a.rtr", "--from", id(20, 1), "--to", id(29, 0), "-o", scratch / "b.rtr"});
  check_sound(scratch / "b.rtr");
  const auto part = cat(scratch / "b.rtr");
  CHECK(part == std::vector<json>(all.begin() + 60, all.begin() + 90));
  const json facts = json::parse(ok({"info", scratch / "b.rtr", "--json"}).out);
  CHECK(facts["system_identifier"] == std::to_string(origin().system_identifier));
  CHECK(facts["consistent_point"] == "0/2330");  // the end of the transaction before
  CHECK(facts["notes"]["slot"] == "test");
  CHECK(facts["notes"]["derived"][0]["verb"] == "cut");
  // The two halves are the whole.
  ok({"cut", scratch / "a.rtr", "--to", "0/2300", "-o", scratch / "head.rtr"});
  ok({"cut", scratch / "a.rtr", "--from", "0/2400", "-o", scratch / "tail.rtr"});
  const Outcome merged =
      ok({"merge", scratch / "tail.rtr", scratch / "head.rtr", "-o", scratch / "whole.rtr"});
  CHECK(cat(scratch / "whole.rtr") == all);
  CHECK(merged.err.find("gap") == std::string::npos);
  // Nothing there is an empty recording, not an error.
  ok({"cut", scratch / "a.rtr", "--from", id(70, 0), "-o", scratch / "none.rtr"});
  CHECK(cat(scratch / "none.rtr").empty());
}

TEST_CASE("cut: the snapshot comes along if asked, with a gap if something is missing after it",
          "[rtreplay]") {
  const Scratch scratch;
  const ManualClock clock;
  {
    auto writer = archive::Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
    const std::string table = two_columns(1, "plain", 'd', false);
    RecordView described = wal(table, 0, kStart);
    described.prelude = true;
    REQUIRE(writer.append(described, clock.now()));
    REQUIRE(writer.append({RecordKind::snapshot_begin, false, kFirstLsn - 0x80, kStart, "{}"},
                          clock.now()));
    std::string snapshot_row;
    archive::encode(snapshot_row, archive::SnapshotRowBody{1, "7\tseven"});
    REQUIRE(writer.append({RecordKind::snapshot_row, false, kFirstLsn - 0x80, kStart, snapshot_row},
                          clock.now()));
    REQUIRE(writer.append({RecordKind::snapshot_end, false, kFirstLsn - 0x80, kStart, {}},
                          clock.now()));
    std::vector<std::string> bodies;
    for (int t = 0; t < 3; ++t) {
      add_transaction(
          bodies, t,
          {two_columns(1, "plain", 'd', false), change('I', 1, 'N' + row(std::to_string(t), "x"))});
    }
    for (const std::string& body : bodies) {
      REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
    }
    REQUIRE(writer.close(clock.now()));
  }
  const auto lines = [&](const std::string& name) {
    return shape(cat(scratch / name, {"--snapshot"}));
  };
  const std::string snapshot = "S " + Position{kFirstLsn - 0x80, Position::kEnd}.text();
  ok({"cut", scratch / "a.rtr", "-o", scratch / "without.rtr"});
  CHECK(lines("without.rtr").size() == 3);
  ok({"cut", scratch / "a.rtr", "--snapshot", "--from", id(0, 0), "-o", scratch / "with.rtr"});
  CHECK(lines("with.rtr") ==
        std::vector<std::string>{snapshot, "I " + id(0, 0), "I " + id(1, 0), "I " + id(2, 0)});
  const Outcome late =
      ok({"cut", scratch / "a.rtr", "--snapshot", "--from", id(2, 0), "-o", scratch / "late.rtr"});
  CHECK(lines("late.rtr") == std::vector<std::string>{snapshot, "gap", "I " + id(2, 0)});
  CHECK_THAT(late.err, Catch::Contains("warning"));
  CHECK(cat(scratch / "late.rtr", {"--snapshot"})[0]["new"] ==
        json{{"id", "7"}, {"note", "seven"}});
}

TEST_CASE("filter: rows that stay keep their ids, and what they mean", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto all = cat(scratch / "a.rtr");
  const auto filtered = [&](std::vector<std::string> words) {
    std::filesystem::remove(scratch / "b.rtr");
    words.insert(words.begin(), {"filter", scratch / "a.rtr", "-o", scratch / "b.rtr"});
    ok(words);
    check_sound(scratch / "b.rtr");
    return cat(scratch / "b.rtr");
  };
  SECTION("nothing asked: everything but what was never committed") {
    CHECK(filtered({}) == all);
  }
  SECTION("one table, its part of a truncate too; gaps stay") {
    const auto full = filtered({"--table", "full"});
    CHECK(full == std::vector<json>{all[4], all[5], all[7], all[9]});
    CHECK(filtered({"--table", "!full"}) ==
          std::vector<json>{all[0], all[1], all[2], all[3], all[6], all[8], all[9]});
    CHECK(filtered({"--table", "public.f*"}) == full);
  }
  SECTION("operations") {
    CHECK(filtered({"--op", "delete,T"}) ==
          std::vector<json>{all[3], all[5], all[6], all[7], all[9]});
  }
  SECTION("events") {
    CHECK(filtered({"--topic", "del*"}) == std::vector<json>{all[9], all[10]});
    CHECK(filtered({"--topic", "other"}) == std::vector<json>{all[9]});
  }
}

TEST_CASE("filter: an update that enters what is kept is an insert, one that leaves it a delete",
          "[rtreplay]") {
  const Scratch scratch;
  std::vector<std::string> bodies;
  const auto update = [](const std::string& before, const std::string& after) {
    return change('U', 2, 'O' + row("1", before) + 'N' + row("1", after));
  };
  add_transaction(bodies, 0,
                  {two_columns(2, "full", 'f', true), change('I', 2, 'N' + row("1", "5")),
                   update("5", "50"), update("50", "60"), update("60", kUnchanged),
                   update("60", "7"), update("7", "8"), change('D', 2, 'O' + row("1", "8"))});
  add_transaction(bodies, 1, {change('I', 2, 'N' + row("2", "1"))});
  write_bodies(scratch / "a.rtr", bodies);
  const Outcome made =
      ok({"filter", scratch / "a.rtr", "--where", "note >= 10", "-o", scratch / "b.rtr"});
  const auto lines = cat(scratch / "b.rtr");
  CHECK(shape(lines) == std::vector<std::string>{"I " + id(0, 1), "U " + id(0, 2), "U " + id(0, 3),
                                                 "D " + id(0, 4)});
  CHECK(lines[0]["new"] == json{{"id", "1"}, {"note", "50"}});
  CHECK(lines[2]["new"] == json{{"id", "1"}, {"note", "60"}});
  CHECK(lines[3]["old"] == json{{"id", "1"}, {"note", "60"}});
  CHECK(made.err.find("warning") == std::string::npos);
  // A transaction of which nothing stays is gone.
  const json facts = json::parse(ok({"info", scratch / "b.rtr", "--json"}).out);
  CHECK(facts["transactions"] == 1);
  CHECK(facts["rows"] == 4);
}

TEST_CASE("filter: what the recording does not hold is said, not guessed", "[rtreplay]") {
  const Scratch scratch;
  std::vector<std::string> bodies;
  add_transaction(bodies, 0,
                  {two_columns(1, "plain", 'd', false), change('I', 1, 'N' + row("1", "a")),
                   change('U', 1, 'N' + row("1", "b")), change('U', 1, 'N' + row("1", kUnchanged)),
                   change('D', 1, 'K' + row("1", kNull))});
  write_bodies(scratch / "a.rtr", bodies);
  const Outcome made =
      ok({"filter", scratch / "a.rtr", "--where", "note = a", "-o", scratch / "b.rtr"});
  CHECK(shape(cat(scratch / "b.rtr")) ==
        std::vector<std::string>{"I " + id(0, 0), "U " + id(0, 2), "D " + id(0, 3)});
  CHECK_THAT(made.err, Catch::Contains("2 rows kept or judged by their new values alone"));
  for (const char* wrong : {"= 5", "note", "note === ", "note is null or"}) {
    CHECK(run({"rtreplay", "filter", scratch / "a.rtr", "--where", wrong, "-o", scratch / "c.rtr"})
              .status == (std::string(wrong) == "note === " ? 0 : 2));
  }
}

TEST_CASE("filter: a condition compares numbers as numbers, and null with nothing", "[rtreplay]") {
  const Scratch scratch;
  std::vector<std::string> rows = {two_columns(1, "plain", 'd', false)};
  for (const std::string& note : {std::string("9"), std::string("10"), std::string("1e2"),
                                  std::string("it's"), kNull, std::string("9007199254740993")}) {
    rows.push_back(change('I', 1, 'N' + row(std::to_string(rows.size() - 1), note)));
  }
  std::vector<std::string> bodies;
  add_transaction(bodies, 0, rows);
  write_bodies(scratch / "a.rtr", bodies);
  const auto kept = [&](const std::string& condition) {
    std::filesystem::remove(scratch / "b.rtr");
    ok({"filter", scratch / "a.rtr", "--where", condition, "-o", scratch / "b.rtr"});
    std::string ids;
    for (const json& line : cat(scratch / "b.rtr")) ids += line["new"]["id"].get<std::string>();
    return ids;
  };
  CHECK(kept("note > 9") == "1235");  // a text is above a number, by its bytes
  CHECK(kept("note <= 10") == "01");
  CHECK(kept("note = 'it''s'") == "3");
  CHECK(kept("note != 9") == "1235");
  CHECK(kept("note is null") == "4");
  CHECK(kept("note is not null") == "01235");
  CHECK(kept("note ~ t'") == "3");
  CHECK(kept("note = 9007199254740992") == "");
  CHECK(kept("absent = 1") == "");
}

TEST_CASE("merge: recordings of one cluster overlap without doubles, filtered ones fit together",
          "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto all = cat(scratch / "a.rtr");
  ok({"filter", scratch / "a.rtr", "--table", "plain", "-o", scratch / "plain.rtr"});
  ok({"filter", scratch / "a.rtr", "--table", "full", "-o", scratch / "full.rtr"});
  ok({"merge", scratch / "plain.rtr", scratch / "full.rtr", "-o", scratch / "both.rtr"});
  check_sound(scratch / "both.rtr");
  const auto both = cat(scratch / "both.rtr");
  // The rows are those of the whole; the gap stands in both.
  CHECK(std::vector<json>(both.begin(), both.begin() + 9) ==
        std::vector<json>(all.begin(), all.begin() + 9));
  const Outcome doubled =
      ok({"merge", scratch / "a.rtr", scratch / "full.rtr", "-o", scratch / "again.rtr"});
  CHECK_THAT(doubled.err, Catch::Contains("3 changes were held twice"));
  const auto again = cat(scratch / "again.rtr");
  CHECK(std::vector<json>(again.begin(), again.begin() + 9) ==
        std::vector<json>(all.begin(), all.begin() + 9));
}

TEST_CASE("merge: events take their place by time, between transactions", "[rtreplay]") {
  const Scratch scratch;
  const ManualClock clock;
  std::vector<std::string> bodies;
  for (int t = 0; t < 3; ++t) {
    add_transaction(
        bodies, t,
        {two_columns(1, "plain", 'd', false), change('I', 1, 'N' + row(std::to_string(t), "x"))});
  }
  write_bodies(scratch / "wal.rtr", bodies);
  {
    auto writer = archive::Writer::create(scratch / "sse.rtr", {}, moment(clock)).value();
    for (int t = 0; t < 3; ++t) {
      std::string event;
      archive::encode(event, archive::SseBody{std::to_string(t), "delta", "{}"});
      REQUIRE(writer.append({RecordKind::sse, false, 0, commit_time(t) + 900, event}, clock.now()));
    }
    REQUIRE(writer.close(clock.now()));
  }
  ok({"merge", scratch / "sse.rtr", scratch / "wal.rtr", "-o", scratch / "c.rtr"});
  CHECK(shape(cat(scratch / "c.rtr")) == std::vector<std::string>{"I " + id(0, 0), "event",
                                                                  "I " + id(1, 0), "event",
                                                                  "I " + id(2, 0), "event"});
  const json facts = json::parse(ok({"info", scratch / "c.rtr", "--json"}).out);
  CHECK(facts["notes"]["merged"].size() == 2);
  CHECK(facts["system_identifier"] == std::to_string(origin().system_identifier));
}

TEST_CASE("merge: what is between two recordings is a gap, what cannot be merged is refused",
          "[rtreplay]") {
  const Scratch scratch;
  const auto make = [&](const std::string& name, int t, archive::Origin where,
                        const std::string& note) {
    std::vector<std::string> bodies;
    add_transaction(
        bodies, t,
        {two_columns(1, "plain", 'd', false), change('I', 1, 'N' + row(std::to_string(t), note))});
    write_bodies(scratch / name, bodies, where);
  };
  archive::Origin later = origin();
  later.consistent_point = commit_lsn(5) - 0x80;
  make("a.rtr", 0, origin(), "x");
  make("later.rtr", 5, later, "x");
  const Outcome apart =
      ok({"merge", scratch / "later.rtr", scratch / "a.rtr", "-o", scratch / "apart.rtr"});
  CHECK_THAT(apart.err, Catch::Contains("1 gaps between recordings"));
  CHECK(shape(cat(scratch / "apart.rtr")) ==
        std::vector<std::string>{"I " + id(0, 0), "gap", "I " + id(5, 0)});

  const auto refused = [&](const std::string& name) {
    const Outcome end =
        run({"rtreplay", "merge", scratch / "a.rtr", scratch / name, "-o", scratch / "no.rtr"});
    CHECK(end.status == 4);
    CHECK_THAT(end.err, Catch::StartsWith("rtreplay: cannot merge "));
    CHECK_FALSE(std::filesystem::exists(scratch / "no.rtr"));
    return end.err;
  };
  archive::Origin other = origin();
  other.system_identifier = 5;
  make("other.rtr", 0, other, "x");
  CHECK_THAT(refused("other.rtr"), Catch::Contains("two clusters"));
  other = origin();
  other.timeline = 2;
  make("promoted.rtr", 1, other, "x");
  CHECK_THAT(refused("promoted.rtr"), Catch::Contains("timeline 1 reaches 0/1030"));
  make("differs.rtr", 0, origin(), "y");
  CHECK_THAT(refused("differs.rtr"), Catch::Contains("different changes at " + id(0, 0)));
  CHECK(run({"rtreplay", "merge", scratch / "a.rtr", "-o", scratch / "no.rtr"}).status == 2);
  // What is there already is not overwritten.
  CHECK(run({"rtreplay", "cut", scratch / "a.rtr", "-o", scratch / "later.rtr"}).status == 2);
  CHECK(cat(scratch / "later.rtr").size() == 1);
}
