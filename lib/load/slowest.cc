#include "load/slowest.h"

#include <algorithm>
#include <tuple>

namespace rt {
namespace {

bool is_kept_before(const Slowest::Kept& a, const Slowest::Kept& b) {
  if (a.us != b.us) return a.us > b.us;
  return std::tie(a.delivery.subscription, a.delivery.sequence) <
         std::tie(b.delivery.subscription, b.delivery.sequence);
}

}  // namespace

bool is_slower(const SlowDelivery& a, const SlowDelivery& b) {
  if (a.delivery_us != b.delivery_us) return a.delivery_us > b.delivery_us;
  return std::tie(a.connection, a.event, a.topic) < std::tie(b.connection, b.event, b.topic);
}

void add_slowest(SlowDeliveries& sum, const SlowDeliveries& part) {
  sum.most = std::max(sum.most, part.most);
  sum.list.insert(sum.list.end(), part.list.begin(), part.list.end());
  std::sort(sum.list.begin(), sum.list.end(), is_slower);
  if (sum.list.size() > sum.most) sum.list.resize(sum.most);
}

void Slowest::keep(const Kept& kept) {
  if (most_ == 0) return;
  if (heap_.size() == most_) {
    if (!is_kept_before(kept, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), is_kept_before);
    heap_.pop_back();
  }
  heap_.push_back(kept);
  std::push_heap(heap_.begin(), heap_.end(), is_kept_before);
  if (heap_.size() == most_) floor_us_ = heap_.front().us;
}

}  // namespace rt
