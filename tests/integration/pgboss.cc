#include "integration/pgboss.h"

#include <sys/file.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "integration/child_process.h"
#include "integration/patience.h"

namespace rt::test {
namespace {

namespace fs = std::filesystem;

const std::string kScripts = std::string(RT_SOURCE_DIR) + "/tests/integration/pgboss";

std::string url(const PrivatePostgres& postgres) {
  return "postgres://postgres@127.0.0.1:" + std::to_string(postgres.port()) + "/postgres";
}

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

}  // namespace

std::string installed_pgboss(const std::string& version) {
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

BossWorker::BossWorker(const std::string& folder, const PrivatePostgres& postgres,
                       const std::string& plan)
    : log_path_(make_folder("worker") + "/log") {
  pid_ =
      launch({"node", kScripts + "/worker.mjs", folder, url(postgres), "pgboss", plan}, log_path_);
  const bool ready = eventually(std::chrono::seconds(30),
                                [this] { return log().find("ready\n") != std::string::npos; });
  INFO(log());
  REQUIRE(ready);
}

BossWorker::~BossWorker() {
  kill_child(pid_);
}

std::string BossWorker::log() const {
  return read_text(log_path_);
}

Boss::Boss(std::string installed_in, std::string named, const std::string& queues)
    : folder(std::move(installed_in)), schema(std::move(named)) {
  node(queues);
}

std::string Boss::node(const std::string& queues) const {
  const Ended ended = shell("node '" + kScripts + "/create.mjs' '" + folder + "' " + url(postgres) +
                            " " + schema + " " + queues);
  INFO(queues << ": " << ended.text);
  REQUIRE(ended.status == 0);
  return ended.text;
}

Outcome Boss::jobs(std::vector<std::string> words) const {
  words.insert(words.begin(), {"rtctl", "jobs"});
  words.insert(words.end(), {"--pg", postgres.dsn(), "--schema", schema});
  return run(words);
}

Outcome Boss::send(std::vector<std::string> words) const {
  words.insert(words.begin(), {"rtctl", "pub", "job"});
  words.insert(words.end(), {"--pg", postgres.dsn(), "--schema", schema});
  return run(words);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace rt::test
