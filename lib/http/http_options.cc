#include "http/http_options.h"

#include <curl/curl.h>

#include <algorithm>

namespace rt {

std::string without_credentials(const std::string& url) {
  const std::size_t start = url.find("://");
  if (start == std::string::npos) return url;
  const std::size_t end = std::min(url.find_first_of("/?#", start + 3), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at == std::string::npos || at < start + 3 || at >= end) return url;
  return url.substr(0, start + 3) + url.substr(at + 1);
}

std::string http_library_version() {
  return curl_version();
}

}  // namespace rt
