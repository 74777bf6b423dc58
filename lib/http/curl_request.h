// One libcurl easy handle, owned, set up from HttpOptions; and libcurl's failures in our words.
// Internal to lib/http: handles are void* so that curl.h stays in .cc files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/http_options.h"

namespace rt::http {

// A list of header lines as libcurl wants it.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines();
  void add(const std::string& line);
  void clear();
  void* list() const { return list_; }

 private:
  void* list_ = nullptr;  // curl_slist*
};

// Move-free; one thread.
class Request {
 public:
  Request();
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Sets URL, TLS, proxy, timeouts and headers: `own` lines unless options.headers has the name.
  // Fails with Code::usage on what libcurl cannot do or a file that cannot be read.
  Result<void> prepare(const std::string& url, const HttpOptions& options,
                       const std::vector<std::string>& own);

  struct Failure {
    Error error;           // "<phase>: <reason>", for a "cannot ... <url>" in front
    bool mendable = true;  // trying again may help
  };
  // What a CURLcode other than CURLE_OK means. Call before the handle is used again.
  Failure failure(int curl_code) const;

  void* handle() const { return handle_; }
  long status() const;  // of the last response head; 0: none
  // Says at level debug who answered, and how.
  void log_answer(const std::string& content_type) const;

 private:
  Result<void> collect_lines(const HttpOptions& options, const std::vector<std::string>& own);

  void* handle_;
  HeaderLines headers_;
  HeaderLines connect_to_;
  HeaderLines resolve_;
  std::string error_text_;  // CURL_ERROR_SIZE bytes that libcurl writes to
};

}  // namespace rt::http
