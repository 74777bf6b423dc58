#include "http/stream_transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rt::http {
namespace {

// All heads of one request together (redirects too). Servers refuse more than 8 to 64 KiB from us;
// four times that is generous, and an endless head ends here.
constexpr std::size_t kHeaderBytesMax = 256 * 1024;

bool is_interim(long status) {
  return status >= 100 && status < 200;
}
// libcurl may go on by itself after these: a redirect, or a repetition with credentials.
bool may_go_on(long status) {
  return (status >= 300 && status < 400) || status == 401 || status == 407;
}

// libcurl gathers a header line up to 100 KiB before we see it, and calls a longer one lack of
// memory.
bool is_endless_line(CURLcode code, bool head_taken) {
  return code == CURLE_OUT_OF_MEMORY && !head_taken;
}

}  // namespace

StreamTransfer::StreamTransfer() : multi_(curl_multi_init()) {
  RT_CHECK(multi_ != nullptr);
}

StreamTransfer::~StreamTransfer() {
  close();
  curl_multi_cleanup(multi_);
}

Result<void> StreamTransfer::open(const std::string& url, const HttpOptions& options,
                                  const std::vector<std::string>& own_headers, Taker taker) {
  close();
  RT_CHECKED(request_.prepare(url, options, own_headers));
  taker_ = std::move(taker);
  head_taken_ = false;
  called_off_ = false;
  header_bytes_ = 0;
  content_type_.clear();
  retry_after_.clear();
  void* easy = request_.handle();
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &StreamTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &StreamTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  if (code != CURLM_OK) {
    return fail(Code::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
  }
  open_ = true;
  return {};
}

void StreamTransfer::close() {
  if (!open_) return;
  curl_multi_remove_handle(multi_, request_.handle());
  open_ = false;
}

void StreamTransfer::wake() {
  curl_multi_wakeup(multi_);
}

void StreamTransfer::wait(Duration timeout) {
  const auto wait = std::clamp<Duration>(timeout, Duration::zero(), std::chrono::hours(1));
  const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  // libcurl shortens the wait by its own timers, and wakes for nothing else.
  curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait_ms), nullptr);
}

std::optional<StreamTransfer::End> StreamTransfer::perform() {
  if (!open_) return std::nullopt;
  int running = 0;
  curl_multi_perform(multi_, &running);
  if (running > 0) return std::nullopt;
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_, &queued);
  RT_CHECK(message != nullptr && message->msg == CURLMSG_DONE);
  const CURLcode code = message->data.result;
  End end;
  if (called_off_) {
    end.called_off = true;
  } else if (code == CURLE_OK) {
    // A head without a body (204, or a redirect that leads nowhere) is taken now.
    if (!head_taken_ && !take_head()) end.called_off = true;
    end.complete = !end.called_off;
  } else if (header_bytes_ > kHeaderBytesMax || is_endless_line(code, head_taken_)) {
    end.failure = {Error{Code::refused,
                         fmt::format("response: header larger than {} KiB", kHeaderBytesMax / 1024),
                         {}},
                   false};
  } else {
    end.failure = request_.failure(code);
  }
  close();
  return end;
}

std::size_t StreamTransfer::on_header(char* bytes, std::size_t, std::size_t size, void* self) {
  return static_cast<StreamTransfer*>(self)->take_header_line({bytes, size}) ? size : 0;
}

std::size_t StreamTransfer::on_body(char* bytes, std::size_t, std::size_t size, void* self) {
  return static_cast<StreamTransfer*>(self)->take_body({bytes, size}) ? size : 0;
}

bool StreamTransfer::take_header_line(std::string_view line) {
  if (head_taken_) return true;  // a trailer
  header_bytes_ += line.size();
  if (line.empty()) return true;
  if (header_bytes_ > kHeaderBytesMax) return false;
  if (line.rfind("HTTP/", 0) == 0) {  // another head: after a redirect, say
    content_type_.clear();
    retry_after_.clear();
  }
  const std::size_t colon = std::min(line.find(':'), line.size() - 1);
  const std::string_view name = line.substr(0, colon);
  if (equal_ignoring_case(name, "content-type")) content_type_ = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "retry-after")) retry_after_ = trim(line.substr(colon + 1));
  const bool ends_head = line == "\r\n" || line == "\n";
  if (!ends_head) return true;
  const long status = request_.status();
  return is_interim(status) || may_go_on(status) || take_head();
}

bool StreamTransfer::take_head() {
  head_taken_ = true;
  request_.log_answer(content_type_);
  called_off_ = !taker_.head({request_.status(), content_type_, retry_after_});
  return !called_off_;
}

bool StreamTransfer::take_body(std::string_view bytes) {
  if (!head_taken_ && !take_head()) return false;
  called_off_ = !taker_.bytes(bytes);
  return !called_off_;
}

}  // namespace rt::http
