// rtbench plan and selftest as processes: what a run takes, said before it starts.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "integration/child_process.h"
#include "integration/running_tool.h"

namespace {

using nlohmann::json;

// A shell line with the tools' folder as $BIN; its status and both outputs.
struct Said {
  int status = -1;
  std::string text;
};
Said shell(const std::string& line) {
  const std::string folder = rt::test::make_folder("bench-plan");
  const std::string out = folder + "/out";
  const std::string script = "BIN=" RT_BINARY_DIR "/bin; { " + line + "; } > " + out + " 2>&1";
  const pid_t pid = rt::test::launch({"/bin/sh", "-c", script}, folder + "/err");
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  Said said{WIFEXITED(status) ? WEXITSTATUS(status) : -1, rt::test::read_text(out)};
  std::filesystem::remove_all(folder);
  return said;
}

}  // namespace

TEST_CASE("bench plan: what fits is listed, and exits 0", "[bench_plan]") {
  const Said said = shell("$BIN/rtbench plan preset:runs");
  CHECK(said.status == 0);
  CHECK_THAT(said.text, Catch::StartsWith("runs: 1 000 subscribers, in 1 thread"));
  for (const char* item : {"descriptors", "open files", "ports", "memory", "accept queue"}) {
    CHECK_THAT(said.text, Catch::Contains(item));
  }
  CHECK_THAT(said.text, Catch::EndsWith("enough for this run\n"));
}

TEST_CASE("bench plan: what is short has the command that mends it: exit 5, and run does not begin",
          "[bench_plan]") {
  const Said plan = shell("ulimit -n 100; $BIN/rtbench plan preset:runs --json");
  CHECK(plan.status == 5);
  const json report = json::parse(plan.text, nullptr, false);
  REQUIRE(report.is_object());
  CHECK(report.at("enough") == false);
  CHECK(report.at("items").at(0).at("name") == "descriptors");
  CHECK(report.at("items").at(0).at("fix").get<std::string>().rfind("sudo prlimit", 0) == 0);
  const Said run =
      shell("ulimit -n 100; $BIN/rtbench run preset:raw --no-selftest --set load.connections=1k");
  CHECK(run.status == 5);
  CHECK_THAT(run.text, Catch::StartsWith("rtbench: not enough descriptors"));
  CHECK_THAT(run.text, Catch::Contains("sudo prlimit"));
}

TEST_CASE("bench selftest: prints the floor of this machine", "[bench_plan]") {
  const Said said = shell("$BIN/rtbench selftest --duration 300ms --json");
  CHECK(said.status == 0);
  const json floor = json::parse(said.text, nullptr, false);
  REQUIRE(floor.is_object());
  CHECK(floor.at("p50").get<double>() > 0);
  CHECK(floor.at("events_per_s").get<double>() > 1'000);
}
