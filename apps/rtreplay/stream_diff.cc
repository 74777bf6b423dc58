#include "rtreplay/stream_diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt::rtreplay {

void TimeShift::add(std::int64_t shift_us) {
  if (pairs++ == 0) first_us = least_us = most_us = shift_us;
  least_us = std::min(least_us, shift_us);
  most_us = std::max(most_us, shift_us);
}

std::uint64_t DiffJudge::hash_of(const Waiting& waiting, Chain chain) const {
  if (chain == by_key) return waiting.key_hash;
  if (by_ == By::content || !waiting.is_row) return waiting.body_hash;
  return waiting.position.lsn * 0x9E3779B97F4A7C15ULL + waiting.position.index;
}

void DiffJudge::note(StreamDiff::Kind kind, const Waiting& where) {
  if (where.stream->counts[kind]++ > 0) return;
  where.stream->first[kind] =
      where.is_row ? where.position.text() : fmt::format("number {}", where.number + 1);
}

void DiffJudge::add(int side, const Waiting& arrived) {
  Side& here = sides_[side];
  Node& node = here.waiting.emplace_back();
  node.waiting = arrived;
  node.self = std::prev(here.waiting.end());
  for (const Chain chain : {by_identity, by_key}) {
    Ends& ends = here.indexes[chain][hash_of(arrived, chain)];
    node.before[chain] = ends.last;
    if (ends.last != nullptr)
      ends.last->after[chain] = &node;
    else
      ends.first = &node;
    ends.last = &node;
  }
}

void DiffJudge::remove(int side, Node& node) {
  Side& here = sides_[side];
  for (const Chain chain : {by_identity, by_key}) {
    const auto ends = here.indexes[chain].find(hash_of(node.waiting, chain));
    Node* const before = node.before[chain];
    Node* const after = node.after[chain];
    (before != nullptr ? before->after[chain] : ends->second.first) = after;
    (after != nullptr ? after->before[chain] : ends->second.last) = before;
    if (ends->second.first == nullptr) here.indexes[chain].erase(ends);
  }
  here.waiting.erase(node.self);
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

bool DiffJudge::pair_with_waiting(const Waiting& arrived, int side, Chain chain) {
  const Index& index = sides_[1 - side].indexes[chain];
  const auto found = index.find(hash_of(arrived, chain));
  if (found == index.end()) return false;
  Node& like = *found->second.first;
  if (side == 0)
    pair(arrived, like.waiting);
  else
    pair(like.waiting, arrived);
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
  if (pair_with_waiting(arrived, side, by_identity)) return;
  add(side, arrived);
  if (sides_[side].waiting.size() > window_) give_up_oldest(side);
}

// Nothing says the same. Something about the same thing is its changed form, else it stands alone.
void DiffJudge::give_up_oldest(int side) {
  Node& oldest = sides_[side].waiting.front();
  const Waiting lonely = oldest.waiting;
  remove(side, oldest);
  const bool keyed = by_ == By::content || !lonely.is_row;
  if (keyed && pair_with_waiting(lonely, side, by_key)) return;
  note(side == 0 ? StreamDiff::missing : StreamDiff::extra, lonely);
}

void DiffJudge::finish() {
  for (const int side : {0, 1}) {
    while (!sides_[side].waiting.empty()) give_up_oldest(side);
  }
}

}  // namespace rt::rtreplay
