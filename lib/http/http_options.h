// What a request over libcurl may need beyond its URL. Plain values; copied freely.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace rt {

struct HttpOptions {
  enum class Version : std::uint8_t {
    automatic,
    http1,
    http2
  };  // automatic: HTTP/2 where TLS offers it

  // "Name: value" each; repeated on every attempt. One that we send too (Accept, ...) wins.
  std::vector<std::string> headers;
  // Read anew on every attempt and sent as "Authorization: Bearer <content>"; empty: none.
  std::string token_file;
  Version version = Version::automatic;
  // Codings to ask for: "gzip, br, zstd", or "all" for what libcurl was built with; empty: none.
  std::string compression;
  bool netrc = false;                   // user and password from ~/.netrc
  bool insecure = false;                // accept any certificate
  std::string ca_file;                  // PEM; empty: the system's
  std::string client_certificate;       // PEM
  std::string client_key;               // PEM
  std::string unix_socket;              // path; the URL's host then only names the Host header
  std::string proxy;                    // empty: HTTPS_PROXY, NO_PROXY and so on
  std::vector<std::string> connect_to;  // "host:port:host:port", as curl has it
  std::vector<std::string> resolve;     // "host:port:address", as curl has it
  Duration connect_timeout = std::chrono::seconds(10);  // resolving, connecting, TLS together
};

// "http://user:secret@host/" without what is before the @: URLs end up in logs.
std::string without_credentials(const std::string& url);

// What is underneath: "libcurl/7.88.1 OpenSSL/3.0.17 zlib/1.2.13 ... nghttp2/1.52.0".
std::string http_library_version();

}  // namespace rt
