#include "http/curl_request.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/log.h"
#include "base/text.h"
#include "http/token_file.h"

namespace rt::http {
namespace {

constexpr long kRedirectsMax = 10;  // browsers stop at 20; nobody needs more than a few
// One read of the socket. 16 KiB, libcurl's default, costs eight times the calls on a fast stream.
constexpr long kReadBytes = 128 * 1024;

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] { RT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

std::string_view header_name(std::string_view line) {
  return line.substr(0, line.find_first_of(":;"));
}

bool is_given(const HttpOptions& options, std::string_view line) {
  for (const std::string& given : options.headers) {
    if (equal_ignoring_case(header_name(given), header_name(line))) return true;
  }
  return false;
}

// A header value with a line break would be a second header.
Result<void> check_line(const std::string& line) {
  if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return fail(Code::usage,
                fmt::format("header \"{}\" contains a line break or NUL", header_name(line)));
  }
  return {};
}

long http_version(HttpOptions::Version version) {
  switch (version) {
    case HttpOptions::Version::http1:
      return CURL_HTTP_VERSION_1_1;
    case HttpOptions::Version::http2:
      return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    case HttpOptions::Version::automatic:
      break;
  }
  return CURL_HTTP_VERSION_2TLS;
}

// What libcurl's codes have in common, for a person.
struct Phase {
  const char* name;
  Code code;
  bool mendable;
};

Phase phase_of(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return {"URL", Code::usage, false};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {"resolve", Code::unreachable, true};
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return {"connect", Code::unreachable, true};
    case CURLE_OPERATION_TIMEDOUT:
      return {connected ? "response" : "connect", Code::unreachable, true};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_USE_SSL_FAILED:
      return {"TLS", Code::unreachable, true};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {"TLS", Code::unreachable, false};  // the same certificate comes again
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_CIPHER:
      return {"TLS", Code::usage, false};
    case CURLE_TOO_MANY_REDIRECTS:
      return {"redirect", Code::refused, false};
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
      return {"response", Code::refused, false};
    default:
      return {connected ? "response" : "connect", Code::unreachable, true};
  }
}

}  // namespace

HeaderLines::~HeaderLines() {
  clear();
}
void HeaderLines::add(const std::string& line) {
  list_ = curl_slist_append(static_cast<curl_slist*>(list_), line.c_str());
}
void HeaderLines::clear() {
  curl_slist_free_all(static_cast<curl_slist*>(list_));
  list_ = nullptr;
}

Request::Request() : error_text_(CURL_ERROR_SIZE, '\0') {
  initialise_once();
  handle_ = curl_easy_init();
  RT_CHECK(handle_ != nullptr);
}
Request::~Request() {
  curl_easy_cleanup(handle_);
}

Result<void> Request::prepare(const std::string& url, const HttpOptions& options,
                              const std::vector<std::string>& own) {
  curl_easy_reset(handle_);  // keeps connections and DNS answers
  RT_CHECKED(collect_lines(options, own));
  CURLcode worst = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    const CURLcode code = curl_easy_setopt(handle_, option, value);
    if (code != CURLE_OK) worst = code;
  };
  const auto set_text = [&](CURLoption option, const std::string& text) {
    if (!text.empty()) set(option, text.c_str());
  };
  error_text_.assign(CURL_ERROR_SIZE, '\0');
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // Refused on a handle whose last attempt ended before a connection (no such host): it still has
  // the buffer of that attempt, of this size.
  curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, kReadBytes);
  set(CURLOPT_USERAGENT, "realtime");
  set(CURLOPT_HTTP_VERSION, http_version(options.version));
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.connect_timeout);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
  if (!options.compression.empty()) {
    set(CURLOPT_ACCEPT_ENCODING, options.compression == "all" ? "" : options.compression.c_str());
  }
  if (options.netrc) set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  if (options.insecure) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  set_text(CURLOPT_CAINFO, options.ca_file);
  set_text(CURLOPT_SSLCERT, options.client_certificate);
  set_text(CURLOPT_SSLKEY, options.client_key);
  set_text(CURLOPT_UNIX_SOCKET_PATH, options.unix_socket);
  set_text(CURLOPT_PROXY, options.proxy);
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(headers_.list()));
  if (connect_to_.list() != nullptr) {
    set(CURLOPT_CONNECT_TO, static_cast<curl_slist*>(connect_to_.list()));
  }
  if (resolve_.list() != nullptr) {
    set(CURLOPT_RESOLVE, static_cast<curl_slist*>(resolve_.list()));
  }
  if (worst != CURLE_OK) {
    return fail(Code::usage, fmt::format("this libcurl cannot do what the options ask for: {}",
                                         curl_easy_strerror(worst)));
  }
  return {};
}

Result<void> Request::collect_lines(const HttpOptions& options,
                                    const std::vector<std::string>& own) {
  headers_.clear();
  for (const std::string& line : own) {
    RT_CHECKED(check_line(line));
    if (!is_given(options, line)) headers_.add(line);
  }
  if (!options.token_file.empty()) {
    const std::string line = "Authorization: Bearer " + RT_TRY(read_token_file(options.token_file));
    RT_CHECKED(check_line(line));
    headers_.add(line);
  }
  for (const std::string& line : options.headers) {
    RT_CHECKED(check_line(line));
    headers_.add(line);
  }
  connect_to_.clear();
  for (const std::string& rule : options.connect_to) connect_to_.add(rule);
  resolve_.clear();
  for (const std::string& rule : options.resolve) resolve_.add(rule);
  return {};
}

Request::Failure Request::failure(int curl_code) const {
  const auto code = static_cast<CURLcode>(curl_code);
  curl_off_t connect_us = 0;
  curl_easy_getinfo(handle_, CURLINFO_PRETRANSFER_TIME_T, &connect_us);
  const Phase phase = phase_of(code, connect_us > 0);
  long os_errno = 0;
  curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &os_errno);
  Failure out;
  out.mendable = phase.mendable;
  if (code == CURLE_COULDNT_CONNECT && os_errno != 0) {
    out.error = os_error(phase.name, static_cast<int>(os_errno), phase.code);
  } else {
    const char* reason =
        error_text_.front() != '\0' ? error_text_.c_str() : curl_easy_strerror(code);
    out.error = {phase.code, fmt::format("{}: {}", phase.name, reason), {}};
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    out.error.hint = "name the authority's certificate with --cacert FILE";
  }
  for (char& c : out.error.text) c = c == '\n' || c == '\r' ? ' ' : c;
  return out;
}

long Request::status() const {
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

void Request::log_answer(const std::string& content_type) const {
  const char* url = nullptr;
  const char* address = nullptr;
  long port = 0;
  long version = 0;
  double connected_s = 0;
  double answered_s = 0;
  curl_easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
  curl_easy_getinfo(handle_, CURLINFO_PRIMARY_IP, &address);
  curl_easy_getinfo(handle_, CURLINFO_PRIMARY_PORT, &port);
  curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(handle_, CURLINFO_CONNECT_TIME, &connected_s);
  curl_easy_getinfo(handle_, CURLINFO_STARTTRANSFER_TIME, &answered_s);
  log::debug(
      "http answer",
      fmt::format("{} status={} {} http={} peer={}:{} connected_ms={:.1f} answered_ms={:.1f}",
                  log::field("url", without_credentials(url != nullptr ? url : "")), status(),
                  log::field("content_type", content_type),
                  version == CURL_HTTP_VERSION_2_0 ? "2" : "1.1", address != nullptr ? address : "",
                  port, connected_s * 1e3, answered_s * 1e3));
}

}  // namespace rt::http
