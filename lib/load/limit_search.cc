#include "load/limit_search.h"

#include <algorithm>

namespace rt {

LimitSearch::LimitSearch(const LimitSearchPlan& plan) : plan_(plan) {
  plan_.from = std::max<std::uint64_t>(1, plan_.from);
  plan_.tries = std::max(1U, plan_.tries);
  now_.load = plan_.from;
  over_ = plan_.from > plan_.to;
}

std::optional<std::uint64_t> LimitSearch::next() const {
  return over_ ? std::nullopt : std::optional(now_.load);
}

void LimitSearch::learn(Trial trial) {
  if (over_) return;
  switch (trial) {
    case Trial::holds:
      ++now_.holds;
      break;
    case Trial::fails:
      ++now_.fails;
      break;
    case Trial::invalid:
      ++now_.invalid;
      break;
  }
  const bool settled = std::max(now_.holds, now_.fails) >= plan_.tries;
  if (settled || now_.invalid > kInvalidMax) settle();
}

void LimitSearch::settle() {
  if (now_.holds >= plan_.tries) {
    now_.word = Trial::holds;
    holds_ = std::max(holds_.value_or(0), now_.load);
  } else if (now_.fails >= plan_.tries) {
    now_.word = Trial::fails;
    fails_ = std::min(fails_.value_or(UINT64_MAX), now_.load);
  } else {
    unknown_ = now_.load;
    over_ = true;
  }
  steps_.push_back(now_);
  if (!over_) choose();
}

void LimitSearch::choose() {
  if (!holds_) {  // below the first guess: halve until something holds
    over_ = *fails_ <= 1;
    now_ = Step{};
    now_.load = *fails_ / 2;
    return;
  }
  const std::uint64_t low = *holds_;
  if (low >= plan_.to) {
    over_ = true;
    return;
  }
  now_ = Step{};
  if (!fails_) {
    now_.load = low > plan_.to / 2 ? plan_.to : low * 2;
    return;
  }
  const std::uint64_t gap = *fails_ - low;
  over_ = gap <= 1 || static_cast<double>(gap) <= plan_.resolution * static_cast<double>(low);
  now_.load = low + gap / 2;
}

}  // namespace rt
