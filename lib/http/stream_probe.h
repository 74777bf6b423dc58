// One look at an event stream, with the time of everything that arrives. Measures, judges nothing:
// what it means is for the caller to say. Blocking; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/http_options.h"

namespace rt {

// All durations count from the start of the probe.
struct StreamProbe {
  enum class Phase : std::uint8_t { none, url, resolve, connect, tls, response };
  struct Item {  // an event or a comment, as its last byte arrived
    Duration at{};
    bool event = false;
    std::string id;    // the last event id at dispatch
    std::string data;  // its first kProbeDataBytes
  };
  struct Certificate {
    std::string subject;
    std::string expires;  // as libcurl writes it: "Nov  6 08:49:37 2027 GMT"
  };

  Phase failed_in = Phase::none;  // where it went wrong
  std::string failure;            // why, in one line
  std::optional<Duration> resolved;
  std::optional<Duration> connected;
  std::optional<Duration> secured;  // the TLS handshake is done
  std::optional<Duration> headed;   // the head of the answer is complete
  std::string address;              // of the peer
  std::string tls;                  // "TLSv1.3 / TLS_AES_256_GCM_SHA384"
  std::vector<Certificate> chain;
  std::string http_version;  // "1.1", "2"
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // of the last head
  WallTime headed_at{};
  std::vector<Item> items;  // at most kProbeItemsMax
  std::uint64_t bytes = 0;  // of the body, decoded
  bool ended = false;       // the server ended the stream in order
  Duration watched{};       // how long we looked

  std::string_view header(std::string_view name) const;  // any case; empty if absent
};

// A probe is a few looks long: what a busy stream sends beyond these says nothing new.
inline constexpr std::size_t kProbeItemsMax = 1000;
inline constexpr std::size_t kProbeDataBytes = 2048;

struct ProbeOptions {
  HttpOptions http;
  Duration patience{};          // looks no longer than this
  std::string accept_encoding;  // empty: none is asked for
  std::string last_event_id;    // empty: none is sent
  // Asked whenever something may have changed; true ends the look.
  std::function<bool(const StreamProbe& so_far)> enough;
  std::stop_token stop;
};

// A connection that fails is a measurement, not an error; errors are those of the options (usage)
// and a stop (cancelled).
Result<StreamProbe> probe_stream(const std::string& url, const ProbeOptions& options);

}  // namespace rt
