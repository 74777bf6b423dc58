// rtreplay play on a terminal: keys steer it, and the terminal is what it was afterwards.
#include "integration/on_terminal.h"
#include "integration/patience.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using namespace std::chrono_literals;

namespace {

std::string id(int transaction, std::uint32_t row = 0) {
  return Position{commit_lsn(transaction), row}.text();
}

std::vector<std::string> play_words(const std::string& archive,
                                    std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay", "play", archive, "--to", "stdout"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("play on a terminal: pause, steps, a seek, speed and quit", "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  OnTerminal play(play_words(scratch / "a.rtr"));
  REQUIRE(play.wait_for("playing 1x | 0.0 of 32400.0 s, 32400.0 s left"));
  CHECK_FALSE(play.is_line_by_line());
  REQUIRE(play.wait_for(id(0, 1)));
  play.press(" ");
  REQUIRE(play.wait_for("paused 1x"));
  play.press("s");
  REQUIRE(play.wait_for(id(1, 1)));
  CHECK(play.seen.find(id(2)) == std::string::npos);
  play.press("r");
  REQUIRE(play.wait_for(id(2)));
  CHECK(play.seen.find("2b") == std::string::npos);
  play.press("r");
  REQUIRE(play.wait_for("2b"));
  play.press("g0/1000\n");
  REQUIRE(play.wait_for("that place lies behind: a replay goes forward only"));
  play.press("g" + id(7));
  REQUIRE(play.wait_for("go to (id, LSN or time): " + id(7)));
  play.press("\rs");
  REQUIRE(play.wait_for(id(7, 1)));
  CHECK(play.seen.find(id(4)) == std::string::npos);
  play.press("++");
  REQUIRE(play.wait_for("paused 4x"));
  play.press("?");
  REQUIRE(play.wait_for("twice as fast"));
  play.press("q");
  CHECK(play.finish() == 0);
  CHECK_THAT(play.seen, Catch::Contains("played 8 rows in 4 transactions"));
}

TEST_CASE("play on a terminal: a break pauses before its row, and goes on when asked",
          "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  OnTerminal play(play_words(
      scratch / "a.rtr", {"--speed", "max", "--break", "orders.note = failed", "--break", id(8)}));
  REQUIRE(play.wait_for("break before " + id(5)));
  CHECK(play.seen.find(id(5, 1)) == std::string::npos);
  play.press(" ");
  REQUIRE(play.wait_for("break before " + id(8)));
  play.press(" ");
  CHECK(play.finish() == 0);
  CHECK_THAT(play.seen, Catch::Contains("played 20 rows"));
}

TEST_CASE("play: where there are no keys a break is the end, and a row can be the last",
          "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  const auto rows = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--speed", "max"});
    const Outcome end = run(play_words(scratch / "a.rtr", more));
    CHECK(end.status == 0);
    if (more.front() == "--break") CHECK_THAT(end.err, Catch::Contains("ended before " + id(5)));
    return json_lines(end.out).size();
  };
  CHECK(rows({"--break", "orders.note = failed"}) == 10);
  CHECK(rows({"--break", id(5)}) == 10);
  CHECK(rows({"--until", "note = 'failed'"}) == 12);
  CHECK(rows({"--until", "other.note = failed"}) == 20);
  CHECK(run(play_words(scratch / "a.rtr", {"--break", "soon"})).status == 2);
}

TEST_CASE("play on a terminal: however it ends, the terminal is what it was", "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  const auto ended_by = [&](int signal) {
    OnTerminal play(play_words(scratch / "a.rtr"));
    REQUIRE(play.wait_for("playing"));
    CHECK_FALSE(play.is_line_by_line());
    ::kill(play.pid, signal);
    const int status = play.finish();
    CHECK(play.is_line_by_line());
    return status;
  };
  CHECK(ended_by(SIGINT) == 130);
  CHECK(ended_by(SIGTERM) == 143);
  CHECK(ended_by(SIGHUP) == 128 + SIGHUP);
  CHECK(ended_by(SIGQUIT) == 128 + SIGQUIT);
}

TEST_CASE("play on a terminal: Ctrl-Z gives the terminal back, and going on takes it again",
          "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  OnTerminal play(play_words(scratch / "a.rtr"));
  REQUIRE(play.wait_for("playing"));
  REQUIRE(play.wait_for(id(0, 1)));
  play.press("\x1a");
  int status = 0;
  REQUIRE(::waitpid(play.pid, &status, WUNTRACED) == play.pid);
  REQUIRE(WIFSTOPPED(status));
  CHECK(play.is_line_by_line());
  ::kill(play.pid, SIGCONT);
  CHECK(eventually(10s, [&] { return !play.is_line_by_line(); }));
  play.press("s");
  REQUIRE(play.wait_for(id(1)));
  play.press("q");
  CHECK(play.finish() == 0);
  CHECK(play.is_line_by_line());
}

TEST_CASE("play on a terminal: --no-keys and -q leave the terminal alone", "[rtreplay]") {
  const Scratch scratch;
  write_hours(scratch / "a.rtr");
  for (const char* flag : {"--no-keys", "-q"}) {
    OnTerminal play(play_words(scratch / "a.rtr", {flag}));
    REQUIRE(play.wait_for(id(0)));
    CHECK(play.is_line_by_line());
    ::kill(play.pid, SIGINT);
    CHECK(play.finish() == 130);
  }
}
