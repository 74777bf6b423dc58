// `--dump DIR`: the data of each event in a file of its own, "00000001-delta-<id>"; `--dump -`: on
// standard output, each ended by NUL (for xargs -0).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "rtctl/event_format.h"

namespace rt::rtctl {

// The name of event number n: what is not a letter, digit, dot, _ or - becomes _; at most 120
// bytes. Pure.
std::string dump_name(const ShownEvent& event, std::uint64_t n);

// Creates the folder if it is missing. Code::usage if it cannot be written to.
Result<void> prepare_dump(const std::string& folder);
Result<void> dump_event(const std::string& folder, const ShownEvent& event, std::uint64_t n);

}  // namespace rt::rtctl
