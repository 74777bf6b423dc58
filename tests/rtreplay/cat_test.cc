// rtreplay cat: rows as lines, exactly those asked for.
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

std::string id(int transaction, std::uint32_t index) {
  return Position{commit_lsn(transaction), index}.text();
}

std::vector<std::string> ids(const std::string& out) {
  std::vector<std::string> all;
  for (const json& line : json_lines(out)) {
    if (line.contains("op")) all.push_back(line["id"]);
  }
  return all;
}

}  // namespace

TEST_CASE("cat: each row change is a line with id, time, key, old and new", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome end = run({"rtreplay", "cat", scratch / "a.rtr"});
  CHECK(end.status == 0);
  CHECK(end.err == "");
  const auto lines = json_lines(end.out);
  REQUIRE(lines.size() == 11);
  CHECK(lines[0] == json{{"id", id(0, 0)},
                         {"ts", "2026-05-28T20:26:40.000000Z"},
                         {"xid", 700},
                         {"op", "I"},
                         {"rel", "public.plain"},
                         {"key", {{"id", "1"}}},
                         {"old", nullptr},
                         {"new", {{"id", "1"}, {"note", "say \"hi\"\n\u00e9"}}}});
  // Unchanged is neither null nor a value.
  CHECK(lines[1]["new"] == json{{"id", "1"}});
  CHECK(lines[1]["unchanged"] == json{"note"});
  // A new key: the old one is told, its other columns are not known.
  CHECK(lines[2]["old"] == json{{"id", "1"}});
  CHECK(lines[2]["key"] == json{{"id", "2"}});
  CHECK(lines[2]["new"] == json{{"id", "2"}, {"note", nullptr}});
  CHECK(lines[3]["op"] == "D");
  CHECK(lines[3]["key"] == json{{"id", "2"}});
  CHECK(lines[3]["new"].is_null());
  // FULL: unchanged columns come from the old row, the key from what the source knew.
  CHECK(lines[4]["old"] == json{{"id", "5"}, {"note", "old"}});
  CHECK(lines[4]["new"] == json{{"id", "5"}, {"note", "old"}});
  CHECK_FALSE(lines[4].contains("unchanged"));
  CHECK(lines[4]["key"] == json{{"id", "5"}});
  CHECK(lines[5]["old"] == json{{"id", "5"}, {"note", nullptr}});
  // A truncate is a change of each of its tables.
  CHECK(lines[6]["op"] == "T");
  CHECK(lines[6]["id"] == id(1, 2));
  CHECK(lines[6]["rel"] == "public.plain");
  CHECK(lines[7]["id"] == id(1, 3));
  CHECK(lines[7]["rel"] == "public.full");
  // Bytes that are no text are kept.
  CHECK(lines[8]["new"]["note"] == json{{"base64", "/wA="}});
  CHECK(lines[9]["type"] == "gap");
  CHECK(lines[9]["text"] == "the slot was lost");
  CHECK(lines[10]["type"] == "event");
  CHECK(lines[10]["id"] == "e-1");
  CHECK(lines[10]["event"] == "delta");
  CHECK(lines[10]["data"] == "{\"a\":1}");
}

TEST_CASE("cat: from and to are exact, and both included", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto cat = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"rtreplay", "cat", scratch / "a.rtr"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome end = run(words);
    CHECK(end.status == 0);
    return ids(end.out);
  };
  using Ids = std::vector<std::string>;
  CHECK(cat({"--from", id(0, 2), "--to", id(1, 0)}) == Ids{id(0, 2), id(0, 3), id(1, 0)});
  CHECK(cat({"--to", id(0, 0)}) == Ids{id(0, 0)});
  CHECK(cat({"--from", id(1, 4)}) == Ids{id(1, 4)});
  CHECK(cat({"--from", id(7, 0)}).empty());
  // An LSN is its whole transaction.
  CHECK(cat({"--from", "0/1000", "--to", "0/1000"}) == Ids{id(0, 0), id(0, 1), id(0, 2), id(0, 3)});
  CHECK(cat({"--from", "2026-05-28T20:26:40.000001Z"}).front() == id(1, 0));
  CHECK(cat({"--to", "2026-05-28T20:26:40.005Z"}).back() == id(0, 3));
}

TEST_CASE("cat: text is one line a row, for people", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome end = run({"rtreplay", "cat", scratch / "a.rtr", "--format", "text"});
  CHECK(end.status == 0);
  CHECK_THAT(end.out,
             Catch::StartsWith(id(0, 0) + " 2026-05-28T20:26:40.000000Z I public.plain id=1 "
                                          "note=\"say \\\"hi\\\"\\n\u00e9\"\n"));
  CHECK_THAT(end.out, Catch::Contains("U public.plain id=1 note=(unchanged)\n"));
  CHECK_THAT(end.out, Catch::Contains("U public.plain id=2 note=NULL | old id=1\n"));
}

TEST_CASE("cat: a reader that has gone is success, in silence", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  for (const char* verb : {"cat", "play"}) {
    std::vector<std::string> words = {"rtreplay", verb, scratch / "a.rtr"};
    if (verb == std::string("play")) words.insert(words.end(), {"--to", "stdout"});
    RunningTool tool(words, {}, RunningTool::Output::closed);
    const Outcome end = tool.finish();
    CHECK(end.status == 0);
    CHECK(end.err == "");
  }
}

TEST_CASE("cat: what is damaged, missing or foreign is one line with the right status",
          "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const std::string bytes = read_file(scratch / "a.rtr");
  write_file(scratch / "foreign.rtr", "not a recording at all");
  write_file(scratch / "empty.rtr", "");
  std::string flipped = bytes;
  flipped[400] = static_cast<char>(flipped[400] ^ 1);
  write_file(scratch / "flipped.rtr", flipped);
  const auto status = [&](const char* verb, const char* name) {
    std::vector<std::string> words = {"rtreplay", verb, scratch / name};
    if (verb == std::string("play")) words.insert(words.end(), {"--to", "null"});
    const Outcome end = run(words);
    const auto last = json::array({end.err});
    CHECK_THAT(end.err, Catch::StartsWith("rtreplay: "));
    CHECK_THAT(end.err, Catch::Contains(name));
    return end.status;
  };
  for (const char* verb : {"cat", "info", "verify", "play"}) {
    INFO(verb);
    CHECK(status(verb, "missing.rtr") == 2);
    CHECK(status(verb, "foreign.rtr") == 2);
    CHECK(status(verb, "empty.rtr") == 6);
    CHECK(status(verb, "flipped.rtr") == 6);
  }
  const Outcome salvaged =
      run({"rtreplay", "cat", scratch / "flipped.rtr", "--recover", "salvage"});
  CHECK(salvaged.status == 0);
  CHECK_THAT(salvaged.err, Catch::Contains("damaged at offset"));
  CHECK(run({"rtreplay", "cat", scratch / "a.rtr", "--recover", "hope"}).status == 2);
  CHECK(run({"rtreplay", "cat", scratch / "a.rtr", "--from", "yesterday"}).status == 2);
  CHECK(run({"rtreplay", "cat", scratch / "a.rtr", "--format", "xml"}).status == 2);
}
