// The exit status of each kind of failure, and the one line that comes with it.
#include <catch2/catch.hpp>

#include "cli/verb_tree.h"
#include "integration/running_tool.h"

namespace rt::test {
namespace {

// A complaint: one line that begins with the tool's name, perhaps a hint, nothing on standard
// output.
void check_complaint(const Outcome& outcome, const std::string& tool, int status) {
  INFO("status " << outcome.status << ", standard error: " << outcome.err);
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  const std::size_t first = outcome.err.find(tool + ": ");
  REQUIRE(first != std::string::npos);
  const std::size_t end = outcome.err.find('\n', first);
  REQUIRE(end != std::string::npos);
  const std::string rest = outcome.err.substr(end + 1);
  CHECK((rest.empty() || rest.rfind("hint: ", 0) == 0));
}

TEST_CASE("cli: an unknown option is usage, with a suggestion", "[cli]") {
  for (const std::string& tool : kTools) {
    const Outcome outcome = run({tool, "--versoin"});
    check_complaint(outcome, tool, 2);
    CHECK(outcome.err.find("did you mean --version?") != std::string::npos);
  }
}

TEST_CASE("cli: an unknown verb is usage, with a suggestion", "[cli]") {
  for (const std::string& tool : kTools) {
    const Outcome outcome = run({tool, "code"});
    check_complaint(outcome, tool, 2);
    CHECK(outcome.err.find("did you mean codes?") != std::string::npos);
  }
}

TEST_CASE("cli: no verb at all is usage, and shows the help on standard error", "[cli]") {
  for (const std::string& tool : kTools) {
    const Outcome outcome = run({tool});
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("Usage: " + tool) != std::string::npos);
  }
}

TEST_CASE("cli: version and exit codes are answers, on standard output", "[cli]") {
  for (const std::string& tool : kTools) {
    const Outcome version = run({tool, "--version"});
    CHECK(version.status == 0);
    CHECK(version.out.rfind(tool + " 0.", 0) == 0);
    CHECK(version.err.empty());
    const Outcome codes = run({tool, "codes"});
    CHECK(codes.status == 0);
    CHECK(codes.out.find("\n7    measurement invalid") != std::string::npos);
  }
}

TEST_CASE("cli: a reader that closed the pipe is success, and silent", "[cli]") {
  for (const std::string& tool : kTools) {
    RunningTool codes({tool, "codes"}, {}, RunningTool::Output::closed);
    const Outcome outcome = codes.finish();
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
  }
}

}  // namespace
}  // namespace rt::test
