// The run under way over HTTP, for a browser and for Prometheus: GET / is a page, /live.json its
// data, /metrics the figures of the moment. publish() only hands over.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "load/engine.h"
#include "rtbench/page_server.h"

namespace rt::rtbench {

class LiveServer {
 public:
  // address: "127.0.0.1:8090"; port 0 picks one.
  static Result<std::unique_ptr<LiveServer>> start(const std::string& address,
                                                   const std::string& scenario, const Clock& clock);

  const std::string& url() const { return pages_->url(); }
  void publish(const EngineProgress& progress);

 private:
  // Seconds kept for the page: an hour.
  static constexpr std::size_t kSecondsMax = 3'600;

  explicit LiveServer(std::string scenario) : scenario_(std::move(scenario)) {}
  Page answer_to(const http1::RequestHead& head);
  std::string live_json();
  std::string metrics();

  const std::string scenario_;
  std::mutex mutex_;  // of the three below
  EngineProgress now_;
  std::vector<SecondSample> seconds_;
  SecondSample totals_;
  std::unique_ptr<PageServer> pages_;  // last: its thread ends before the rest goes
};

extern const std::string_view kLivePage;

}  // namespace rt::rtbench
