#include "server/responses.h"

#include <fmt/format.h>

namespace rt::server {

const char* reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::string stream_head(std::string_view headers) {
  const bool says = headers.find("Connection: ") != std::string_view::npos;
  return fmt::format("HTTP/1.1 200 OK\r\n{}{}\r\n", headers, says ? "" : "Connection: close\r\n");
}

std::string header_lines(const Response& response) {
  // 204 has neither content nor its headers (RFC 9110 section 15.3.5).
  if (response.status == 204) return std::string(response.extra_headers);
  return fmt::format(
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Cache-Control: no-store\r\n"
      "{}",
      response.content_type, response.body.size(), response.extra_headers);
}

std::string render(const Response& response) {
  const bool has_content = !response.head_only && response.status != 204;
  return fmt::format("HTTP/1.1 {} {}\r\n{}Connection: {}\r\n\r\n{}", response.status,
                     reason_phrase(response.status), header_lines(response),
                     response.keep_alive ? "keep-alive" : "close",
                     has_content ? response.body : std::string_view());
}

}  // namespace rt::server
