#include "rtctl/serve_io.h"

#include <algorithm>

#include "base/units.h"

namespace rt::rtctl {

void declare_io(CLI::App* verb, IoFlags& flags) {
  const std::string group = "Threads and sockets";
  verb->add_option("--connections-max", flags.connections_max,
                   "Sockets at once; sets the number of I/O threads, with the descriptor limit")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--http2-streams", flags.http2_streams,
                   "Streams at once on one HTTP/2 connection, which is one socket")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{65'536}))
      ->capture_default_str()
      ->group(group);
  verb->add_option("--streams-max", flags.streams_max,
                   "Streams at once on all such connections; 0: four times --connections-max")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--health-listen", flags.health_listen,
                   "Health on a port of its own, in the clear; --listen then answers 404 for it")
      ->type_name("ADDR:PORT")
      ->group(group);
  verb->add_option("--fanout-shards", flags.fanout_shards,
                   "I/O threads, at most 64; 0: as many as processors and connections need")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1024}))
      ->capture_default_str()
      ->group(group);
  verb->add_option("--sse-buffer", flags.sse_buffer,
                   "Unsent bytes of a subscriber that the kernel may hold, before its backlog")
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(group);
}

Result<void> set_io(server::ServerOptions& options, const IoFlags& flags,
                    const std::string& topics_health_path) {
  if (!flags.health_listen.empty()) {
    options.health_listen = RT_TRY(io::parse_address(flags.health_listen));
  }
  const auto known =
      std::find(options.health_paths.begin(), options.health_paths.end(), topics_health_path);
  if (known == options.health_paths.end()) options.health_paths.push_back(topics_health_path);
  options.connections_max = RT_TRY(parse_count(flags.connections_max));
  options.http2_streams_max = flags.http2_streams;
  options.streams_max = RT_TRY(parse_count(flags.streams_max));
  // Each has its place in a table, of which the unused part costs addresses only.
  constexpr std::size_t kStreamsMost = 10'000'000;
  if (options.streams_max > kStreamsMost) {
    return fail(Code::usage, "--streams-max must be at most 10M");
  }
  options.shards = flags.fanout_shards;
  // Less than a frame or two has the server called for every frame; more is memory that a slow
  // client takes before the server sees that it is slow.
  constexpr std::uint64_t kLeast = 4 << 10;
  constexpr std::uint64_t kMost = 4 << 20;
  const std::uint64_t buffer = RT_TRY(parse_bytes(flags.sse_buffer));
  if (buffer < kLeast || buffer > kMost) {
    return fail(Code::usage, "--sse-buffer lies between 4KiB and 4MiB");
  }
  options.unsent_bytes_max = static_cast<std::size_t>(buffer);
  return {};
}

}  // namespace rt::rtctl
