// What an event stream over HTTP looks like from here, check by check. Judgements are pure; what
// they judge is measured by measure_http().
//
// The stream is looked at up to three times: as it is; again with the Last-Event-ID of an event
// that was seen; again with "Accept-Encoding: gzip". What that can and cannot know:
//  - heartbeat: the longest silence while we looked (--patience). A server whose heartbeat is
//    rarer than that is only warned of, until the patience is a minute: the usual idle limit of
//    proxies.
//  - buffering: arrivals are grouped where less than 20 ms lie between them. Two heartbeats, or
//    events made after the stream opened and more than a second apart (by the time in their data),
//    in one group later than the first second of the stream, were held back by somebody. A
//    Content-Length says the same. A stream on which nothing comes in groups is not held back as
//    far as can be seen; a buffer that is larger than what came in the patience shows as a missing
//    heartbeat or first byte instead. Who holds back, server or proxy, cannot be told from here.
//  - resume: a server that sends an id again that it was asked to go on after starts over. That
//    nothing was lost cannot be told.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/http_options.h"
#include "http/stream_probe.h"
#include "rtctl/doctor_finding.h"

namespace rt::rtctl {

struct HttpFacts {
  std::string url;  // without credentials
  Duration patience{};
  StreamProbe plain;
  std::string resumed_after;  // the id that `resumed` sent
  std::optional<StreamProbe> resumed;
  std::optional<StreamProbe> zipped;
};

Finding judge_resolve(const HttpFacts& facts);
Finding judge_connect(const HttpFacts& facts);
Finding judge_tls(const HttpFacts& facts);
Finding judge_http_version(const HttpFacts& facts);
Finding judge_status(const HttpFacts& facts);
Finding judge_content_type(const HttpFacts& facts);
Finding judge_first_byte(const HttpFacts& facts);
Finding judge_heartbeat(const HttpFacts& facts);
Finding judge_buffering(const HttpFacts& facts);
Finding judge_resume(const HttpFacts& facts);
Finding judge_gzip(const HttpFacts& facts);
Finding judge_caching(const HttpFacts& facts);
Finding judge_http_clock(const HttpFacts& facts);

struct HttpPlan {
  std::string url;
  HttpOptions http;
  Duration patience{};
  bool resume = true;  // look a second and a third time?
  bool gzip = true;
  std::function<void(const std::string& line)> tell;  // what we are waiting for
  std::stop_token stop;
};
Result<HttpFacts> measure_http(const HttpPlan& plan);

}  // namespace rt::rtctl
