// "payload.template" of a scenario: a JSON value of the user's own in every payload, with {topic},
// {seq} (of the topic, from 1) and {intended_ns} (of the publishing host's monotonic clock) filled
// in. Compiled once. Immutable; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/placeholders.h"
#include "base/result.h"

namespace rt {

class PayloadTemplate {
 public:
  PayloadTemplate() = default;  // none
  // Code::usage when it is not JSON once filled in.
  static Result<PayloadTemplate> compile(std::string_view text);

  bool empty() const { return pieces_.empty(); }
  // The topic stands within a JSON string.
  void append(std::string& out, std::string_view topic, std::uint32_t sequence,
              std::int64_t intended_ns) const;

 private:
  std::vector<TextPiece> pieces_;
};

}  // namespace rt
