// A histogram in the compressed V2 encoding of HdrHistogram, in base64 ("HISTFAAA..."): what its
// libraries for Java, C, Go, Rust and JavaScript read and write. Pure; any thread.
//
// Big endian: cookie 0x1c849314, length, then a zlib stream of: cookie 0x1c849313, payload length,
// normalising offset, significant digits, lowest and highest value, conversion ratio (double), and
// the counts of all slots as ZigZag LEB128, where -n stands for n empty slots. Our slots are those
// of a histogram from 1 us to 1 h with 3 digits, so counts go over one by one.
// Source: https://github.com/HdrHistogram/HdrHistogram, AbstractHistogram and ZigZagEncoding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "load/histogram.h"

namespace rt {

std::string hdr_base64(const Histogram& histogram);

// Counts only: sums and extremes are not part of the encoding and are taken from the slots. Reads
// any histogram of 3 digits whose lowest value is 1. Code::usage for anything else.
Result<Histogram::Sparse> slots_of_hdr_base64(std::string_view text);

}  // namespace rt
