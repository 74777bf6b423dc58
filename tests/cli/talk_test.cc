// What all verbs take beside their own options: --verbose, --log-file, --no-color.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "integration/running_tool.h"

namespace rt::test {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct LogFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("rt-log-" + std::to_string(::getpid()) + ".log"))
          .string();
  ~LogFile() {
    std::filesystem::remove(path);
    std::filesystem::remove(path + ".1");
  }
};

std::string url_in(const std::string& text) {
  const std::size_t at = text.find("url=") + 4;
  return text.substr(at, text.find(' ', at) - at);
}

TEST_CASE("cli: --verbose says who answered, before the verb as behind it", "[cli][talk]") {
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0"});
  REQUIRE(server.wait_for("rtctl: serving"));
  const std::string url = url_in(server.error_text());
  const std::vector<std::string> quiet = {"rtctl", "pub",   "topic", "t",
                                          "1",     "--url", url,     "--quiet"};
  CHECK(run(quiet).err.find("http answer") == std::string::npos);
  for (const auto place : {quiet.begin() + 1, quiet.end()}) {
    std::vector<std::string> words = quiet;
    words.insert(words.begin() + (place - quiet.begin()), "-v");
    const Outcome outcome = run(words);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.find("level=debug msg=\"http answer\" url=" + url) != std::string::npos);
    CHECK(outcome.err.find("status=200") != std::string::npos);
  }
}

TEST_CASE("cli: --log-file takes the log, and SIGHUP begins a new one", "[cli][talk]") {
  const LogFile log;
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--log-file", log.path});
  REQUIRE(server.wait_for("rtctl: serving"));
  CHECK(content(log.path).find("msg=listening") != std::string::npos);
  CHECK(server.error_text().find("msg=listening") == std::string::npos);
  std::filesystem::rename(log.path, log.path + ".1");
  server.signal(SIGHUP);
  for (int looks = 0; looks < 2000 && !std::filesystem::exists(log.path); ++looks) {
    ::poll(nullptr, 0, 5);
  }
  CHECK(std::filesystem::exists(log.path));
  server.signal(SIGTERM);
  CHECK(server.finish().status == 0);
  const Outcome refused = run({"rtctl", "serve", "--log-file", "/nonexistent/log"});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("cannot write log file /nonexistent/log") != std::string::npos);
}

TEST_CASE("cli: --no-color wins over FORCE_COLOR", "[cli][talk]") {
  const RunningTool::Environment forced = {{"FORCE_COLOR", "1"}};
  const std::vector<std::string> words = {"rtctl", "doctor", "--only", "machine"};
  std::vector<std::string> plain = words;
  plain.push_back("--no-color");
  CHECK(run(words, "", forced).out.find('\x1b') != std::string::npos);
  CHECK(run(plain, "", forced).out.find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace rt::test
