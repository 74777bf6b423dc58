#include "load/fault_pipe.h"

#include <algorithm>
#include <utility>

namespace rt {
namespace {

bool doubles(std::span<const FaultAtWork> faults) {
  return std::any_of(faults.begin(), faults.end(), [](const FaultAtWork& fault) {
    return fault.spec->kind == FaultSpec::Kind::duplicate;
  });
}

}  // namespace

void FaultPipe::take(std::string_view bytes, std::span<const FaultAtWork> faults, Instant now) {
  if (was_cut_) return;
  if (!watches_events_) {
    pass(cuts_ ? bytes.substr(0, bytes.size() / 2) : bytes, faults, now);
    was_cut_ = cuts_;
    return;
  }
  const bool twice = doubles(faults);
  frames_.take(bytes, [&](std::string_view unit, bool has_event) {
    if (was_cut_) return;
    if (has_event && cuts_) {
      pass(unit.substr(0, unit.size() / 2), faults, now);
      was_cut_ = true;
      return;
    }
    pass(unit, faults, now);
    if (has_event && twice) pass(unit, faults, now);
  });
}

void FaultPipe::pass(std::string_view bytes, std::span<const FaultAtWork> faults, Instant now) {
  Instant at = now;
  for (const FaultAtWork& fault : faults) {
    switch (fault.spec->kind) {
      case FaultSpec::Kind::latency: {
        const double part = 2 * random_.unit() - 1;
        const double jitter = part * static_cast<double>(fault.spec->jitter.count());
        at += fault.spec->delay + Duration(static_cast<std::int64_t>(jitter));
        break;
      }
      case FaultSpec::Kind::bandwidth: {
        const double seconds = static_cast<double>(bytes.size()) / fault.spec->bytes_per_s;
        free_at_ = std::max(free_at_, now) + Duration(static_cast<std::int64_t>(seconds * 1e9));
        at = std::max(at, free_at_);
        break;
      }
      case FaultSpec::Kind::stall:
      case FaultSpec::Kind::blackhole:
        at = std::max(at, fault.end);
        break;
      case FaultSpec::Kind::buffer:
        gathered_.append(bytes);
        if (gathered_.size() < fault.spec->bytes) return;
        put(std::exchange(gathered_, {}), at);
        return;
      default:
        break;
    }
  }
  put(bytes, at);
}

// The order of bytes is that of the stream, whatever the delays.
void FaultPipe::put(std::string_view bytes, Instant at) {
  if (bytes.empty()) return;
  if (!pieces_.empty()) at = std::max(at, pieces_.back().at);
  waiting_ += bytes.size();
  if (!pieces_.empty() && pieces_.back().at == at && pieces_.size() > 1) {
    pieces_.back().bytes.append(bytes);
  } else {
    pieces_.push_back({at, std::string(bytes)});
  }
}

void FaultPipe::let_go(Instant now) {
  put(std::exchange(gathered_, {}), now);
}

std::string_view FaultPipe::due(Instant now) const {
  if (pieces_.empty() || pieces_.front().at > now) return {};
  return std::string_view(pieces_.front().bytes).substr(front_sent_);
}

void FaultPipe::sent(std::size_t bytes) {
  front_sent_ += bytes;
  waiting_ -= bytes;
  if (front_sent_ < pieces_.front().bytes.size()) return;
  pieces_.pop_front();
  front_sent_ = 0;
}

Instant FaultPipe::next_due() const {
  return pieces_.empty() ? Instant::max() : pieces_.front().at;
}

}  // namespace rt
