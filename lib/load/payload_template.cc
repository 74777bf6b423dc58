#include "load/payload_template.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "proto/json_scan.h"

namespace rt {
namespace {

constexpr std::array<std::string_view, 3> kWords = {"{topic}", "{seq}", "{intended_ns}"};
enum Word : std::size_t { text = 0, topic = 1, sequence = 2, intended = 3 };

}  // namespace

Result<PayloadTemplate> PayloadTemplate::compile(std::string_view text) {
  PayloadTemplate compiled;
  compiled.pieces_ = cut_at_placeholders(text, kWords);
  std::string sample;
  compiled.append(sample, "topic", 1, 1);
  if (!is_json(sample)) {
    return fail(Code::usage, fmt::format("expected a JSON value once {} are filled in, but it "
                                         "becomes {}",
                                         fmt::join(kWords, ", "), sample));
  }
  return compiled;
}

void PayloadTemplate::append(std::string& out, std::string_view topic, std::uint32_t sequence,
                             std::int64_t intended_ns) const {
  for (const TextPiece& piece : pieces_) {
    switch (piece.word) {
      case Word::topic: {
        std::string quoted;
        append_json_string(quoted, topic);
        out.append(quoted, 1, quoted.size() - 2);
        break;
      }
      case Word::sequence:
        append_decimal(out, sequence);
        break;
      case Word::intended:
        append_decimal(out, static_cast<std::uint64_t>(intended_ns));
        break;
      default:
        out += piece.text;
        break;
    }
  }
}

}  // namespace rt
