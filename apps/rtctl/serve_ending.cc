#include "rtctl/serve_ending.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace rt::rtctl {

Ending::~Ending() {
  for (std::thread& thread : threads_) thread.join();
}

void Ending::begin(std::string_view name, std::function<void()> step) {
  const std::lock_guard lock(mutex_);
  running_.emplace_back(name);
  threads_.emplace_back([this, name = std::string(name), step = std::move(step)] {
    step();
    const std::lock_guard over(mutex_);
    running_.erase(std::find(running_.begin(), running_.end(), name));
    step_over_.notify_all();
  });
}

bool Ending::wait(Duration patience) {
  std::unique_lock lock(mutex_);
  return step_over_.wait_for(lock, patience, [this] { return running_.empty(); });
}

std::string Ending::unfinished() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}", fmt::join(running_, ","));
}

void leave(int status) {
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace rt::rtctl
