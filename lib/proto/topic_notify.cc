#include "proto/topic_notify.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/json_compact.h"

namespace rt {
namespace {

constexpr std::string_view kChannel = "topic_broadcast_";
// U+212A, the Kelvin sign: besides A to Z, the one letter whose lower case is ASCII.
constexpr std::string_view kKelvin = "\xE2\x84\xAA";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

Result<std::string> topic_name(std::string_view text) {
  std::string name;
  for (std::string_view rest = text; !rest.empty();) {
    const bool is_kelvin = rest.starts_with(kKelvin);
    name.push_back(is_kelvin ? 'k' : lower(rest.front()));
    rest.remove_prefix(is_kelvin ? kKelvin.size() : 1);
  }
  const bool allowed = !name.empty() && name.size() <= kTopicBytesMax &&
                       std::all_of(name.begin(), name.end(), is_topic_character);
  if (allowed) return name;
  return fail(Code::usage, fmt::format("invalid topic \"{}\"", text.substr(0, kTopicBytesMax)),
              "a topic has 1 to 128 of a-z, 0-9, _ and -");
}

std::uint32_t topic_hash(std::string_view topic) {
  std::uint32_t hash = 2166136261u;
  for (const char c : topic) hash = (hash ^ static_cast<unsigned char>(lower(c))) * 16777619u;
  return hash;
}

std::string topic_channel(std::string_view topic, std::uint32_t shards) {
  return topic_shard_channel(topic_hash(topic) % shards);
}

std::string topic_shard_channel(std::uint32_t shard) {
  return std::string(kChannel) + std::to_string(shard);
}

Result<void> append_topic_envelope(std::string& out, std::string_view topic, std::string_view data,
                                   std::size_t bytes_max) {
  const std::size_t start = out.size();
  out.append("{\"topic\":\"").append(topic).append("\",\"data\":");
  const std::size_t data_start = out.size();
  if (!append_compact_json(out, data)) {
    out.resize(start);
    return fail(Code::usage, "the data is not JSON",
                "quote it for the shell: '{\"n\":1}' or '\"text\"'");
  }
  if (std::string_view(out).substr(data_start) == "null") {
    out.resize(start);
    return fail(Code::usage, "null is no data for a topic");
  }
  out.push_back('}');
  const std::size_t size = out.size() - start;
  if (size <= bytes_max) return {};
  out.resize(start);
  return fail(Code::usage, fmt::format("payload too large for NOTIFY ({} > {})", size, bytes_max),
              "send less: an id that subscribers look up, for example");
}

}  // namespace rt
