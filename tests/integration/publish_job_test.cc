// rtctl publish job --via insert, on schemas that the real pg-boss has made; and pg-boss fetches
// what was sent. npm installs the two pinned versions into the build folder, once.
#include <sys/file.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "pg/listen.h"

namespace rt::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kScripts = std::string(RT_SOURCE_DIR) + "/tests/integration/pgboss";

struct Ended {
  int status = -1;
  std::string text;  // both streams
};

Ended shell(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ended ended;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    ended.text.append(buffer, n);
  }
  ended.status = ::pclose(pipe);
  return ended;
}

// The folder in which this version of pg-boss is installed; empty, and said so, where npm or its
// registry is not at hand: Debian 12 has no Node.js that pg-boss 12 takes.
std::string installed(const std::string& version) {
  const std::string folder = std::string(RT_BINARY_DIR) + "/pgboss/" + version;
  fs::create_directories(folder);
  const Fd lock(::open((folder + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  if (fs::exists(folder + "/node_modules/pg-boss/package.json")) return folder;
  fs::copy_file(kScripts + "/" + version + ".json", folder + "/package.json",
                fs::copy_options::overwrite_existing);
  const Ended npm = shell("cd '" + folder +
                          "' && timeout 150 npm install --no-audit --no-fund --no-package-lock "
                          "--loglevel=error");
  if (npm.status == 0) return folder;
  WARN("NOT TESTED: pg-boss cannot be installed by npm: " << npm.text);
  fs::remove_all(folder + "/node_modules");
  return {};
}

// A database in which pg-boss has made its schema and these queues.
struct Boss {
  PrivatePostgres postgres;
  std::string folder;
  std::string schema;

  Boss(std::string installed_in, std::string named, const std::string& queues)
      : folder(std::move(installed_in)), schema(std::move(named)) {
    node(queues);
  }
  std::string node(const std::string& queues) const {
    const Ended ended = shell("node '" + kScripts + "/create.mjs' '" + folder +
                              "' postgres://postgres@127.0.0.1:" + std::to_string(postgres.port()) +
                              "/postgres " + schema + " " + queues);
    INFO(queues << ": " << ended.text);
    REQUIRE(ended.status == 0);
    return ended.text;
  }
  Outcome send(std::vector<std::string> words) const {
    words.insert(words.begin(), {"rtctl", "pub", "job"});
    words.insert(words.end(), {"--pg", postgres.dsn(), "--schema", schema});
    return run(words);
  }
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

TEST_CASE("publish job: pg-boss fetches what was inserted, and its queue's settings hold",
          "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  const Outcome sent = boss.send({"mail", R"({"to": "a", "n": [1]})"});
  INFO(sent.err);
  REQUIRE(sent.status == 0);
  const std::string id = first_line(sent.out);
  CHECK(sent.out == id + "\n");
  CHECK(id.size() == 36);
  const std::string row =
      "select retry_limit || ' ' || retry_backoff || ' ' || policy || ' ' || "
      "greatest(retry_delay, 1) || ' ' || state from pgboss.job";
  CHECK(boss.postgres.value(row) == "7 true standard 1 created");
  const json job = json::parse(first_line(boss.node("mail=fetch")));
  CHECK(job["id"] == id);
  CHECK(job["data"] == json::parse(R"({"to":"a","n":[1]})"));
}

TEST_CASE("publish job: the policy of the queue is kept, a job to come waits", "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed(version);
  if (folder.empty()) return;
  const Boss boss(folder, "my_boss", "one=short later=standard");
  CHECK(boss.send({"one", "1"}).status == 0);
  const Outcome refused = boss.send({"one", "2"});
  CHECK(refused.status == 1);
  CHECK(refused.out == "");
  CHECK(refused.err.find("policy") != std::string::npos);
  CHECK(boss.send({"later", "3", "--start-after", "1h", "--priority", "5"}).status == 0);
  CHECK(boss.send({"later", "4", "--start-after", "2099-01-02T03:04:05Z"}).status == 0);
  const std::string at =
      "select string_agg((start_after > now() + interval '59 minutes') || ':' || "
      "priority, ',' order by priority) from my_boss.job where name = 'later'";
  CHECK(boss.postgres.value(at) == "true:0,true:5");
  CHECK(boss.postgres.value("select bool_and(keep_until > start_after) from my_boss.job") == "t");
  CHECK(boss.node("later=fetch") == "");
}

TEST_CASE("publish job: no queue, no pg-boss and an unknown version are refused", "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  const Outcome nowhere = boss.send({"nothing", "{}"});
  CHECK(nowhere.status == 4);
  CHECK(nowhere.err.find("there is no such queue") != std::string::npos);
  const Outcome absent = run(
      {"rtctl", "pub", "job", "mail", "{}", "--pg", boss.postgres.dsn(), "--schema", "elsewhere"});
  CHECK(absent.status == 4);
  CHECK(absent.err.find("it is not installed") != std::string::npos);
  CHECK(boss.send({"mail", "{"}).status == 2);
  for (const char* unknown : {"25", "30", "47"}) {
    boss.postgres.exec(std::string("update pgboss.version set version = ") + unknown);
    const Outcome newer = boss.send({"mail", "{}"});
    CHECK(newer.status == 4);
    CHECK(newer.err.find(std::string("does not write its version ") + unknown) !=
          std::string::npos);
  }
  CHECK(boss.postgres.value("select count(*) from pgboss.job") == "0");
}

TEST_CASE("publish job: a queue that notifies wakes a listener, once a runnable job",
          "[publish_job]") {
  const std::string folder = installed("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  boss.postgres.exec("update pgboss.queue set notify = true");
  auto listen = Listen::start(boss.postgres.dsn(), {"pgboss_454650302e472074f72063fd"}, {});
  REQUIRE(listen);
  CHECK(boss.send({"mail", "1", "--start-after", "1h"}).status == 0);
  CHECK(boss.send({"mail", "2"}).status == 0);
  CHECK(boss.postgres.value("select pg_notify('pgboss_454650302e472074f72063fd', 'last')") == "");
  std::vector<std::string> heard;
  while (heard.empty() || heard.back() != "last") {
    if (const auto notification = listen->next()) {
      heard.emplace_back(notification->payload);
    } else {
      REQUIRE(listen->wait());
    }
  }
  CHECK(heard == std::vector<std::string>{"mail", "last"});
}

}  // namespace
}  // namespace rt::test
