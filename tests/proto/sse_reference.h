// A slow, obvious event-stream parser, written line by line from WHATWG HTML 9.2.6, and the
// notation in which parsers are compared: one string an item, in order.
//   "message~data~id" an event, "#text" a comment, "!1000" a valid retry field
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "proto/sse_parser.h"

namespace rt::sse {

using Items = std::vector<std::string>;

struct Recorder {
  Items items;

  void on_event(const EventView& e) {
    std::string item(e.event);
    item.append("~").append(e.data).append("~").append(e.id);
    items.push_back(std::move(item));
  }
  void on_comment(std::string_view text) { items.push_back("#" + std::string(text)); }
  void on_retry(std::chrono::milliseconds retry) {
    items.push_back("!" + std::to_string(retry.count()));
  }
};

inline std::string reference_decode(std::string_view stream) {
  if (stream.substr(0, 3) == "\xEF\xBB\xBF") stream.remove_prefix(3);
  std::string text;
  append_utf8_repaired(text, stream);
  return text;
}

// Complete lines only: what follows the last line end is not a line yet.
inline std::vector<std::string> reference_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      lines.push_back(line);
      line.clear();
    } else {
      line.push_back(text[i]);
    }
  }
  return lines;
}

inline Items reference_parse(std::string_view stream, std::string last_id = "") {
  Items items;
  std::string data;
  std::string event;
  std::string id_buffer = std::move(last_id);
  bool has_data = false;
  for (const std::string& line : reference_lines(reference_decode(stream))) {
    if (line.empty()) {
      if (has_data) {
        data.pop_back();
        items.push_back((event.empty() ? "message" : event) + "~" + data + "~" + id_buffer);
      }
      data.clear();
      event.clear();
      has_data = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (colon == 0) {
      items.push_back("#" + value);
    } else if (name == "data") {
      data += value + "\n";
      has_data = true;
    } else if (name == "event") {
      event = value;
    } else if (name == "id" && value.find('\0') == std::string::npos) {
      id_buffer = value;
    } else if (name == "retry" && !value.empty() &&
               value.find_first_not_of("0123456789") == std::string::npos) {
      std::string digits = value.substr(std::min(value.find_first_not_of('0'), value.size() - 1));
      if (digits.size() > 15) digits = "999999999999999";  // no overflow
      items.push_back("!" + std::to_string(std::min<long long>(std::stoll(digits), 86'400'000)));
    }
  }
  return items;
}

// Feeds the stream in pieces of `step` bytes, each copied so that a view kept too long is noticed.
inline Items parse_in_steps(std::string_view stream, std::size_t step,
                            const ParserOptions& options = {}) {
  Parser parser(options);
  Recorder recorder;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const std::string piece(stream.substr(at, step));
    parser.receive(piece, recorder);
  }
  return recorder.items;
}

inline Items parse_split_at(std::string_view stream, std::size_t at,
                            const ParserOptions& options = {}) {
  Parser parser(options);
  Recorder recorder;
  const std::string head(stream.substr(0, at));
  const std::string tail(stream.substr(at));
  parser.receive(head, recorder);
  parser.receive(tail, recorder);
  return recorder.items;
}

}  // namespace rt::sse
