// The looks at a stream that `rtctl doctor` judges.
#include <fmt/format.h>

#include "base/units.h"
#include "rtctl/doctor_http.h"

namespace rt::rtctl {
namespace {

// A stream that answers is asked to prove no more than this: a sign of life after the first
// second, and three seconds in which arrivals could come in bursts.
constexpr Duration kBeginning = std::chrono::seconds(1);
constexpr Duration kShortest = std::chrono::seconds(3);
// After a reconnect a server that starts over does so at once.
constexpr Duration kResumeLook = std::chrono::seconds(2);

bool is_stream(const StreamProbe& probe) {
  return probe.headed && probe.status == 200;
}

bool seen_enough(const StreamProbe& so_far) {
  if (!so_far.headed) return false;
  if (so_far.status != 200) return true;
  if (so_far.items.empty() || so_far.watched < *so_far.headed + kShortest) return false;
  return so_far.items.back().at >= *so_far.headed + kBeginning;
}

std::string last_id(const StreamProbe& probe) {
  for (auto item = probe.items.rbegin(); item != probe.items.rend(); ++item) {
    if (item->event && !item->id.empty()) return item->id;
  }
  return {};
}

std::string shown_url(const std::string& url) {
  const std::size_t start = url.find("://");
  const std::size_t end = start == url.npos ? 0 : std::min(url.find('/', start + 3), url.size());
  const std::size_t at = url.rfind('@', end);
  return start == url.npos || at == url.npos || at < start
             ? url
             : url.substr(0, start + 3) + url.substr(at + 1);
}

}  // namespace

Result<HttpFacts> measure_http(const HttpPlan& plan) {
  HttpFacts facts;
  facts.url = shown_url(plan.url);
  facts.patience = plan.patience;
  ProbeOptions look{plan.http, plan.patience, {}, {}, seen_enough, plan.stop};
  plan.tell(fmt::format("looking at {} for a heartbeat, {} at most (--patience)", facts.url,
                        format_duration(plan.patience)));
  facts.plain = RT_TRY(probe_stream(plan.url, look));
  if (!is_stream(facts.plain)) return facts;
  facts.resumed_after = last_id(facts.plain);
  if (plan.resume && !facts.resumed_after.empty()) {
    plan.tell("reconnecting after the last id");
    look.last_event_id = facts.resumed_after;
    look.enough = [](const StreamProbe& so_far) {
      return so_far.headed && so_far.watched >= *so_far.headed + kResumeLook;
    };
    facts.resumed = RT_TRY(probe_stream(plan.url, look));
    look.last_event_id.clear();
  }
  if (plan.gzip) {
    plan.tell("asking once more, with gzip");
    look.accept_encoding = "gzip";
    look.enough = [](const StreamProbe& so_far) {
      return so_far.headed && (!so_far.items.empty() || so_far.header("content-encoding").empty());
    };
    facts.zipped = RT_TRY(probe_stream(plan.url, look));
  }
  return facts;
}

}  // namespace rt::rtctl
