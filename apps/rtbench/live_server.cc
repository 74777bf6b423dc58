#include "rtbench/live_server.h"

#include <nlohmann/json.hpp>

#include "report/prometheus.h"

namespace rt::rtbench {

Result<std::unique_ptr<LiveServer>> LiveServer::start(const std::string& address,
                                                      const std::string& scenario,
                                                      const Clock& clock) {
  std::unique_ptr<LiveServer> live(new LiveServer(scenario));
  live->pages_ = RT_TRY(PageServer::start(
      address, [it = live.get()](const http1::RequestHead& head) { return it->answer_to(head); },
      clock));
  return live;
}

void LiveServer::publish(const EngineProgress& progress) {
  const std::lock_guard lock(mutex_);
  now_ = progress;
  totals_.offered += progress.second.offered;
  totals_.sent += progress.second.sent;
  totals_.received += progress.second.received;
  seconds_.push_back(progress.second);
  seconds_.back().delivery = {};  // the page shows percentiles alone
  if (seconds_.size() > kSecondsMax) seconds_.erase(seconds_.begin());
}

Page LiveServer::answer_to(const http1::RequestHead& head) {
  if (head.path == "/") return {"200 OK", "text/html; charset=utf-8", std::string(kLivePage)};
  if (head.path == "/live.json") return {"200 OK", "application/json", live_json()};
  if (head.path == "/metrics") {
    return {"200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics()};
  }
  return {"404 Not Found", "text/plain", "there are /, /live.json and /metrics\n"};
}

std::string LiveServer::live_json() {
  const std::lock_guard lock(mutex_);
  nlohmann::ordered_json seconds = nlohmann::ordered_json::array();
  for (const SecondSample& s : seconds_) {
    seconds.push_back({s.at_s, s.connections, s.offered, s.sent, s.received, s.p50_us / 1'000,
                       s.p95_us / 1'000, s.max_us / 1'000, s.late_max_us / 1'000});
  }
  const nlohmann::ordered_json out = {
      {"scenario", scenario_},
      {"phase", now_.phase},
      {"elapsed_s", now_.elapsed_s},
      {"phase_left_s", now_.phase_left_s},
      {"asked", now_.asked},
      {"gave_up", now_.gave_up},
      {"columns",
       {"at_s", "connections", "offered", "achieved", "received", "p50", "p95", "max", "late_max"}},
      {"seconds", std::move(seconds)}};
  return out.dump();
}

std::string LiveServer::metrics() {
  const std::lock_guard lock(mutex_);
  LiveFigures live;
  live.scenario = scenario_;
  live.phase = now_.phase;
  live.elapsed_s = now_.elapsed_s;
  live.asked = now_.asked;
  live.gave_up = now_.gave_up;
  live.offered = totals_.offered;
  live.sent = totals_.sent;
  live.received = totals_.received;
  live.second = now_.second;
  return prometheus_live(live);
}

}  // namespace rt::rtbench
