// Chance, injected: a small generator (splitmix64) seeded by name, so that a run can be reproduced
// anywhere. The distributions are ours because those of the standard library differ between
// implementations.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace rt {

__extension__ typedef unsigned __int128 Wide;  // for an unbiased product

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // An independent stream for one purpose: Random::of(seed, "churn", shard).
  static Random of(std::uint64_t seed, std::string_view purpose, std::uint64_t number = 0) {
    std::uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a
    for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    Random mixed(seed ^ hash);
    // Mixed once more: streams n and n + 1 would else be one sequence, shifted by one draw.
    Random stream(mixed.next() + number * 0x9E3779B97F4A7C15ull);
    return Random(stream.next());
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); bound > 0. The bias is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // Exponential with the given mean.
  double exponential(double mean) { return -mean * std::log1p(-unit()); }

 private:
  std::uint64_t state_;
};

}  // namespace rt
