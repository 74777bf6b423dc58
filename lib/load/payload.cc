#include "load/payload.h"

#include <charconv>
#include <cstring>

#include "base/random.h"
#include "base/text.h"
#include "load/payload_check.h"

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

bool take_payload(const char*& at, const char* end, Payload& out) {
  const bool found = take_number(at, end, "\"at\":", out.intended_ns) && take_comma(at, end) &&
                     take_number(at, end, "\"run\":", out.run) && take_comma(at, end) &&
                     take_number(at, end, "\"seq\":", out.sequence) && take_comma(at, end) &&
                     take_number(at, end, "\"step\":", out.phase);
  const char* more = at;
  if (found && take_comma(more, end) && take_number(more, end, "\"subj\":", out.topic)) at = more;
  return found;
}

// Six bits a character, none of which JSON escapes.
void append_random(std::string& out, std::size_t size, std::uint64_t seed) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Random random(seed);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 10 == 0) bits = random.next();
    out += kLetters[bits & 63];
    bits >>= 6;
  }
}

}  // namespace

void append_payload(std::string& out, const Payload& payload, std::uint32_t size_bytes,
                    const PayloadFiller& filler, std::string_view value, bool checked) {
  constexpr std::string_view kValue = ",\"value\":";
  const std::size_t begin = out.size();
  out += "{\"at\":";
  append_decimal(out, static_cast<std::uint64_t>(payload.intended_ns));
  out += ",\"run\":";
  append_decimal(out, payload.run);
  out += ",\"seq\":";
  append_decimal(out, payload.sequence);
  out += ",\"step\":";
  append_decimal(out, payload.phase);
  if (payload.topic != Payload::kNoTopic) {
    out += ",\"subj\":";
    append_decimal(out, payload.topic);
  }
  std::size_t sums = 0;
  if (checked) {
    out += ",\"sums\":\"";
    sums = out.size();
    out.append(kSumsDigits, '0');
    out += '"';
  }
  out += ",\"tail\":\"";
  const std::size_t tail = out.size();
  const std::size_t more = value.empty() ? 0 : kValue.size() + value.size();
  const std::size_t used = out.size() - begin + 2 + more;
  if (size_bytes > used) {
    const std::size_t fill = size_bytes - used;
    const auto random = static_cast<std::size_t>(static_cast<double>(fill) * filler.entropy);
    append_random(out, random, filler.seed);
    out.append(fill - random, 'x');
  }
  if (checked) write_sums(&out[sums], payload, std::string_view(out).substr(tail), value);
  out += '"';
  if (!value.empty()) {
    out += kValue;
    out += value;
  }
  out += '}';
}

std::optional<Payload> find_payload(std::string_view text, std::string_view* rest) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const void* const found = ::memmem(at, static_cast<std::size_t>(end - at), "\"at\":", 5);
    if (found == nullptr) return std::nullopt;
    at = static_cast<const char*>(found);
    Payload payload;
    const char* next = at;
    if (take_payload(next, end, payload)) {
      if (rest != nullptr) *rest = {next, static_cast<std::size_t>(end - next)};
      return payload;
    }
    at += 5;
  }
  return std::nullopt;
}

}  // namespace rt
