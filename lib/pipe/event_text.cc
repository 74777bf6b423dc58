#include "pipe/event_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "proto/percent.h"
#include "proto/topic_notify.h"

namespace rt {

EventText::EventText(std::string_view text, Spelling spelling) : spelling_(spelling) {
  struct Word {
    std::string_view text;
    Kind kind;
  };
  constexpr std::array<Word, 3> kWords{
      {{"{topic}", Kind::topic}, {"{payload}", Kind::payload}, {"{shard}", Kind::shard}}};
  while (!text.empty()) {
    std::size_t first = text.size();
    const Word* found = nullptr;
    for (const Word& word : kWords) {
      const std::size_t at = text.find(word.text);
      if (at >= first) continue;
      first = at;
      found = &word;
    }
    if (first > 0) parts_.push_back({Kind::text, std::string(text.substr(0, first))});
    if (found == nullptr) return;
    parts_.push_back({found->kind, {}});
    text.remove_prefix(first + found->text.size());
  }
}

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
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Kind::text:
        out += part.text;
        break;
      case Kind::topic:
        append_topic(out, topic);
        break;
      case Kind::payload:
        out += payload;
        break;
      case Kind::shard:
        append_decimal(out, topic_hash(topic) % kTopicShards);
        break;
    }
  }
}

bool EventText::has_payload() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind == Kind::payload; });
}

}  // namespace rt
