// The hub's part of the way out: what was accepted reaches the shards before their last message.
#include "server/hub.h"

namespace rt::server {

// Whether every shard takes no more messages, and those it took have been served.
bool Hub::has_heard_shards() const {
  for (const Link* link : links_) {
    // In this order: nothing is published after the mark, so an empty ring stays without.
    if (!link->draining.load(std::memory_order_acquire) || link->to_hub.size() > 0) return false;
  }
  return true;
}

// Each of them stays until the last one has nothing left to send.
void Hub::tell_shards_done() {
  if (shards_told_ || drain_.shards_done() < links_.size()) return;
  for (Link* const link : links_) link->shard_wakeup.ring();
  shards_told_ = true;
}

// After a round. Once the surfaces have nothing on its way, or the time is over, each shard gets
// its last message; from then on the hub says nothing to them.
void Hub::drain() {
  if (finished_) return tell_shards_done();
  if (!drain_.has_begun()) return;
  const bool is_late = clock_.now() >= drain_.deadline();
  if (!is_late && !has_heard_shards()) return;
  std::array<bool, kSurfaceCount> behind{};
  const auto runs = static_cast<std::size_t>(Surface::runs);
  behind[runs] = batches_[runs]->size() > 0;
  bool is_behind = behind[runs];
  for (std::size_t surface = 0; surface < kSurfaceCount; ++surface) {
    if (boards_[surface] == nullptr) continue;
    behind[surface] = !boards_[surface]->drain();
    is_behind |= behind[surface];
  }
  if (is_behind && !is_late) return;
  for (std::size_t surface = 0; surface < kSurfaceCount; ++surface) {
    if (behind[surface]) drain_.set_behind(static_cast<Surface>(surface));
  }
  for (std::size_t shard = 0; shard < links_.size(); ++shard) {
    ToShard message;
    message.kind = ToShard::Kind::finish;
    post(shard, std::move(message));
  }
  ring_shards();
  finished_ = true;
  drain_.set_hub_done();
}

}  // namespace rt::server
