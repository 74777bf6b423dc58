// rtreplay diff and bisect.
#include "rtreplay/sample.h"
#include "rtreplay/stream_diff.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;
using rt::rtreplay::Change;
using rt::rtreplay::DiffJudge;
using rt::rtreplay::StreamDiff;

namespace {

// Letters as changes: an upper-case one is another content of the same thing.
StreamDiff judge(const std::string& a, const std::string& b, std::size_t window = 100) {
  DiffJudge found(DiffJudge::By::content, window);
  const auto take = [&](char c, int side, std::size_t at) {
    Change change;
    change.stream = "s";
    change.op = 'I';
    change.body_hash = static_cast<std::uint64_t>(c);
    change.key_hash = static_cast<std::uint64_t>(c) | 0x20;
    change.time_us = static_cast<std::int64_t>(at);
    found.take(change, side);
  };
  std::size_t x = 0;
  std::size_t y = 0;
  while (x < a.size() || y < b.size()) {
    const bool second = x == a.size() || (y < b.size() && found.waiting(1) < found.waiting(0));
    if (second)
      take(b[y], 1, y), ++y;
    else
      take(a[x], 0, x), ++x;
  }
  found.finish();
  const auto& streams = found.streams();
  return streams.empty() ? StreamDiff{} : streams.begin()->second;
}

using Counts = std::array<std::uint64_t, 4>;  // missing, extra, moved, changed

Outcome diff(const std::string& a, const std::string& b, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay", "diff", a, b};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

// Transactions first..last-1, one insert each, whose note is its number plus `offset`.
void write_notes(const std::string& path, int first, int last, int offset = 0,
                 archive::Origin where = origin(), int lsn_offset = 0) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, where, moment(clock)).value();
  for (int t = first; t < last; ++t) {
    const int at = t + lsn_offset;
    for (const std::string& body :
         {begin(commit_lsn(at), commit_time(at), 1), two_columns(1, "plain", 'd', false),
          change('I', 1, 'N' + tuple({std::to_string(t), std::to_string(t + offset)})),
          commit(commit_lsn(at), end_lsn(at), commit_time(at))}) {
      REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
    }
  }
  REQUIRE(writer.close(clock.now()));
}

}  // namespace

TEST_CASE("diff: missing, extra, moved and changed are told apart", "[diff]") {
  CHECK_FALSE(judge("abcdef", "abcdef").differs());
  CHECK(judge("abcdef", "abdef").counts == Counts{1, 0, 0, 0});
  CHECK(judge("abdef", "abcdef").counts == Counts{0, 1, 0, 0});
  CHECK(judge("abcdef", "abCdef").counts == Counts{0, 0, 0, 1});
  CHECK(judge("abcdef", "abdcef").counts == Counts{0, 0, 1, 0});
  CHECK(judge("abcdef", "fabcde").counts == Counts{0, 0, 1, 0});
  CHECK(judge("abcdef", "bcdefa").counts == Counts{0, 0, 1, 0});
  CHECK(judge("aaa", "aaaa").counts == Counts{0, 1, 0, 0});
  CHECK(judge("abc", "").counts == Counts{3, 0, 0, 0});
  CHECK(judge("", "xyz").counts == Counts{0, 3, 0, 0});
  CHECK(judge("abcdef", "xAbdce").counts == Counts{1, 1, 1, 1});
  const StreamDiff found = judge("abcdef", "abdef");
  CHECK(found.same == 5);
}

TEST_CASE("diff: the window bounds what waits, and every change is counted once", "[diff]") {
  std::string a;
  std::string b;
  for (int i = 0; i < 500; ++i) {
    a += static_cast<char>('a' + i % 26);
    b += static_cast<char>('a' + (i * 7) % 26);
  }
  for (const std::size_t window : {1u, 5u, 1000u}) {
    const StreamDiff found = judge(a, b, window);
    CHECK(found.same + found.counts[0] + found.counts[2] + found.counts[3] == a.size());
    CHECK(found.same + found.counts[1] + found.counts[2] + found.counts[3] == b.size());
  }
}

TEST_CASE("diff: recordings of one cluster are held together by position", "[diff]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  CHECK(diff(scratch / "a.rtr", scratch / "a.rtr").status == 0);
  REQUIRE(run({"rtreplay", "filter", scratch / "a.rtr", "--table", "plain", "-o",
               scratch / "plain.rtr"})
              .status == 0);
  const Outcome found = diff(scratch / "a.rtr", scratch / "plain.rtr", {"--json"});
  CHECK(found.status == 1);
  const json result = json::parse(found.out);
  CHECK(result["by"] == "position");
  CHECK(result["equal"] == false);
  for (const json& stream : result["streams"]) {
    const bool full = stream["stream"] == "public.full";
    CHECK(stream["missing"] == (full ? 3 : (stream["stream"] == "event delta" ? 1 : 0)));
    CHECK(stream["extra"] == 0);
    if (full) CHECK(stream["first"]["missing"] == Position{commit_lsn(1), 0}.text());
  }
  write_notes(scratch / "x.rtr", 0, 5);
  write_notes(scratch / "y.rtr", 0, 5, 1);
  const json changed = json::parse(diff(scratch / "x.rtr", scratch / "y.rtr", {"--json"}).out);
  CHECK(changed["streams"][0]["changed"] == 5);
  CHECK(changed["streams"][0]["first"]["changed"] == Position{commit_lsn(0), 0}.text());
}

TEST_CASE("diff: recordings of two clusters are held together by content, and the shift is said",
          "[diff]") {
  const Scratch scratch;
  archive::Origin other = origin();
  other.system_identifier = 99;
  write_notes(scratch / "a.rtr", 0, 20);
  write_notes(scratch / "b.rtr", 0, 20, 0, other, 100);
  const Outcome same = diff(scratch / "a.rtr", scratch / "b.rtr");
  CHECK(same.status == 0);
  CHECK_THAT(same.out, Catch::Contains("they are equal"));
  CHECK_THAT(same.out, Catch::Contains("B is +1s after A (first pair), +1s to +1s over 20 pairs") ||
                           Catch::Contains("+1.00s"));
  write_notes(scratch / "c.rtr", 1, 21, 0, other, 100);
  const json shifted = json::parse(diff(scratch / "a.rtr", scratch / "c.rtr", {"--json"}).out);
  CHECK(shifted["by"] == "content");
  CHECK(shifted["streams"][0]["missing"] == 1);
  CHECK(shifted["streams"][0]["extra"] == 1);
  CHECK(shifted["streams"][0]["moved"] == 0);
  CHECK(diff(scratch / "a.rtr", scratch / "c.rtr", {"--by", "luck"}).status == 2);
  CHECK(diff(scratch / "a.rtr", scratch / "gone.rtr").status == 2);
}

TEST_CASE("bisect: the first transaction with which the command fails is printed", "[bisect]") {
  const Scratch scratch;
  write_notes(scratch / "a.rtr", 0, 40);
  for (const int bad : {0, 1, 23, 39}) {
    const Outcome found = run({"rtreplay", "bisect", scratch / "a.rtr", "--", "sh", "-c",
                               "! grep -q '\"note\":\"" + std::to_string(bad) + "\"'"});
    INFO(found.err);
    CHECK(found.status == 0);
    const auto lines = json_lines(found.out);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["id"] == Position{commit_lsn(bad), 0}.text());
    CHECK(lines[0]["new"]["id"] == std::to_string(bad));
    CHECK_THAT(found.err, Catch::Contains("number " + std::to_string(bad + 1) + " of 40"));
  }
}

TEST_CASE("bisect: whole transactions, or single rows if asked", "[bisect]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const std::vector<std::string> command = {"--", "sh", "-c", "! grep -q '\"op\":\"U\"'"};
  const auto bisect = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"rtreplay", "bisect", scratch / "a.rtr"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), command.begin(), command.end());
    return run(words);
  };
  CHECK(json_lines(bisect({}).out).size() == 4);  // the transaction
  const Outcome row = bisect({"--rows"});
  REQUIRE(json_lines(row.out).size() == 1);
  CHECK(json_lines(row.out)[0]["id"] == Position{commit_lsn(0), 1}.text());
  CHECK_THAT(bisect({"--steps"}).err, Catch::Contains("passes") && Catch::Contains("fails"));
}

TEST_CASE("bisect: what never fails, always fails or cannot run is said so", "[bisect]") {
  const Scratch scratch;
  write_notes(scratch / "a.rtr", 0, 5);
  const auto with = [&](std::vector<std::string> command) {
    command.insert(command.begin(), {"rtreplay", "bisect", scratch / "a.rtr", "--"});
    return run(command);
  };
  CHECK(with({"true"}).status == 1);  // a command need not read
  CHECK_THAT(with({"true"}).err, Catch::Contains("never fails"));
  CHECK(with({"false"}).status == 2);
  CHECK_THAT(with({"false"}).err, Catch::Contains("fails without any row"));
  CHECK(with({"no-such-command"}).status == 2);
  CHECK(with({"sh", "-c", "exit 127"}).status == 2);
  CHECK(run({"rtreplay", "bisect", scratch / "a.rtr"}).status == 2);
  CHECK(run({"rtreplay", "bisect", scratch / "a.rtr", "--where", "id = 1", "--", "true"}).status ==
        2);
}

TEST_CASE("bisect: a condition finds the first row that meets it", "[bisect]") {
  const Scratch scratch;
  write_notes(scratch / "a.rtr", 0, 40);
  const Outcome found = run({"rtreplay", "bisect", scratch / "a.rtr", "--where", "note >= 17"});
  CHECK(found.status == 0);
  REQUIRE(json_lines(found.out).size() == 1);
  CHECK(json_lines(found.out)[0]["new"]["id"] == "17");
  CHECK(run({"rtreplay", "bisect", scratch / "a.rtr", "--where", "note > 99"}).status == 1);
}
