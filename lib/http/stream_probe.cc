#include "http/stream_probe.h"

#include <curl/curl.h>

#include <algorithm>

#include "base/text.h"
#include "http/curl_request.h"
#include "proto/sse_parser.h"

namespace rt {
namespace {

using Phase = StreamProbe::Phase;

Phase phase_of(CURLcode code, const StreamProbe& probe) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Phase::url;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Phase::resolve;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return Phase::connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return Phase::tls;
    case CURLE_OPERATION_TIMEDOUT:
      return !probe.resolved ? Phase::resolve : !probe.connected ? Phase::connect : Phase::tls;
    default:
      return probe.connected ? Phase::response : Phase::connect;
  }
}

class Probe {
 public:
  explicit Probe(const ProbeOptions& options)
      : options_(options), multi_(curl_multi_init()), began_(clock_.now()) {
    RT_CHECK(multi_ != nullptr);
  }
  ~Probe() {
    curl_multi_remove_handle(multi_, request_.handle());
    curl_multi_cleanup(multi_);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  Result<StreamProbe> run(const std::string& url);

  // From the SSE parser.
  void on_event(const sse::EventView& event) {
    add({since(), true, std::string(event.id), std::string(event.data.substr(0, kProbeDataBytes))});
  }
  void on_comment(std::string_view) { add({since(), false, {}, {}}); }
  void on_retry(std::chrono::milliseconds) {}

 private:
  Result<void> open(const std::string& url);
  void end(CURLcode code);
  void note_times();
  void note_certificates();
  void take_header(std::string_view line);
  Duration since() const { return clock_.now() - began_; }
  void add(StreamProbe::Item item) {
    if (out_.items.size() < kProbeItemsMax) out_.items.push_back(std::move(item));
  }
  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) {
    static_cast<Probe*>(self)->take_header({bytes, size});
    return size;
  }
  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) {
    auto* probe = static_cast<Probe*>(self);
    probe->out_.bytes += size;
    probe->parser_.receive({bytes, size}, *probe);
    return size;
  }
  static int on_debug(CURL*, curl_infotype type, char* bytes, std::size_t size, void* self) {
    constexpr std::string_view kSecured = "SSL connection using ";
    const std::string_view text(bytes, size);
    if (type == CURLINFO_TEXT && text.substr(0, kSecured.size()) == kSecured) {
      static_cast<Probe*>(self)->out_.tls = trim(text.substr(kSecured.size()));
    }
    return 0;
  }

  const ProbeOptions& options_;
  CURLM* multi_;
  http::Request request_;
  sse::Parser parser_;
  SystemClock clock_;
  Instant began_;
  StreamProbe out_;
};

Result<void> Probe::open(const std::string& url) {
  HttpOptions http = options_.http;
  http.compression = options_.accept_encoding;
  std::vector<std::string> own = {"Accept: text/event-stream", "Cache-Control: no-cache"};
  if (!options_.last_event_id.empty()) own.push_back("Last-Event-ID: " + options_.last_event_id);
  RT_CHECKED(request_.prepare(url, http, own));
  CURL* easy = request_.handle();
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Probe::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Probe::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  // The protocol version is told nowhere else.
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &Probe::on_debug);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, this);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
    return fail(Code::internal, "libcurl takes no more handles");
  }
  return {};
}

Result<StreamProbe> Probe::run(const std::string& url) {
  RT_CHECKED(open(url));
  // Short enough to see a stop request in time.
  constexpr int kSliceMs = 100;
  for (;;) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    note_times();
    out_.watched = since();
    if (options_.stop.stop_requested()) return fail(Code::cancelled, "stopped");
    if (running == 0) break;
    if (out_.watched >= options_.patience) return out_;
    if (options_.enough && options_.enough(out_)) return out_;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(options_.patience - out_.watched).count();
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, kSliceMs)),
                    nullptr);
  }
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_, &queued);
  RT_CHECK(message != nullptr && message->msg == CURLMSG_DONE);
  end(message->data.result);
  return out_;
}

void Probe::end(CURLcode code) {
  note_certificates();
  if (code == CURLE_OK) {
    out_.ended = true;
    return;
  }
  out_.failed_in = phase_of(code, out_);
  out_.failure = request_.failure(code).error.text;
}

void Probe::note_times() {
  const auto note = [&](CURLINFO info, std::optional<Duration>& into) {
    curl_off_t us = 0;
    if (into || curl_easy_getinfo(request_.handle(), info, &us) != CURLE_OK || us == 0) return;
    into = std::chrono::microseconds(us);
  };
  note(CURLINFO_NAMELOOKUP_TIME_T, out_.resolved);
  note(CURLINFO_CONNECT_TIME_T, out_.connected);
  note(CURLINFO_APPCONNECT_TIME_T, out_.secured);
  const char* address = nullptr;
  curl_easy_getinfo(request_.handle(), CURLINFO_PRIMARY_IP, &address);
  if (address != nullptr) out_.address = address;
  if (out_.headed && out_.chain.empty()) note_certificates();
}

void Probe::note_certificates() {
  curl_certinfo* info = nullptr;
  if (curl_easy_getinfo(request_.handle(), CURLINFO_CERTINFO, &info) != CURLE_OK) return;
  if (info == nullptr || !out_.chain.empty()) return;
  for (int i = 0; i < info->num_of_certs; ++i) {
    StreamProbe::Certificate& certificate = out_.chain.emplace_back();
    for (const curl_slist* line = info->certinfo[i]; line != nullptr; line = line->next) {
      const std::string_view text = line->data;
      if (text.rfind("Subject:", 0) == 0) certificate.subject = text.substr(8);
      if (text.rfind("Expire date:", 0) == 0) certificate.expires = text.substr(12);
    }
  }
}

void Probe::take_header(std::string_view line) {
  if (line.rfind("HTTP/", 0) == 0) {  // another head: after a redirect, say
    out_.headers.clear();
    out_.http_version = line.substr(5, line.find(' ') - 5);
    out_.headed.reset();
    return;
  }
  const std::string_view text = trim(line);
  const std::size_t colon = text.find(':');
  constexpr std::size_t kHeadersMax = 200;  // an endless head ends with the patience
  if (colon != text.npos && out_.headers.size() < kHeadersMax) {
    out_.headers.emplace_back(trim(text.substr(0, colon)), trim(text.substr(colon + 1)));
  }
  if (!text.empty()) return;
  out_.status = request_.status();
  out_.headed = since();
  out_.headed_at = clock_.wall();
}

}  // namespace

std::string_view StreamProbe::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

Result<StreamProbe> probe_stream(const std::string& url, const ProbeOptions& options) {
  return Probe(options).run(url);
}

}  // namespace rt
