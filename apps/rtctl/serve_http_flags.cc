#include "rtctl/serve_http_flags.h"

#include <fmt/format.h>

#include <memory>

#include "base/units.h"
#include "server/cors.h"

namespace rt::rtctl {
namespace {

// Below the least a request may not be served at all; above the most, one client's requests are a
// noticeable part of the memory.
Result<std::size_t> size_between(const char* option, const std::string& text, std::size_t least,
                                 std::size_t most) {
  const std::uint64_t bytes = RT_TRY(parse_bytes(text));
  if (bytes >= least && bytes <= most) return static_cast<std::size_t>(bytes);
  return fail(Code::usage, fmt::format("{} must be from {} to {} bytes", option, least, most));
}

}  // namespace

void declare_http(CLI::App* verb, HttpServeFlags& flags) {
  const std::string group = "HTTP";
  verb->add_option("--request-timeout", flags.request_timeout,
                   "Time for a request to be complete; idle connections are closed after it")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--head-max", flags.head_max, "A request head may be this large")
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--body-max", flags.body_max, "A request body may be this large")
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--cors-origin", flags.cors_origins,
                   "Pages of this origin may read all answers, * for any; give it once for each")
      ->type_name("ORIGIN")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--access-log", flags.access_log,
                   "A line for each request, and a stream's begin and end; - is standard output")
      ->type_name("FILE")
      ->group(group);
}

Result<void> set_http(server::ServerOptions& options, const HttpServeFlags& flags,
                      std::string_view log_format) {
  options.request_time = RT_TRY(parse_duration(flags.request_timeout));
  if (options.request_time < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--request-timeout must be at least 100ms");
  }
  options.limits.head_bytes_max =
      RT_TRY(size_between("--head-max", flags.head_max, 1 << 10, 1 << 20));
  options.limits.body_bytes_max =
      RT_TRY(size_between("--body-max", flags.body_max, 1, std::size_t{64} << 20));
  if (!flags.cors_origins.empty()) {
    options.cors = std::make_shared<const server::CorsPolicy>(
        RT_TRY(server::CorsPolicy::parse(flags.cors_origins)));
  }
  if (!flags.access_log.empty()) {
    options.access_log =
        server::AccessLogOptions{.path = flags.access_log,
                                 .format = log_format == "json" ? server::AccessFormat::json
                                                                : server::AccessFormat::key_value};
  }
  return {};
}

}  // namespace rt::rtctl
