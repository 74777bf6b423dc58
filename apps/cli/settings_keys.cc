#include "cli/settings_keys.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace rt::cli {
namespace {

constexpr std::string_view kHidden = "***";

constexpr std::array<SharedKey, 24> kSharedKeys = {{
    {"url", "RT_URL", "", "http://127.0.0.1:8080"},
    {"pg", "RT_PG", "DATABASE_URL", ""},
    {"redis", "RT_REDIS", "REDIS_URL", ""},
    {"token-file", "RT_TOKEN_FILE", "", ""},
    {"color", "RT_COLOR", "", "auto"},
    {"log", "RT_LOG", "", "info"},
    {"seed", "RT_SEED", "", ""},
    {"header", "", "", ""},
    {"cacert", "", "", ""},
    {"cert", "", "", ""},
    {"key", "", "", ""},
    {"insecure", "", "", ""},
    {"proxy", "", "", ""},
    {"netrc", "", "", ""},
    {"compressed", "", "", ""},
    {"http1.1", "", "", ""},
    {"http2", "", "", ""},
    {"unix-socket", "", "", ""},
    {"connect-to", "", "", ""},
    {"resolve", "", "", ""},
    {"connect-timeout", "", "", ""},
    {"log-format", "", "", ""},
    {"table", "", "", ""},
    {"quiet", "", "", ""},
}};

// "scheme://user:secret@host" -> "scheme://user:***@host", and "?password=secret" too.
std::string hide_in_url(std::string_view url) {
  std::string out(url);
  const std::size_t start = out.find("://") + 3;
  const std::size_t end = std::min(out.find_first_of("/?#", start), out.size());
  const std::size_t at = out.rfind('@', end);
  const std::size_t colon = out.find(':', start);
  if (at != std::string::npos && at > start && at < end && colon < at) {
    out.replace(colon + 1, at - colon - 1, kHidden);
  }
  constexpr std::string_view kPassword = "password=";
  const std::size_t word = out.find(kPassword, start);
  if (word != std::string::npos) {
    const std::size_t value = word + kPassword.size();
    out.replace(value, std::min(out.find('&', value), out.size()) - value, kHidden);
  }
  return out;
}

// "host=h password='it''s' dbname=d" -> "host=h password=*** dbname=d".
std::string hide_in_words(std::string_view text) {
  std::string out(text);
  constexpr std::string_view kPassword = "password";
  std::size_t at = out.find(kPassword);
  if (at == std::string::npos) return out;
  at = out.find_first_not_of(' ', at + kPassword.size());
  if (at == std::string::npos || out[at] != '=') return out;
  at = out.find_first_not_of(' ', at + 1);
  if (at == std::string::npos) return out;
  // A quoted value may hold blanks and escaped quotes: everything behind it goes as well.
  const std::size_t end = out[at] == '\'' ? out.size() : std::min(out.find(' ', at), out.size());
  return out.replace(at, end - at, kHidden);
}

bool carries_credentials(std::string_view header) {
  constexpr std::array<std::string_view, 5> kNames = {"authorization", "proxy-authorization",
                                                      "cookie", "x-api-key", "x-auth-token"};
  const std::string_view name = trim(header.substr(0, header.find(':')));
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view known) { return equal_ignoring_case(name, known); });
}

}  // namespace

std::span<const SharedKey> shared_keys() {
  return kSharedKeys;
}

const SharedKey* find_shared_key(std::string_view name) {
  const auto* found = std::find_if(kSharedKeys.begin(), kSharedKeys.end(),
                                   [&](const SharedKey& key) { return key.name == name; });
  return found == kSharedKeys.end() ? nullptr : found;
}

std::string option_name(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string without_secrets(std::string_view value) {
  if (value.find("://") != value.npos) return hide_in_url(value);
  if (value.find(':') != value.npos && carries_credentials(value)) {
    return std::string(value.substr(0, value.find(':') + 1)) + " " + std::string(kHidden);
  }
  return hide_in_words(value);
}

}  // namespace rt::cli
