// A recording that is being made, and that goes away again unless it is finished.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace rt::rtreplay {

class UnfinishedOutput {
 public:
  UnfinishedOutput() = default;
  // Before anything is made at `path`: what is there already stays.
  explicit UnfinishedOutput(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) path_ = path;
  }
  ~UnfinishedOutput() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  UnfinishedOutput(UnfinishedOutput&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  UnfinishedOutput& operator=(UnfinishedOutput&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }

  void finished() { path_.clear(); }

 private:
  std::string path_;  // empty: nothing to remove
};

}  // namespace rt::rtreplay
