// A JSON report read back: what is needed to render it again, to compare it, and to merge it with
// those of other shards. Pure but for read_stored_report; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "load/outcome.h"
#include "load/scenario.h"

namespace rt {

struct StoredReport {
  std::string origin;  // file name, for messages
  Scenario scenario;
  Outcome outcome;
};

// Code::usage, naming the place, for what is no report, one of another schema, one that lacks
// something, or whose scenario does not have the digest that it claims.
Result<StoredReport> parse_stored_report(std::string_view text, const std::string& origin);
Result<StoredReport> read_stored_report(const std::string& path);

}  // namespace rt
