#include "redis/address.h"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "base/text.h"
#include "proto/percent.h"

namespace rt {
namespace {

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Code::usage, fmt::format("cannot read the Redis URL: {}", what),
              "write redis://[user:password@]host:6379/0 or unix:///path/to/socket");
}

// Takes what follows the last `mark` off the end of text; nothing if there is no mark.
std::optional<std::string_view> take_after_last(std::string_view& text, char mark) {
  const std::size_t at = text.rfind(mark);
  if (at == text.npos) return std::nullopt;
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

Result<void> set_database(RedisAddress& address, std::string_view text) {
  const auto number = parse_decimal(text);
  // Redis counts its databases in an int.
  if (!number || *number > std::numeric_limits<std::int32_t>::max()) {
    return malformed("the database is not a number");
  }
  address.database = static_cast<std::uint32_t>(*number);
  return {};
}

Result<void> set_credentials(RedisAddress& address, std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decode(text.substr(0, colon));
  const auto password =
      percent_decode(colon == text.npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return malformed("user or password have a bad %-escape");
  address.user = *user;
  address.password = *password;
  return {};
}

Result<void> set_host(RedisAddress& address, std::string_view text) {
  const bool is_ipv6 = text.starts_with('[');
  std::string_view port = "6379";
  const std::size_t bracket = text.find(']');
  if (is_ipv6 && bracket == text.npos) return malformed("\"[\" without \"]\"");
  const std::size_t colon = text.find(':', is_ipv6 ? bracket : 0);
  if (colon != text.npos) {
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  if (is_ipv6) text = text.substr(1, bracket - 1);
  const auto number = parse_decimal(port);
  if (!number || *number == 0 || *number > 65535) return malformed("the port is not 1 to 65535");
  if (!text.empty()) address.host = text;
  address.port = static_cast<std::uint16_t>(*number);
  return {};
}

Result<RedisAddress> parse_unix(std::string_view rest) {
  RedisAddress address;
  constexpr std::string_view kDatabase = "?db=";
  if (const std::size_t at = rest.find(kDatabase); at != rest.npos) {
    RT_CHECKED(set_database(address, rest.substr(at + kDatabase.size())));
    rest = rest.substr(0, at);
  }
  // A path may hold an '@' too.
  if (const std::size_t at = rest.find("@/"); at != rest.npos && !rest.starts_with('/')) {
    RT_CHECKED(set_credentials(address, rest.substr(0, at)));
    rest.remove_prefix(at + 1);
  }
  if (!rest.starts_with('/')) return malformed("a socket needs its whole path: unix:///path");
  address.unix_path = rest;
  return address;
}

}  // namespace

std::string RedisAddress::text() const {
  if (!unix_path.empty()) return fmt::format("{}/{}", unix_path, database);
  const bool is_ipv6 = host.find(':') != host.npos;
  return fmt::format("{}{}{}:{}/{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port, database);
}

Result<RedisAddress> parse_redis_url(std::string_view url) {
  constexpr std::string_view kScheme = "redis://";
  constexpr std::string_view kUnix = "unix://";
  if (url.starts_with(kUnix)) return parse_unix(url.substr(kUnix.size()));
  if (url.starts_with("rediss://")) {
    return fail(Code::usage, "cannot read the Redis URL: this build has no TLS for Redis",
                "tunnel it (stunnel, ssh -L) and name the tunnel's end with redis://");
  }
  if (url.starts_with(kScheme)) {
    url.remove_prefix(kScheme.size());
  } else if (url.find("://") != url.npos) {
    return malformed("its scheme is neither redis nor unix");
  }
  if (url.empty()) return malformed("it names no host");
  RedisAddress address;
  // From the end: a password may hold any character but a bare '/' or '@'.
  const std::size_t at = url.rfind('@');
  if (at != url.npos) {
    RT_CHECKED(set_credentials(address, url.substr(0, at)));
    url.remove_prefix(at + 1);
  }
  if (const auto database = take_after_last(url, '/'); database && !database->empty()) {
    RT_CHECKED(set_database(address, *database));
  }
  RT_CHECKED(set_host(address, url));
  return address;
}

}  // namespace rt
