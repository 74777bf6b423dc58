// Judgements over the way to the stream: name, connection, TLS, the head of the answer.
#include "rtctl/doctor_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "proto/http1_head.h"
#include "proto/http_date.h"

namespace rt::rtctl {
namespace {

using Phase = StreamProbe::Phase;

bool is_https(const HttpFacts& facts) {
  return facts.url.rfind("https:", 0) == 0;
}

// What libcurl said without the phase in front: "connect: Connection refused" -> the reason.
std::string reason(const StreamProbe& probe) {
  const std::size_t colon = probe.failure.find(": ");
  return colon == std::string::npos ? probe.failure : probe.failure.substr(colon + 2);
}

std::string host(const HttpFacts& facts) {
  const std::size_t start = std::min(facts.url.find("://"), facts.url.size() - 3) + 3;
  const std::size_t end = facts.url.find_first_of(":/?", start);
  return facts.url.substr(start, end == std::string::npos ? end : end - start);
}

Finding wrong_status(long status) {
  const std::string text = fmt::format("the answer is {}, not 200", status);
  switch (status) {
    case 204:
      return found_fail(text + ": it tells clients to stop for good", "ask for another path");
    case 401:
    case 403:
      return found_fail(text, "give credentials: --token-file FILE, -H @FILE or --netrc");
    case 404:
    case 405:
      return found_fail(text, "check the path; \"rtctl serve\" has /v1/runs/stream");
    case 429:
      return found_fail(text, "wait, or raise the server's limit of streams for one client");
    default:
      return found_fail(text, status >= 500 ? "look into the log of the server or of its proxy"
                                            : "check the URL and the headers (-H)");
  }
}

}  // namespace

Finding judge_resolve(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (probe.failed_in == Phase::url) {
    return found_fail(reason(probe), "write it as http://HOST:PORT/PATH or https://HOST/PATH");
  }
  if (probe.failed_in == Phase::resolve) {
    return found_fail(reason(probe), fmt::format("check the name: getent hosts {}", host(facts)));
  }
  if (!probe.resolved) return found_skipped("no name to resolve");
  return found_ok(fmt::format("{} in {}", host(facts), format_duration(*probe.resolved)));
}

Finding judge_connect(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (probe.failed_in == Phase::connect) {
    return found_fail(reason(probe),
                      "start the server (rtctl serve), or check address, port and firewall");
  }
  if (!probe.connected) return found_skipped("not reached");
  const Duration took = *probe.connected - probe.resolved.value_or(Duration::zero());
  return found_ok(fmt::format("{} in {}", probe.address.empty() ? "connected" : probe.address,
                              format_duration(took)));
}

Finding judge_tls(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!is_https(facts)) return found_skipped("plain HTTP");
  if (probe.failed_in == Phase::tls) {
    return found_fail(reason(probe),
                      "renew the certificate, or name its authority with --cacert FILE");
  }
  if (!probe.headed) return found_skipped("not reached");
  if (probe.tls.find("TLSv1.0") != std::string::npos ||
      probe.tls.find("TLSv1.1") != std::string::npos) {
    return found_warn(probe.tls + " is out of date (RFC 8996)",
                      "allow TLS 1.2 and 1.3 only: nginx ssl_protocols TLSv1.2 TLSv1.3;");
  }
  std::optional<WallTime> expires;
  for (const StreamProbe::Certificate& certificate : probe.chain) {
    // "Nov  6 08:49:37 2027 GMT" is an HTTP date of the oldest kind without its weekday.
    std::string text = certificate.expires;
    if (const auto zone = text.find(" GMT"); zone != text.npos) text.resize(zone);
    const auto date = parse_http_date("Sun " + text);
    if (date && (!expires || *date < *expires)) expires = date;
  }
  if (!expires) return found_ok(probe.tls);
  const double days =
      std::chrono::duration<double, std::ratio<86400>>(*expires - probe.headed_at).count();
  const std::size_t count = probe.chain.size();
  const std::string text =
      fmt::format("{}, {} {}, {:.0f} days left", probe.tls, count,
                  count == 1 ? "certificate" : "certificates", std::floor(days));
  constexpr double kFailDays = 1;
  constexpr double kWarnDays = 14;  // automatic renewal happens a month before the end
  if (days < kFailDays) return found_fail(text, "renew the certificate now: certbot renew");
  if (days < kWarnDays) return found_warn(text, "renew the certificate: certbot renew");
  return found_ok(text);
}

Finding judge_http_version(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!probe.headed) return found_skipped("not reached");
  if (is_https(facts) && probe.http_version.rfind("1", 0) == 0) {
    return found_warn(
        fmt::format("HTTP/{}: a browser opens at most 6 streams to one host", probe.http_version),
        "offer HTTP/2: nginx \"listen 443 ssl http2;\", HAProxy \"alpn h2,http/1.1\"");
  }
  return found_ok("HTTP/" + probe.http_version);
}

Finding judge_status(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (probe.failed_in == Phase::response) {
    return found_fail(reason(probe), "look into the log of the server or of its proxy");
  }
  if (probe.headed) return probe.status == 200 ? found_ok("200") : wrong_status(probe.status);
  if (!probe.connected) return found_skipped("not reached");
  if (probe.failed_in != Phase::none) return found_skipped("not reached");
  return found_fail(
      fmt::format("no answer within {}", format_duration(probe.watched)),
      "if a proxy waits for the whole answer: nginx proxy_buffering off; else ask the server");
}

Finding judge_content_type(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!probe.headed) return found_skipped("not reached");
  const std::string type(probe.header("content-type"));
  if (http1::is_event_stream(type)) return found_ok(type);
  return found_fail(type.empty() ? "there is none" : type + " is no event stream",
                    "answer with Content-Type: text/event-stream; clients refuse all others");
}

Finding judge_caching(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!probe.headed) return found_skipped("not reached");
  const std::string_view control = probe.header("cache-control");
  const auto says = [&](std::string_view word) { return control.find(word) != control.npos; };
  constexpr const char* kFix = "answer with Cache-Control: no-cache, no-transform";
  if (!says("no-cache") && !says("no-store")) {
    return found_warn("Cache-Control lets proxies keep the stream", kFix);
  }
  if (!says("no-transform") && probe.header("content-encoding").empty()) {
    return found_warn("without no-transform a proxy may compress the stream, and hold it back",
                      kFix);
  }
  return found_ok(std::string(control));
}

Finding judge_http_clock(const HttpFacts& facts) {
  const StreamProbe& probe = facts.plain;
  if (!probe.headed) return found_skipped("not reached");
  const auto date = parse_http_date(probe.header("date"));
  if (!date) return found_skipped("the answer has no Date");
  // Date is cut to the second: half of one is its middle. The head travelled for at most this long.
  const double wait_s =
      std::chrono::duration<double>(*probe.headed - probe.connected.value_or(Duration::zero()))
          .count();
  const double offset_s =
      std::chrono::duration<double>(*date - probe.headed_at).count() + 0.5 + wait_s / 2;
  const double error_s = 0.5 + wait_s / 2;
  const std::string text =
      fmt::format("the server's clock is {:+.1f} s from ours (± {:.1f} s)", offset_s, error_s);
  constexpr double kWarnSeconds = 2;
  constexpr double kFailSeconds = 60;  // tokens and signatures are refused from about there
  const double sure_s = std::abs(offset_s) - error_s;
  if (sure_s > kFailSeconds) return found_fail(text, "set the clocks: timedatectl set-ntp true");
  if (sure_s > kWarnSeconds) return found_warn(text, "set the clocks: timedatectl set-ntp true");
  return found_ok(text);
}

}  // namespace rt::rtctl
