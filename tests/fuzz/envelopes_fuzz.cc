// Messages as strangers publish them, over HTTP, NOTIFY and Redis: JSON that is made compact means
// what it meant, and no message breaks out of its frame.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "proto/eventrail_envelope.h"
#include "proto/json_compact.h"
#include "proto/json_scan.h"
#include "proto/realtime_event.h"
#include "server/events_wire.h"
#include "server/realtime_wire.h"
#include "server/topic_wire.h"

namespace {

using nlohmann::json;

void require(bool holds) {
  if (!holds) std::abort();
}

bool has_line_end(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

// Both read the same, where the other reader reads it at all (it refuses 1e999 and bad UTF-8).
void check_same(std::string_view text, std::string_view compact) {
  const json before = json::parse(text, nullptr, false);
  if (before.is_discarded()) return;
  require(before == json::parse(compact, nullptr, false));
}

void check_compact(std::string_view text) {
  std::string out = "x";
  if (!rt::append_compact_json(out, text)) {
    require(out == "x");
    return;
  }
  const std::string compact = out.substr(1);
  require(!has_line_end(compact));
  check_same(text, compact);
  std::string again;
  require(rt::append_compact_json(again, compact) && again == compact);
}

// A frame ends where it ends, and nowhere before.
void check_frame(const std::string& frame) {
  require(frame.starts_with("event: message\ndata: ") && frame.ends_with("\n\n"));
  require(frame.find("\n\n") == frame.size() - 2);
  std::string_view rest = frame;
  rest.remove_prefix(15);  // the event line
  while (rest != "\n") {
    require(rest.starts_with("data: "));
    rest.remove_prefix(rest.find('\n') + 1);
  }
  require(frame.find('\r') == std::string::npos);
}

void check_topics(std::string_view text) {
  const rt::server::TopicPublish publish = rt::server::parse_topic_publish("t", text, 7900);
  require(publish.status == 200 || publish.status == 400 || publish.status == 413);
  require((publish.status == 200) == publish.refusal.empty());
  if (publish.status == 200) {
    require(publish.data.size() <= 7900 && rt::is_json(publish.data));
    require(!has_line_end(publish.data) && publish.data != "null");
    const std::string envelope = R"({"topic":"t","data":)" + publish.data + "}";
    const auto message = rt::server::parse_topic_envelope(envelope);
    require(message && message->topic == "t" && message->data == publish.data);
    check_frame(rt::server::topic_frame(publish.data));
  }
  if (const auto message = rt::server::parse_topic_envelope(text)) {
    check_frame(rt::server::topic_frame(message->data));
  }
  check_frame(rt::server::topic_frame(text));
  (void)rt::server::topic_of_path(text, "/topics");
  require(!rt::server::bears_token(text, "a secret that is not in the seeds"));
}

void check_events(std::string_view text) {
  if (const auto channel = rt::parse_event_channel(text)) {
    require(channel->scope_id >= 0 && !channel->scope.empty() && !channel->topic.empty());
    require(channel->topic.find_first_of("*?[]\\^ \r\n") == std::string_view::npos);
  }
  const std::size_t cut = text.find('\0');
  const std::string_view type = text.substr(0, cut);
  const std::string_view data = cut == std::string_view::npos ? type : text.substr(cut + 1);
  std::string out;
  const bool is_both =
      rt::is_json(data);  // the other reader refuses some escapes, like \ud800 alone
  if (rt::append_event_envelope(out, type, data)) {
    require(!has_line_end(out) && (!is_both || rt::is_json(out)));
    if (is_both) require(json::parse(out)["data"] == json::parse(data));
  } else {
    require(out.empty());
  }
  out.clear();
  if (rt::append_realtime_event(out, {.type = type, .data = data, .user_id = type})) {
    require(!has_line_end(out) && (!is_both || rt::is_json(out)));
  } else {
    require(out.empty());
  }
}

// One event, whatever its payload: a name, data lines, and the end.
void check_named_frame(std::string_view frame) {
  require(frame.starts_with("event: ") && frame.ends_with("\n\n"));
  require(frame.find("\n\n") == frame.size() - 2);
  require(frame.find('\r') == std::string_view::npos);
  frame.remove_prefix(frame.find('\n') + 1);
  while (frame != "\n") {
    require(frame.starts_with("data:"));
    frame.remove_prefix(frame.find('\n') + 1);
  }
}

void check_events_surface(std::string_view text) {
  for (const std::string_view prefix : {"", "app"}) {
    std::string frame;
    (void)rt::server::append_event_frame(frame, text, prefix);
    check_named_frame(frame);
  }
  (void)rt::server::event_prefix(text);
  for (const std::string_view scope : {"", "gym:1"}) {
    const rt::server::EventPublish publish = rt::server::parse_event_publish(text, scope);
    require(publish.status == 202 || publish.status == 400 || publish.status == 403);
    require((publish.status == 202) == publish.refusal.empty());
    if (publish.status != 202) continue;
    require(rt::parse_event_channel(publish.channel).has_value());
    require(scope.empty() || rt::server::scope_of_channel(publish.channel) == scope);
    require(!has_line_end(publish.envelope));
    std::string frame;
    require(rt::server::append_event_frame(frame, publish.envelope, ""));
    check_named_frame(frame);
    require(!frame.starts_with("event: message\n") ||
            publish.envelope.find("\"event_type\":\"message\"") != std::string::npos);
  }
}

void check_realtime_event(const std::string& event) {
  require(!has_line_end(event));
  const std::string frame = rt::server::realtime_frame(event, std::nullopt);
  require(frame.starts_with("data: ") && frame.find("\n\n") == frame.size() - 2);
  require(frame.find('\n') == frame.size() - 2);
}

void check_realtime_surface(std::string_view text) {
  if (const auto post = rt::parse_realtime_post(text)) {
    rt::RealtimeEvent event{post->type, post->data};
    if (!post->user_id.empty()) event.user_id = post->user_id;
    std::string written;
    if (rt::append_realtime_event(written, event)) {
      rt::stamp_realtime_event(written, {.timestamp = {}, .id = "1-1", .origin = "one"});
      check_realtime_event(written);
      const auto received = rt::parse_realtime_event(written);
      require(received && received->type == post->type && received->user_id == post->user_id);
      require(received->origin == "one");
    }
  }
  if (const auto received = rt::parse_realtime_event(text)) check_realtime_event(received->json);
  const auto keys = rt::server::realtime_keys(text);
  require(!keys || (keys->size() >= 2 && keys->size() <= rt::server::kRealtimeTypesMax + 1));
  for (const std::string& json :
       {rt::server::realtime_published_json(text), rt::server::realtime_error_json(text),
        rt::server::realtime_local_only_json(text, text)}) {
    require(json.find_first_of("\r\n") == json.size() - 1 && json::accept(json));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_compact(text);
  check_topics(text);
  check_events(text);
  check_events_surface(text);
  check_realtime_surface(text);
  return 0;
}
