// The end of `rtctl serve` when something does not come back: it is named, and the process ends.
#include "rtctl/serve_ending.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>

using namespace rt;
using namespace rt::rtctl;
using namespace std::chrono_literals;

TEST_CASE("serve ending: what is over is waited for, what hangs is named", "[serve]") {
  std::promise<void> database;
  const std::shared_future<void> answer = database.get_future().share();
  Ending ending;
  CHECK(ending.wait(0s));
  ending.begin("events", [] {});
  CHECK(ending.wait(10s));
  ending.begin("jobs", [answer] { answer.wait(); });
  ending.begin("topics", [] {});
  CHECK_FALSE(ending.wait(50ms));
  CHECK(ending.unfinished() == "jobs");
  database.set_value();
  CHECK(ending.wait(10s));
  CHECK(ending.unfinished().empty());
}

TEST_CASE("serve ending: a process leaves while a step of it hangs", "[serve]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20);  // instead of hanging with it
    Ending ending;
    ending.begin("jobs", [] { ::pause(); });
    leave(ending.wait(10ms) ? 1 : 7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
