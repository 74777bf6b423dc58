// One GET whose body never ends, over libcurl's multi interface: immediate delivery, no CPU while
// idle, and a wait that any thread can cut short. Internal to lib/http.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/curl_request.h"

namespace rt::http {

// The head of the answer that counts: after redirects and interim answers. Header values as sent.
struct ResponseHead {
  long status = 0;
  std::string_view content_type;
  std::string_view retry_after;
};

class StreamTransfer {
 public:
  // false ends the transfer at once. They run inside libcurl and must not throw.
  struct Taker {
    std::function<bool(const ResponseHead&)> head;
    std::function<bool(std::string_view)> bytes;
  };
  struct End {
    bool called_off = false;   // a taker said false
    bool complete = false;     // the body ended in order
    Request::Failure failure;  // otherwise
  };

  StreamTransfer();
  ~StreamTransfer();
  StreamTransfer(const StreamTransfer&) = delete;
  StreamTransfer& operator=(const StreamTransfer&) = delete;

  Result<void> open(const std::string& url, const HttpOptions& options,
                    const std::vector<std::string>& own_headers, Taker taker);
  // Hands over what has arrived; the End once there is one. Does not wait.
  std::optional<End> perform();
  // Waits until there is something to do, `timeout` has passed or wake() was called.
  void wait(Duration timeout);
  void close();
  bool is_open() const { return open_; }
  // Any thread.
  void wake();

 private:
  static std::size_t on_header(char* bytes, std::size_t one, std::size_t size, void* self);
  static std::size_t on_body(char* bytes, std::size_t one, std::size_t size, void* self);
  bool take_header_line(std::string_view line);
  bool take_head();
  bool take_body(std::string_view bytes);

  void* multi_;
  Request request_;
  Taker taker_;
  bool open_ = false;
  bool head_taken_ = false;
  bool called_off_ = false;
  std::size_t header_bytes_ = 0;
  std::string content_type_;
  std::string retry_after_;
};

}  // namespace rt::http
