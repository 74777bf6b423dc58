#include "load/payload.h"

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace rt {
namespace {

// Takes `"name":` and a number from the head of `at`.
template <typename Number>
bool take_number(const char*& at, const char* end, std::string_view name, Number& out) {
  const auto left = static_cast<std::size_t>(end - at);
  if (left < name.size() || std::memcmp(at, name.data(), name.size()) != 0) return false;
  at += name.size();
  if (at != end && *at == ' ') ++at;
  const auto [next, error] = std::from_chars(at, end, out);
  if (error != std::errc() || next == at) return false;
  at = next;
  return true;
}

bool take_comma(const char*& at, const char* end) {
  if (at == end || *at != ',') return false;
  ++at;
  if (at != end && *at == ' ') ++at;
  return true;
}

bool take_payload(const char* at, const char* end, Payload& out) {
  return take_number(at, end, "\"at\":", out.intended_ns) && take_comma(at, end) &&
         take_number(at, end, "\"run\":", out.run) && take_comma(at, end) &&
         take_number(at, end, "\"seq\":", out.sequence) && take_comma(at, end) &&
         take_number(at, end, "\"step\":", out.phase);
}

}  // namespace

void append_payload(std::string& out, const Payload& payload, std::uint32_t size_bytes) {
  const std::size_t begin = out.size();
  out += "{\"at\":";
  append_decimal(out, static_cast<std::uint64_t>(payload.intended_ns));
  out += ",\"run\":";
  append_decimal(out, payload.run);
  out += ",\"seq\":";
  append_decimal(out, payload.sequence);
  out += ",\"step\":";
  append_decimal(out, payload.phase);
  out += ",\"tail\":\"";
  const std::size_t used = out.size() - begin + 2;
  if (size_bytes > used) out.append(size_bytes - used, 'x');
  out += "\"}";
}

std::optional<Payload> find_payload(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const void* const found = ::memmem(at, static_cast<std::size_t>(end - at), "\"at\":", 5);
    if (found == nullptr) return std::nullopt;
    at = static_cast<const char*>(found);
    Payload payload;
    if (take_payload(at, end, payload)) return payload;
    at += 5;
  }
  return std::nullopt;
}

}  // namespace rt
