// What a published event carries, so that its delivery can be told apart and timed:
//
//   {"at":<intended ns>,"run":<n>,"seq":<n>,"step":<phase>,"subj":<topic>,"sums":"<16 digits>",
//    "tail":"xxxx...","value":<any>}
//
// The keys stand in the order in which both jsonb and a sorted JSON writer put them, and what the
// scenario gives (payload_template.h) comes last, so that a scanner finds everything at the front
// whoever wrote the bytes in between. A blank after each colon and comma is allowed (jsonb writes
// them). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rt {

struct Payload {
  std::int64_t intended_ns = 0;  // monotonic clock of the publishing host
  std::uint32_t run = 0;         // which run of the tool published it
  std::uint32_t sequence = 0;    // of its topic, from 1; 0: the state before the first
  std::uint32_t phase = 0;
  // Its number; written where there are several.
  static constexpr std::uint32_t kNoTopic = 0xFFFFFFFF;
  std::uint32_t topic = kNoTopic;
};

// What fills a payload up: a share of random characters, which do not compress, then one repeated.
struct PayloadFiller {
  double entropy = 0;  // 0..1
  std::uint64_t seed = 0;
};

// Appends the JSON object, filled up to `size_bytes` (longer if figures and value need more).
// value: JSON; empty: the object has none. checked: with "sums", see payload_check.h.
void append_payload(std::string& out, const Payload& payload, std::uint32_t size_bytes,
                    const PayloadFiller& filler = {}, std::string_view value = {},
                    bool checked = false);
// The first payload inside `text` (the data of an event). rest: what follows its numbers.
std::optional<Payload> find_payload(std::string_view text, std::string_view* rest = nullptr);

}  // namespace rt
