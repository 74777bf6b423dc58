// A transaction of a million rows costs no verb more than 64 MiB. Takes a minute:
//   build/dev/bin/test_rtreplay "[memory]"
#include <sys/resource.h>

#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;

namespace {

constexpr int kRows = 1'000'000;
constexpr int kRowsAhead = 150'000;  // more than verify --received may hold
constexpr long kKibMax = 64 * 1024;

// Highest resident memory of any child so far, KiB.
long children_peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

void write_large(const std::string& path, std::uint64_t system_identifier, int rows = kRows) {
  const ManualClock clock;
  archive::Origin where = origin();
  where.system_identifier = system_identifier;
  auto writer = archive::Writer::create(path, where, moment(clock)).value();
  const auto add = [&](const std::string& body) {
    REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
  };
  add(begin(commit_lsn(0), commit_time(0), 7));
  add(two_columns(1, "plain", 'd', false));
  for (int i = 0; i < rows; ++i) {
    add(change('I', 1,
               'N' + tuple({std::to_string(i), "a note of some forty bytes, and then some"})));
  }
  add(commit(commit_lsn(0), end_lsn(0), commit_time(0)));
  REQUIRE(writer.close(clock.now()));
}

// A subscriber that got the last row alone: all before it are looked at, and passed over.
std::string write_last_row(const std::string& path) {
  const nlohmann::json event = {
      {"v", 1},
      {"type", "event"},
      {"event", "insert"},
      {"id", Position{commit_lsn(0), static_cast<std::uint32_t>(kRowsAhead - 1)}.text()},
      {"data", "{}"}};
  write_file(path, event.dump() + "\n");
  return path;
}

}  // namespace

TEST_CASE("memory: no verb needs more than 64 MiB for a transaction of a million rows",
          "[.long][memory]") {
  const Scratch scratch;
  write_large(scratch / "a.rtr", 7);
  write_large(scratch / "b.rtr", 8);
  write_large(scratch / "ahead.rtr", 7, kRowsAhead);
  const std::string a = scratch / "a.rtr";
  const std::vector<std::vector<std::string>> verbs = {
      {"info", a},
      {"verify", a},
      {"cut", a, "-q", "-o", scratch / "cut.rtr"},
      {"filter", a, "--where", "id ~ 7", "-q", "-o", scratch / "filtered.rtr"},
      {"merge", a, scratch / "filtered.rtr", "-q", "-o", scratch / "merged.rtr"},
      {"convert", a, "--as", "ndjson", "-o", scratch / "a.ndjson"},
      {"convert", a, "--as", "wal2json", "-o", scratch / "a.wal2json"},
      {"convert", a, "--as", "debezium", "-o", scratch / "a.debezium"},
      {"diff", a, scratch / "cut.rtr"},
      {"diff", a, scratch / "b.rtr"},
      {"diff", a, scratch / "filtered.rtr", "--by", "content"},
      {"bisect", a, "--where", "id = 999999"},
      {"play", a, "--to", "null", "--speed", "max", "-q"},
      {"verify", scratch / "ahead.rtr", "--received", write_last_row(scratch / "log"), "--as",
       "rows"},
  };
  const auto check = [](std::vector<std::string> words) {
    words.insert(words.begin(), "rtreplay");
    const Outcome end = run(words);
    INFO(words[1] << ": " << end.err);
    const bool judges = words.size() > 3 && words[3] == "--received";  // it lacks all rows but one
    CHECK((end.status <= 1 || (judges && end.status == 6)));
    const long peak = children_peak_kib();
    CHECK(peak <= kKibMax);
    std::printf("%-10s %ld KiB\n", words[1].c_str(), peak);
  };
  for (const auto& words : verbs) check(words);
  // Reading lines is slow in a build for debugging: a part of the transaction is enough to see.
  std::ifstream all(scratch / "a.ndjson");
  std::ofstream part(scratch / "part.ndjson");
  std::string line;
  for (int i = 0; i < kRows / 10 && std::getline(all, line); ++i) part << line << '\n';
  part.close();
  check({"convert", scratch / "part.ndjson", "-q", "-o", scratch / "back.rtr"});
}
