#include "rtreplay/stream_diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt::rtreplay {

void TimeShift::add(std::int64_t shift_us) {
  if (pairs++ == 0) first_us = least_us = most_us = shift_us;
  least_us = std::min(least_us, shift_us);
  most_us = std::max(most_us, shift_us);
}

std::uint64_t DiffJudge::identity(const Waiting& waiting) const {
  if (by_ == By::content || !waiting.is_row) return waiting.body_hash;
  return waiting.position.lsn * 0x9E3779B97F4A7C15ULL + waiting.position.index;
}

void DiffJudge::note(StreamDiff::Kind kind, const Waiting& where) {
  if (where.stream->counts[kind]++ > 0) return;
  where.stream->first[kind] =
      where.is_row ? where.position.text() : fmt::format("number {}", where.number + 1);
}

void DiffJudge::remove(int side, Queue::iterator which) {
  Side& here = sides_[side];
  for (const auto& [index, hash] :
       {std::pair{&here.by_identity, identity(*which)}, std::pair{&here.by_key, which->key_hash}}) {
    const auto found = index->find(hash);
    auto& all = found->second;
    all.erase(std::find(all.begin(), all.end(), which));
    if (all.empty()) index->erase(found);
  }
  here.waiting.erase(which);
}

// A pair is out of order if only one of its sides lies beyond the furthest pair in order.
void DiffJudge::pair(const Waiting& a, const Waiting& b) {
  shift_.add(b.time_us - a.time_us);
  if (a.body_hash != b.body_hash) return note(StreamDiff::changed, a);
  Order& order = orders_[a.stream];
  const bool moved =
      by_ == By::content && order.any && (a.number > order.a) != (b.number > order.b);
  if (moved) return note(StreamDiff::moved, a);
  if (!order.any || a.number > order.a) order = {a.number, b.number, true};
  ++a.stream->same;
}

bool DiffJudge::pair_with_waiting(const Waiting& arrived, int side, Index& index,
                                  std::uint64_t hash) {
  const auto found = index.find(hash);
  if (found == index.end()) return false;
  const auto like = found->second.front();
  if (side == 0)
    pair(arrived, *like);
  else
    pair(*like, arrived);
  remove(1 - side, like);
  return true;
}

void DiffJudge::take(const Change& change, int side) {
  auto stream = streams_.find(change.stream);
  if (stream == streams_.end()) {
    stream = streams_.emplace(std::string(change.stream), StreamDiff{}).first;
  }
  Waiting arrived;
  arrived.stream = &stream->second;
  arrived.key_hash = change.key_hash;
  arrived.body_hash = change.body_hash;
  arrived.number = sides_[side].numbers[arrived.stream]++;
  arrived.time_us = change.time_us;
  arrived.position = change.position;
  arrived.is_row = change.op != 'E';
  Side& other = sides_[1 - side];
  if (pair_with_waiting(arrived, side, other.by_identity, identity(arrived))) return;
  Side& here = sides_[side];
  here.waiting.push_back(arrived);
  const auto placed = std::prev(here.waiting.end());
  here.by_identity[identity(arrived)].push_back(placed);
  here.by_key[arrived.key_hash].push_back(placed);
  if (here.waiting.size() > window_) give_up_oldest(side);
}

// Nothing says the same. Something about the same thing is its changed form, else it stands alone.
void DiffJudge::give_up_oldest(int side) {
  const auto oldest = sides_[side].waiting.begin();
  const Waiting lonely = *oldest;
  remove(side, oldest);
  const bool by_key = by_ == By::content || !lonely.is_row;
  if (by_key && pair_with_waiting(lonely, side, sides_[1 - side].by_key, lonely.key_hash)) return;
  note(side == 0 ? StreamDiff::missing : StreamDiff::extra, lonely);
}

void DiffJudge::finish() {
  for (const int side : {0, 1}) {
    while (!sides_[side].waiting.empty()) give_up_oldest(side);
  }
}

}  // namespace rt::rtreplay
