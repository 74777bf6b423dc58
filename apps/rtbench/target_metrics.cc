#include "rtbench/target_metrics.h"

#include <fmt/format.h>

#include <utility>

#include "load/process_metrics.h"

namespace rt::rtbench {
namespace {

constexpr Duration kBetween = std::chrono::seconds(1);
constexpr Duration kTimeout = std::chrono::seconds(2);
constexpr Duration kStale = std::chrono::seconds(5);

}  // namespace

Result<TargetSample> TargetMetrics::read(HttpGet& page, const Clock& clock) {
  const HttpReply reply = RT_TRY(page.get());
  const Instant at = clock.now();
  if (reply.status != 200) return fail(Code::refused, fmt::format("answered {}", reply.status));
  const auto use = parse_process_metrics(reply.body);
  if (!use) {
    return fail(Code::refused,
                "no process_resident_memory_bytes and process_cpu_seconds_total in it");
  }
  return TargetSample{at, *use};
}

Result<std::unique_ptr<TargetMetrics>> TargetMetrics::start(const std::string& url,
                                                            const Clock& clock) {
  HttpGet page(url, HttpOptions{}, kTimeout);
  Result<TargetSample> first = read(page, clock);
  if (!first) {
    return fail(std::move(first).error().context("target.metrics_url " + without_credentials(url)));
  }
  std::unique_ptr<TargetMetrics> metrics(new TargetMetrics(std::move(page), clock));
  metrics->latest_ = *first;
  metrics->thread_ = std::thread([it = metrics.get()] { it->run(); });
  return metrics;
}

TargetMetrics::TargetMetrics(HttpGet page, const Clock& clock)
    : page_(std::move(page)), clock_(clock) {}

TargetMetrics::~TargetMetrics() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void TargetMetrics::run() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kBetween, [this] { return over_; })) {
    lock.unlock();
    const Result<TargetSample> sample = read(page_, clock_);
    lock.lock();
    if (sample) latest_ = *sample;
  }
}

std::optional<TargetSample> TargetMetrics::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_ && clock_.now() - latest_->at < kStale ? latest_ : std::nullopt;
}

Result<std::unique_ptr<TargetMetrics>> follow_target_metrics(const Scenario& scenario,
                                                             const Clock& clock,
                                                             EngineParts& parts) {
  const TargetSpec& target = scenario.target;
  if (target.metrics_url.empty() || !target.pid_file.empty()) {
    return std::unique_ptr<TargetMetrics>();
  }
  auto metrics = RT_TRY(TargetMetrics::start(target.metrics_url, clock));
  parts.target_use = [it = metrics.get()] { return it->latest(); };
  return metrics;
}

}  // namespace rt::rtbench
