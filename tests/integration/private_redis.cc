#include "integration/private_redis.h"

#include <fmt/format.h>

#include <filesystem>

#include "integration/child_process.h"
#include "integration/patience.h"

namespace rt::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

}  // namespace

PrivateRedis::PrivateRedis(std::vector<std::string> more)
    : more_(std::move(more)), folder_(make_folder("redis")), port_(free_port()) {
  start();
}

PrivateRedis::~PrivateRedis() {
  if (pid_ > 0) kill_9();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PrivateRedis::url() const {
  return fmt::format("redis://127.0.0.1:{}", port_);
}

std::string PrivateRedis::unix_url() const {
  return fmt::format("unix://{}/socket", folder_);
}

void PrivateRedis::start() {
  std::vector<std::string> command{"redis-server",
                                   "--bind",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(port_),
                                   "--unixsocket",
                                   folder_ + "/socket",
                                   "--dir",
                                   folder_,
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no"};
  command.insert(command.end(), more_.begin(), more_.end());
  const std::string log = folder_ + "/log";
  std::error_code ignored;
  fs::remove(log, ignored);
  pid_ = launch(command, log);
  if (pid_ < 0) give_up("cannot fork");
  // Not asked over a connection: it may want a password.
  const bool ready = eventually(30s, [&] {
    return read_text(log).find("The server is now ready to accept connections at") !=
           std::string::npos;
  });
  if (!ready) give_up("redis-server does not start: " + read_text(log));
}

void PrivateRedis::kill_9() {
  kill_child(pid_);
  pid_ = 0;
}

void PrivateRedis::freeze() {
  ::kill(pid_, SIGSTOP);
}

RedisConnection PrivateRedis::connect() const {
  const auto address = parse_redis_url(url());
  auto connection = RedisConnection::connect(*address);
  if (!connection) give_up(connection.error().text);
  return std::move(*connection);
}

RedisReply PrivateRedis::command(const std::vector<std::string_view>& words) const {
  auto reply = connect().command(words, "test command");
  if (!reply) give_up(reply.error().text);
  return std::move(*reply);
}

}  // namespace rt::test
