// Whatever is wrong with a file, each verb ends with one line that says where, and its status.
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

// Every verb that reads a recording, with what it needs besides.
std::vector<std::vector<std::string>> verbs(const Scratch& scratch, const std::string& path) {
  const std::string out = scratch / "out.rtr";
  return {{"cat", path},
          {"info", path},
          {"info", path, "--html", scratch / "out.html"},
          {"verify", path},
          {"play", path, "--to", "null", "--speed", "max"},
          {"cut", path, "-o", out},
          {"filter", path, "--op", "insert", "-o", out},
          {"merge", path, scratch / "sound.rtr", "-o", out},
          {"convert", path, "--as", "ndjson"},
          {"convert", path, "--as", "wal2json"},
          {"convert", path, "--as", "debezium"},
          {"convert", path, "--as", "csv"},
          {"diff", path, scratch / "sound.rtr"},
          {"diff", scratch / "sound.rtr", path},
          {"bisect", path, "--where", "id = none"},
          {"bisect", path, "--", "true"}};
}

// One line that begins with the tool's name and names the file, perhaps after warnings.
void check_one_line(const Outcome& end, const std::string& name) {
  INFO(end.err);
  CHECK(end.status < 128);
  std::istringstream lines(end.err);
  std::vector<std::string> complaints;
  for (std::string line; std::getline(lines, line);) {
    const bool aside = line.rfind("hint: ", 0) == 0 || line.rfind("rtreplay: wrote ", 0) == 0 ||
                       line.rfind("rtreplay: played ", 0) == 0;
    if (!aside) complaints.push_back(line);
  }
  REQUIRE(complaints.size() == 1);
  CHECK_THAT(complaints[0], Catch::StartsWith("rtreplay: "));
  CHECK_THAT(complaints[0], Catch::Contains(name));
}

std::string with_version(std::string bytes, std::uint16_t major) {
  // H: frame head, tag, then the version; its hash is the last 8 bytes of the payload.
  const auto size = archive::load_le<std::uint32_t>(bytes.data() + 4);
  archive::store_le(bytes.data() + 16, major);
  const std::string_view payload(bytes.data() + 8, size - 8);
  archive::store_le(bytes.data() + 8 + size - 8, archive::hash_bytes(payload));
  return bytes;
}

}  // namespace

TEST_CASE(
    "damage: each verb says in one line what is wrong with a file, where, and ends with its "
    "status",
    "[damage]") {
  const Scratch scratch;
  write_sample(scratch / "sound.rtr");
  const std::string bytes = read_file(scratch / "sound.rtr");
  archive::Reader reader = archive::Reader::open(scratch / "sound.rtr").value();
  const auto block = static_cast<std::size_t>(reader.block(0).offset);
  std::string flipped = bytes;
  flipped[block + 200] = static_cast<char>(flipped[block + 200] ^ 1);
  struct Case {
    const char* name;
    std::string content;
    int status;
    const char* says;
  };
  const std::vector<Case> cases = {
      {"empty.rtr", "", 6, "empty"},
      {"foreign.rtr", "PK\x03\x04 an archive of another kind, long enough to look at", 2,
       "not a recording"},
      {"newer.rtr", with_version(bytes, 9), 2, "version 9.0"},
      {"head.rtr", bytes.substr(0, 40), 6, "offset 0"},
      {"truncated.rtr", bytes.substr(0, block + 150), 6, "offset"},
      {"flipped.rtr", flipped, 6, "offset"},
  };
  for (const Case& one : cases) {
    write_file(scratch / one.name, one.content);
    for (std::vector<std::string> words : verbs(scratch, scratch / one.name)) {
      words.insert(words.begin(), "rtreplay");
      INFO(one.name << " " << words[1]);
      const Outcome end = run(words);
      CHECK(end.status == one.status);
      check_one_line(end, one.name);
      CHECK_THAT(end.err, Catch::Contains(one.says));
      CHECK_FALSE(std::filesystem::exists(scratch / "out.rtr"));
    }
  }
}

TEST_CASE("damage: salvage makes a sound recording of what can be read, with a gap for the rest",
          "[damage]") {
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
  archive::Reader reader = archive::Reader::open(scratch / "a.rtr").value();
  std::string bytes = read_file(scratch / "a.rtr");
  const std::size_t middle = reader.block_count() / 2;
  const auto at = static_cast<std::size_t>(reader.block(middle).offset) + 150;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_file(scratch / "b.rtr", bytes);
  const Outcome made =
      run({"rtreplay", "cut", scratch / "b.rtr", "--recover", "salvage", "-o", scratch / "c.rtr"});
  INFO(made.err);
  REQUIRE(made.status == 0);
  CHECK(run({"rtreplay", "verify", scratch / "c.rtr"}).status == 0);
  const auto all = json_lines(run({"rtreplay", "cat", scratch / "a.rtr"}).out);
  const auto left = json_lines(run({"rtreplay", "cat", scratch / "c.rtr"}).out);
  CHECK(left.size() < all.size());
  CHECK(left.size() + reader.block(middle).rows + 3 > all.size());
  std::size_t gaps = 0;
  for (const json& line : left) {
    if (line.contains("type")) ++gaps;
    // What is there is what was there, at the same place.
    if (line.contains("op")) CHECK(std::find(all.begin(), all.end(), line) != all.end());
  }
  CHECK(gaps == 1);
}

TEST_CASE("damage: zstd accepts what was cut and repaired", "[damage]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  CHECK(std::system(("zstd -tq " + scratch / "a.rtr").c_str()) == 0);
}
