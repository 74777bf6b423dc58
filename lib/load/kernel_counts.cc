#include "load/kernel_counts.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/text.h"

namespace rt {
namespace {

std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after - std::min(before, after);
}

}  // namespace

KernelCounts parse_kernel_counts(std::string_view netstat) {
  std::vector<std::string_view> rows;
  for (const std::string_view line : split(netstat, '\n')) {
    if (line.starts_with("TcpExt:")) rows.push_back(line);
  }
  KernelCounts counts;
  if (rows.size() < 2) return counts;
  const auto names = split(rows[0], ' ');
  const auto values = split(rows[1], ' ');
  for (std::size_t i = 1; i < std::min(names.size(), values.size()); ++i) {
    const std::uint64_t value = parse_decimal(values[i]).value_or(0);
    if (names[i] == "ListenOverflows") counts.listen_overflows = value;
    if (names[i] == "ListenDrops") counts.listen_drops = value;
    if (names[i] == "RcvPruned") counts.receive_pruned = value;
  }
  return counts;
}

KernelCounts read_kernel_counts() {
  std::ifstream file("/proc/net/netstat");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_kernel_counts(text.str());
}

KernelCounts counted_since(const KernelCounts& before, const KernelCounts& after) {
  return {grown(before.listen_overflows, after.listen_overflows),
          grown(before.listen_drops, after.listen_drops),
          grown(before.receive_pruned, after.receive_pruned)};
}

}  // namespace rt
