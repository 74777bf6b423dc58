// The bytes of HTTP answers.
#pragma once

#include <string>
#include <string_view>

namespace rt::server {

// Head of every event stream. The stream ends when the connection does (RFC 9112 section 6.3, case
// 8). X-Accel-Buffering tells nginx not to hold events back.
inline constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/event-stream\r\n"
    "Cache-Control: no-cache, no-transform\r\n"
    "Connection: close\r\n"
    "X-Accel-Buffering: no\r\n"
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Headers: Last-Event-Id\r\n"
    "\r\n";

// Head of an event stream with these header lines, each with CRLF; it ends as kStreamHead's does.
std::string stream_head(std::string_view headers);

struct Response {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view body = "";
  std::string_view extra_headers = "";  // whole lines, each with CRLF
  bool keep_alive = true;
  bool head_only = false;  // the request was HEAD: the length without the body
};
std::string render(const Response& response);
// Its header lines but Connection, each with CRLF; for HTTP/2 too.
std::string header_lines(const Response& response);

const char* reason_phrase(int status);

}  // namespace rt::server
