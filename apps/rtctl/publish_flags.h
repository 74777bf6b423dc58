// The flags that all verbs of `rtctl publish` share, and what they come to.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/http_flags.h"

namespace rt::rtctl {

// The ways to a stream.
enum class Via : std::uint8_t { http, notify, redis, insert };
std::string_view via_name(Via via);

struct PublishFlags {
  std::vector<std::string> data;  // a message each; "-": lines of standard input
  std::string via;
  std::string url;
  std::string dsn;
  std::string redis;
  std::string line_template;
  bool no_template = false;
  std::string rate;
  std::string count;
  std::string duration;
  std::string seed;
  std::string await;
  CLI::Option* await_option = nullptr;
  bool dry_run = false;
  bool tee = false;
  bool json = false;
  bool quiet = false;
  cli::HttpFlags http;

  bool awaits() const { return await_option != nullptr && await_option->count() > 0; }
};

// After the verb's own options. `vias`: those that the verb has, its default first.
void declare_publish(CLI::App* verb, PublishFlags& flags, const std::vector<Via>& vias);
// Data as the last words of the command line.
void declare_data(CLI::App* verb, PublishFlags& flags, const std::string& what);

struct PublishLimits {
  std::optional<double> rate;  // messages a second
  std::optional<std::uint64_t> count;
  std::optional<Duration> duration;
  std::optional<Duration> await;
  std::uint64_t seed = 0;  // drawn if not given
};
Result<PublishLimits> publish_limits(const PublishFlags& flags);

// --via, else by the address that was given, else the first. Code::usage names what is possible.
// insert_by_environment: RT_PG or DATABASE_URL chooses insert, if no address was given.
Result<Via> choose_via(const PublishFlags& flags, std::string_view verb,
                       const std::vector<Via>& vias, bool insert_by_environment);

// Where to: the flag, else the environment. A server's address has a default and takes a path.
std::string publish_url(const PublishFlags& flags, std::string_view path);
Result<std::string> publish_dsn(const PublishFlags& flags);
Result<std::string> publish_redis(const PublishFlags& flags);

}  // namespace rt::rtctl
