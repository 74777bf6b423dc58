// What a check of `rtctl doctor` found. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace rt::rtctl {

enum class Mark : std::uint8_t { ok, skipped, warn, fail };  // the worst is the largest

struct Finding {
  Mark mark = Mark::ok;
  std::string text;  // one line
  std::string fix;   // for warn and fail: a command or setting that helps
};

inline Finding found_ok(std::string text) {
  return {Mark::ok, std::move(text), {}};
}
inline Finding found_skipped(std::string text) {
  return {Mark::skipped, std::move(text), {}};
}
inline Finding found_warn(std::string text, std::string fix) {
  return {Mark::warn, std::move(text), std::move(fix)};
}
inline Finding found_fail(std::string text, std::string fix) {
  return {Mark::fail, std::move(text), std::move(fix)};
}

}  // namespace rt::rtctl
