#include "pipe/event_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "proto/percent.h"
#include "proto/topic_notify.h"

namespace rt {
namespace {

constexpr std::array<std::string_view, 3> kWords = {"{topic}", "{payload}", "{shard}"};
enum Word : std::size_t { text = 0, topic = 1, payload = 2, shard = 3 };

}  // namespace

EventText::EventText(std::string_view text, Spelling spelling)
    : pieces_(cut_at_placeholders(text, kWords)), spelling_(spelling) {}

void EventText::append_topic(std::string& out, std::string_view topic) const {
  switch (spelling_) {
    case Spelling::plain:
      out += topic;
      return;
    case Spelling::path:
      append_percent_encoded(out, topic);
      return;
    case Spelling::json: {
      std::string quoted;
      append_json_string(quoted, topic);
      out.append(quoted, 1, quoted.size() - 2);
      return;
    }
  }
}

void EventText::append(std::string& out, std::string_view topic, std::string_view payload) const {
  for (const TextPiece& piece : pieces_) {
    switch (piece.word) {
      case Word::topic:
        append_topic(out, topic);
        break;
      case Word::payload:
        out += payload;
        break;
      case Word::shard:
        append_decimal(out, topic_hash(topic) % kTopicShards);
        break;
      default:
        out += piece.text;
        break;
    }
  }
}

bool EventText::has_payload() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const TextPiece& piece) { return piece.word == Word::payload; });
}

}  // namespace rt
