#include "rtctl/doctor_redis.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "redis/connection.h"

namespace rt::rtctl {
namespace {

// The value of one line of INFO, "redis_version:7.0.15".
std::string info_value(std::string_view info, std::string_view name) {
  for (const std::string_view line : split(info, '\n')) {
    const std::string_view text = trim(line);
    if (text.substr(0, name.size()) == name && text.substr(name.size(), 1) == ":") {
      return std::string(text.substr(name.size() + 1));
    }
  }
  return {};
}

// Managed services forbid CONFIG: then nothing.
std::optional<std::string> config_value(RedisConnection& redis, const std::string& name) {
  const auto reply = redis.command({"CONFIG", "GET", name}, "cannot read " + name);
  if (!reply || reply->items.size() != 2) return std::nullopt;
  return reply->items[1].text;
}

// The limit of the class "pubsub" among "normal 0 0 0 slave .. pubsub 33554432 8388608 60".
std::optional<std::string> pubsub_part(const std::optional<std::string>& limits) {
  if (!limits) return std::nullopt;
  const std::size_t at = limits->find("pubsub ");
  return at == std::string::npos ? std::nullopt : std::optional(limits->substr(at + 7));
}

}  // namespace

Finding judge_redis_connect(const RedisFacts& facts) {
  if (!facts.failure) {
    return found_ok(fmt::format("{}, PING in {}", facts.endpoint, format_duration(facts.ping)));
  }
  const std::string& hint = facts.failure->hint;
  return found_fail(facts.failure->text,
                    hint.empty() ? "check the URL: redis-cli -u \"$RT_REDIS\" ping" : hint);
}

Finding judge_redis_version(const RedisFacts& facts) {
  const auto major = parse_decimal(facts.version.substr(0, facts.version.find('.')));
  if (!major) return found_skipped("the server does not say its version");
  if (*major < 6) return found_warn("Redis " + facts.version, "use Redis 6 or later");
  return found_ok("Redis " + facts.version);
}

Finding judge_redis_output(const RedisFacts& facts) {
  if (!facts.pubsub_limit) return found_skipped("CONFIG is not allowed here");
  const auto hard = parse_decimal(split(*facts.pubsub_limit, ' ').front());
  if (!hard) return found_skipped("odd limit: " + *facts.pubsub_limit);
  constexpr const char* kFix =
      "CONFIG SET client-output-buffer-limit 'pubsub 32mb 8mb 60'; then CONFIG REWRITE";
  if (*hard == 0) {
    return found_warn("a subscriber that does not read takes memory without limit", kFix);
  }
  const std::string text =
      fmt::format("a slow subscriber is cut off at {}", format_bytes(static_cast<double>(*hard)));
  constexpr std::uint64_t kSmall = 1 << 20;  // one large message and a breath
  if (*hard < kSmall) return found_warn(text + ": a burst loses messages", kFix);
  return found_ok(text);
}

Finding judge_redis_memory(const RedisFacts& facts) {
  if (!facts.policy) return found_skipped("CONFIG is not allowed here");
  if (facts.memory_max == 0) return found_ok("no memory limit");
  const double full =
      static_cast<double>(facts.memory_used) / static_cast<double>(facts.memory_max);
  const std::string text =
      fmt::format("{:.0f} % of {} used, {}", full * 100,
                  format_bytes(static_cast<double>(facts.memory_max)), *facts.policy);
  if (full > 0.9) return found_fail(text, "raise it: CONFIG SET maxmemory 4gb");
  if (facts.policy->rfind("allkeys-", 0) == 0) {
    return found_warn(text + ": streams and queues are evicted too",
                      "CONFIG SET maxmemory-policy noeviction (or volatile-lru)");
  }
  return found_ok(text);
}

Result<RedisFacts> measure_redis(const std::string& url) {
  RedisFacts facts;
  const RedisAddress address = RT_TRY(parse_redis_url(url));
  auto connected = RedisConnection::connect(address, {.client_name = "rtctl-doctor"});
  if (!connected) {
    facts.failure = connected.error();
    return facts;
  }
  RedisConnection redis = std::move(connected).value();
  facts.endpoint = redis.endpoint();
  const SystemClock clock;
  const Instant begun = clock.now();
  RT_TRY(redis.command({"PING"}, "cannot ping Redis"));
  facts.ping = clock.now() - begun;
  const RedisReply info = RT_TRY(redis.command({"INFO"}, "cannot ask Redis for its state"));
  facts.version = info_value(info.text, "redis_version");
  facts.memory_max = parse_decimal(info_value(info.text, "maxmemory")).value_or(0);
  facts.memory_used = parse_decimal(info_value(info.text, "used_memory")).value_or(0);
  facts.pubsub_limit = pubsub_part(config_value(redis, "client-output-buffer-limit"));
  facts.policy = config_value(redis, "maxmemory-policy");
  return facts;
}

}  // namespace rt::rtctl
