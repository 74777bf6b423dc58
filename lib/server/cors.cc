#include "server/cors.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt::server {
namespace {

// Each request is compared with all of them; who has more sites puts a proxy before the server.
constexpr std::size_t kOriginsMax = 100;

tl::unexpected<Error> no_origin(std::string_view text, const char* hint) {
  return fail(Code::usage, fmt::format("--cors-origin \"{}\" is no origin", text), hint);
}

bool is_scheme_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

// As a browser writes one into its Origin header: lower case, no default port, no path (HTML,
// "serialization of an origin").
Result<void> check_origin(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || scheme.empty() ||
      !std::all_of(scheme.begin(), scheme.end(), is_scheme_char)) {
    return no_origin(text, "for example https://app.example, http://localhost:3000 or *");
  }
  const std::string_view host = text.substr(scheme_end + 3);
  if (host.empty() || host.find_first_of("/?#@*") != std::string_view::npos) {
    return no_origin(text, "scheme, host and port alone, without a path or a pattern");
  }
  const auto is_sent = [](char c) { return c > ' ' && c < '\x7f' && !(c >= 'A' && c <= 'Z'); };
  if (!std::all_of(host.begin(), host.end(), is_sent)) {
    return no_origin(text, "browsers send it in lower case, other letters as punycode");
  }
  if ((scheme == "https" && host.ends_with(":443")) ||
      (scheme == "http" && host.ends_with(":80"))) {
    return no_origin(text, "browsers leave the default port out");
  }
  return {};
}

bool decides(std::string_view line) {
  return line.starts_with("Access-Control-Allow-Origin:") || line == "Vary: Origin\r\n";
}

}  // namespace

Result<CorsPolicy> CorsPolicy::parse(const std::vector<std::string>& origins) {
  CorsPolicy policy;
  for (const std::string& origin : origins) {
    if (origin == "*") {
      policy.any_ = true;
      continue;
    }
    RT_CHECKED(check_origin(origin));
    policy.origins_.push_back(origin);
  }
  if (policy.origins_.size() > kOriginsMax) {
    return fail(Code::usage, fmt::format("more than {} of --cors-origin", kOriginsMax));
  }
  return policy;
}

CorsPolicy::Grant CorsPolicy::judge(const http1::RequestHead& head) const {
  if (head.headers.count("origin") == 1) {
    const auto found = std::find(origins_.begin(), origins_.end(), head.header("origin"));
    if (found != origins_.end()) return static_cast<Grant>(found - origins_.begin() + 1);
  }
  return any_ ? kAny : kNone;
}

bool CorsPolicy::is_preflight(const http1::RequestHead& head) {
  return head.method == "OPTIONS" && head.headers.find("origin") &&
         head.headers.find("access-control-request-method");
}

// The same for every path: what a request may say is decided when it comes.
std::string_view CorsPolicy::preflight_lines(Grant grant) {
  if (grant == kNone) return {};
  return "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
         "Access-Control-Allow-Headers: Authorization, Cache-Control, Content-Type, "
         "Last-Event-ID\r\n"
         "Access-Control-Max-Age: 600\r\n";
}

void CorsPolicy::apply(std::string& header_lines, Grant grant) const {
  std::string lines;
  std::string_view rest = header_lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n") + 2);
    rest.remove_prefix(line.size());
    if (!decides(line)) lines.append(line);
  }
  if (grant == kAny) {
    lines.append("Access-Control-Allow-Origin: *\r\n");
  } else if (grant != kNone) {
    lines.append("Access-Control-Allow-Origin: ").append(origins_[grant - 1]).append("\r\n");
    // Cookies and certificates only for those who are known by name (Fetch 3.2.5 forbids it to *).
    lines.append("Access-Control-Allow-Credentials: true\r\n");
  }
  // A cache must not hand one origin's answer to another.
  if (!origins_.empty()) lines.append("Vary: Origin\r\n");
  header_lines = std::move(lines);
}

void CorsPolicy::apply_to_head(std::string& text, Grant grant) const {
  const std::size_t begin = text.find("\r\n") + 2;
  const std::size_t end = text.find("\r\n\r\n") + 2;
  std::string lines = text.substr(begin, end - begin);
  apply(lines, grant);
  text.replace(begin, end - begin, lines);
}

}  // namespace rt::server
