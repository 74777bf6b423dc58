#include "rtctl/publish_echo.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rt::rtctl {
namespace {

// A server that does not say where its past ends is taken to have told it by then.
constexpr Duration kPastMax = std::chrono::seconds(1);

std::string sorted(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string echo_key(std::string_view data) {
  const auto value = nlohmann::json::parse(data.begin(), data.end(), nullptr, false);
  return value.is_discarded() ? std::string(data) : sorted(value);
}

std::string echo_member(std::string_view data, const char* name) {
  const auto value = nlohmann::json::parse(data.begin(), data.end(), nullptr, false);
  if (!value.is_object() || !value.contains(name)) return {};
  const auto& member = value[name];
  return member.is_string() ? member.get<std::string>() : sorted(member);
}

EchoWatch::~EchoWatch() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<void> EchoWatch::open(const std::string& id, Duration timeout, const std::stop_token& stop) {
  stream_ = RT_TRY(source_.open(id));
  thread_ = std::jthread([this](const std::stop_token& own) {
    Result<StreamEnd> end = stream_->run(*this, own);
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!end) failure_ = std::move(end).error();
    changed_.notify_all();
  });
  const Instant deadline = clock_.now() + timeout;
  std::unique_lock lock(mutex_);
  const bool settled =
      changed_.wait_until(lock, stop, deadline, [this] { return open_ || ended_; });
  if (failure_ && !open_) {
    Error error = Error(*failure_).context("cannot wait for the message");
    if (error.code == Code::unreachable && error.hint.empty()) {
      error.hint = "--await subscribes at the server that --url names; is it up?";
    }
    return fail(std::move(error));
  }
  if (!settled) {
    const char* why = stop.stop_requested() ? "interrupted" : "it did not open in time";
    return fail(stop.stop_requested() ? Code::cancelled : Code::unreachable,
                fmt::format("cannot subscribe to {}: {}", stream_->name(), why));
  }
  if (source_.tells_past) {
    const Instant told = std::min(deadline, clock_.now() + kPastMax);
    changed_.wait_until(lock, stop, told, [this] { return caught_up_ || ended_; });
  }
  return {};
}

void EchoWatch::expect(const std::string& key, std::uint64_t number, Instant since) {
  const std::lock_guard lock(mutex_);
  pending_.emplace(key, Pending{number, since});
}

void EchoWatch::forget(const std::string& key, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = pending_.equal_range(key);
  const auto found = std::find_if(
      first, last, [number](const auto& entry) { return entry.second.number == number; });
  if (found != last) pending_.erase(found);
}

std::vector<EchoWatch::Back> EchoWatch::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(back_, {});
}

bool EchoWatch::wait(Instant deadline, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, stop, deadline, [this] {
    return !back_.empty() || pending_.empty() || ended_;
  }) && !ended_;
}

std::size_t EchoWatch::missing() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

std::optional<Error> EchoWatch::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool EchoWatch::on_event(const StreamEvent& event) {
  const Instant now = clock_.now();
  const std::string key = source_.key_of(event);
  const std::lock_guard lock(mutex_);
  const auto [first, last] = pending_.equal_range(key);
  if (key.empty() || first == last) return true;
  // Alike messages come back in the order in which they were sent.
  const auto oldest = std::min_element(
      first, last, [](const auto& a, const auto& b) { return a.second.number < b.second.number; });
  back_.push_back({oldest->second.number, now - oldest->second.since});
  pending_.erase(oldest);
  changed_.notify_all();
  return true;
}

void EchoWatch::on_open(bool) {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

bool EchoWatch::on_caught_up() {
  const std::lock_guard lock(mutex_);
  caught_up_ = true;
  changed_.notify_all();
  return true;
}

void EchoWatch::on_retry(const StreamRetry& retry) {
  const std::lock_guard lock(mutex_);
  // The first connection failed: say so at once instead of waiting for better times.
  if (open_) return;
  failure_ = retry.reason;
  ended_ = true;
  changed_.notify_all();
}

}  // namespace rt::rtctl
