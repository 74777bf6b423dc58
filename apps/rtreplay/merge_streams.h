// Several recordings as one: transactions in the order of their commits, everything else by time.
// What two recordings of one cluster both hold is written once. Holds a block of each.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rtreplay/merge_source.h"
#include "rtreplay/rewriter.h"

namespace rt::rtreplay {

using MergeSources = std::vector<std::unique_ptr<MergeSource>>;

// The header of the merged recording; Code::refused, and why, if they cannot be merged: recordings
// of two clusters, or of two timelines of one that overlap.
Result<archive::Origin> merged_origin(const MergeSources& sources);

struct MergeCounts {
  std::uint64_t duplicates = 0;  // row changes and messages that were there already
  std::uint64_t gaps = 0;        // between recordings that follow each other
};
// Code::refused if two recordings say different things of one position.
Result<MergeCounts> merge_streams(MergeSources& sources, Rewriter& out);

}  // namespace rt::rtreplay
