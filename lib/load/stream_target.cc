#include "load/stream_target.h"

#include <fmt/format.h>

#include "base/text.h"
#include "proto/percent.h"

namespace rt {
namespace {

constexpr std::string_view kTopic = "{topic}";

}  // namespace

Result<StreamTarget> StreamTarget::parse(std::string_view url) {
  const bool tls = url.rfind("https://", 0) == 0;
  const std::string_view scheme = tls ? "https://" : "http://";
  if (url.rfind(scheme, 0) != 0) {
    return fail(
        Code::usage,
        fmt::format("expected a URL like \"http://127.0.0.1:8080/stream\", found \"{}\"", url));
  }
  const std::string_view rest = url.substr(scheme.size());
  const std::size_t path_at = std::min(rest.find('/'), rest.find('?'));
  StreamTarget target;
  target.tls = tls;
  if (tls) target.port = 443;
  target.authority = rest.substr(0, path_at);
  if (path_at != std::string_view::npos) target.path = rest.substr(path_at);
  if (target.path.front() == '?') target.path.insert(0, 1, '/');
  target.host = target.authority;
  const std::size_t colon = target.authority.rfind(':');
  const std::size_t bracket = target.authority.rfind(']');
  if (colon != std::string::npos && (bracket == std::string::npos || bracket < colon)) {
    const auto port = parse_decimal(std::string_view(target.authority).substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) {
      return fail(Code::usage, fmt::format("\"{}\" has no valid port", url));
    }
    target.port = static_cast<std::uint16_t>(*port);
    target.host.resize(colon);
  }
  if (target.host.size() > 2 && target.host.front() == '[') {
    target.host = target.host.substr(1, target.host.size() - 2);
  }
  if (target.host.empty() || target.path.find_first_of(" \r\n\t") != std::string::npos) {
    return fail(Code::usage, fmt::format("\"{}\" is not a URL", url));
  }
  return target;
}

void StreamTarget::append_path(std::string& out, std::string_view topic, bool run_filter) const {
  std::string_view rest = path;
  bool placed = false;
  for (std::size_t at = rest.find(kTopic); at != std::string_view::npos; at = rest.find(kTopic)) {
    out += rest.substr(0, at);
    append_percent_encoded(out, topic);
    rest.remove_prefix(at + kTopic.size());
    placed = true;
  }
  out += rest;
  if (placed || !run_filter) return;
  std::string filter = "{\"run_id\":";
  append_json_string(filter, topic);
  filter += '}';
  out += path.find('?') == std::string::npos ? "?filter=" : "&filter=";
  append_percent_encoded(out, filter);
}

void StreamTarget::append_request(std::string& out, std::string_view topic, bool run_filter,
                                  std::string_view last_event_id, bool gzip,
                                  std::string_view more) const {
  out += "GET ";
  append_path(out, topic, run_filter);
  out += " HTTP/1.1\r\nHost: ";
  out += authority;
  out += "\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n";
  if (gzip) out += "Accept-Encoding: gzip\r\n";
  if (!last_event_id.empty()) {
    out += "Last-Event-ID: ";
    out += last_event_id;
    out += "\r\n";
  }
  out += more;
  out += "\r\n";
}

}  // namespace rt
