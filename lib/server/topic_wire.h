// What the topics surface says on the wire: requests, answers and frames of ssepg. Pure functions.
// Source: ssepg's HTTP contract; D-3, D-4, D-9 and D-11 of docs/topics.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rt::server {

// The topic of a path "<base>/<id>/events", lower-cased. Not such a path: nothing; such a path with
// a name that no topic can have: an empty one.
std::optional<std::string> topic_of_path(std::string_view path, std::string_view base);

// A publish request's body. On success `status` is 200 and `data` the compact JSON to be published;
// otherwise `refusal` is the answer's body.
struct TopicPublish {
  int status = 200;
  std::string data;
  std::string refusal;
};
// bytes_max: of the envelope that travels through NOTIFY.
TopicPublish parse_topic_publish(std::string_view topic, std::string_view body,
                                 std::size_t bytes_max);

// {"topic":"...","data":...}: from a notification. Nothing if it is no such object. Names match
// whatever their case, and the last of two counts, as in Go. Missing data is an empty text.
struct TopicMessage {
  std::string topic;
  std::string_view data;  // into the payload
};
std::optional<TopicMessage> parse_topic_envelope(std::string_view payload);

// "event: message\ndata: ...\n\n", a data line for each line of the data.
std::string topic_frame(std::string_view data);
// What a subscriber gets first. last_event_id: the request's, verbatim; empty: none was sent.
std::string topic_preamble(std::string_view topic, std::string_view last_event_id);
// Header lines of the answer to a subscriber.
std::string topic_stream_headers(bool gzip, bool with_token);

inline constexpr std::string_view kTopicKeepalive = ": keep-alive\n\n";
inline constexpr std::string_view kTopicGoodbye = ": server shutting down\n\n";

// "Bearer <token>", the scheme in any case. Takes the same time wherever they differ.
bool bears_token(std::string_view authorization, std::string_view token);

}  // namespace rt::server
