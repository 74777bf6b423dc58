// The rules of CONTRIBUTING.md over this repository. A failure prints "path:line: rule: what".
#include <catch2/catch.hpp>

#include "tidy/rules.h"

namespace rt::tidy {
namespace {

const std::vector<Exception> kExceptions = {
    {"banned-call", "lib/base/clock.cc", "the one place that reads the machine's clocks"},
    {"library", "lib/report/json_fields.h",
     "templates over JSON, shared by the reports' own sources"},
};

TEST_CASE("tidy: the repository follows its own rules", "[tidy]") {
  const std::vector<Source> sources = read_tree(RT_SOURCE_DIR);
  REQUIRE(sources.size() > 50);  // a wrong root would pass everything
  CHECK(report(check_all(sources, kExceptions)) == "");
}

}  // namespace
}  // namespace rt::tidy
