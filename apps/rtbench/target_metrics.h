// The server's memory and processor time by its own word: its page of metrics (target.metrics_url),
// read once a second by a thread of its own, so that a slow page never holds up the run.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "http/http_get.h"
#include "load/engine.h"

namespace rt::rtbench {

class TargetMetrics {
 public:
  // Reads the page once. Code::unreachable if there is none, refused if it does not say these two.
  static Result<std::unique_ptr<TargetMetrics>> start(const std::string& url, const Clock& clock);
  ~TargetMetrics();

  // Any thread. nullopt: the page was not read for 5 s.
  std::optional<TargetSample> latest() const;

 private:
  TargetMetrics(HttpGet page, const Clock& clock);
  static Result<TargetSample> read(HttpGet& page, const Clock& clock);
  void run();

  HttpGet page_;  // the thread's
  const Clock& clock_;
  mutable std::mutex mutex_;  // of the two below
  std::condition_variable ended_;
  bool over_ = false;
  std::optional<TargetSample> latest_;
  std::thread thread_;
};

// Lets `parts` sample the target by its page, if the scenario names one and no pid file, which is
// nearer to the truth. What is returned has to outlive the run.
Result<std::unique_ptr<TargetMetrics>> follow_target_metrics(const Scenario& scenario,
                                                             const Clock& clock,
                                                             EngineParts& parts);

}  // namespace rt::rtbench
