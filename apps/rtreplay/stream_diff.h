// What two streams of changes have in common, and where they differ, table by table and channel by
// channel. Pure; one thread. Memory is bounded: at most `window` changes of each side wait for
// their like (about 250 bytes each); the oldest beyond that counts as missing or extra.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <unordered_map>

#include "rtreplay/change_reader.h"

namespace rt::rtreplay {

struct StreamDiff {
  enum Kind : std::uint8_t { missing, extra, moved, changed };  // of B, seen from A
  static constexpr std::array<const char*, 4> kNames = {"missing", "extra", "moved", "changed"};
  std::uint64_t same = 0;
  std::array<std::uint64_t, 4> counts{};
  std::array<std::string, 4> first;  // where: an id, or a number in the stream
  bool differs() const { return counts != std::array<std::uint64_t, 4>{}; }
};

// B's time minus A's, over all pairs.
struct TimeShift {
  std::uint64_t pairs = 0;
  std::int64_t first_us = 0;
  std::int64_t least_us = 0;
  std::int64_t most_us = 0;
  void add(std::int64_t shift_us);
};

class DiffJudge {
 public:
  enum class By : std::uint8_t {
    position,  // of recordings of one cluster: rows with the same id are the same row
    content,   // rows and events that say the same are the same
  };
  // Rows of half a second at PostgreSQL's full speed; 32 MiB on both sides.
  static constexpr std::size_t kWindow = 65'536;
  explicit DiffJudge(By by, std::size_t window = kWindow) : by_(by), window_(window) {}

  // Side 0 is A, side 1 is B.
  void take(const Change& change, int side);
  std::size_t waiting(int side) const { return sides_[side].waiting.size(); }
  void finish();

  const std::map<std::string, StreamDiff, std::less<>>& streams() const { return streams_; }
  const TimeShift& shift() const { return shift_; }

 private:
  struct Waiting {
    StreamDiff* stream = nullptr;
    std::uint64_t key_hash = 0;
    std::uint64_t body_hash = 0;
    std::uint64_t number = 0;  // in its stream on its side
    std::int64_t time_us = 0;
    Position position;
    bool is_row = false;
  };
  // Two lists go through those that wait: of the same identity, and of the same key.
  enum Chain : std::uint8_t { by_identity, by_key };
  struct Node {
    Waiting waiting;
    std::array<Node*, 2> before{};
    std::array<Node*, 2> after{};
    std::list<Node>::iterator self;
  };
  struct Ends {
    Node* first = nullptr;
    Node* last = nullptr;
  };
  using Index = std::unordered_map<std::uint64_t, Ends>;
  struct Side {
    std::list<Node> waiting;  // oldest first
    std::array<Index, 2> indexes;
    std::unordered_map<const StreamDiff*, std::uint64_t> numbers;
  };
  struct Order {  // the furthest pair in order
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    bool any = false;
  };

  std::uint64_t hash_of(const Waiting& waiting, Chain chain) const;
  bool pair_with_waiting(const Waiting& arrived, int side, Chain chain);
  void pair(const Waiting& a, const Waiting& b);
  void give_up_oldest(int side);
  void add(int side, const Waiting& arrived);
  void remove(int side, Node& node);
  void note(StreamDiff::Kind kind, const Waiting& where);

  By by_;
  std::size_t window_;
  std::map<std::string, StreamDiff, std::less<>> streams_;
  std::unordered_map<const StreamDiff*, Order> orders_;
  Side sides_[2];
  TimeShift shift_;
};

}  // namespace rt::rtreplay
