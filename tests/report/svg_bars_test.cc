// Columns as SVG.
#include "report/svg_bars.h"

#include <catch2/catch.hpp>

using namespace rt::report;

TEST_CASE("svg bars: the highest fills the picture, and nothing that is there is invisible",
          "[report]") {
  SvgBars picture;
  picture.label = "a & b";
  picture.bars = {{1000, "most"}, {0, "none"}, {1, "least"}};
  picture.lines = {{0.5, "gap"}, {7, "outside"}};
  std::string out;
  append_svg(out, picture);
  CHECK_THAT(out, Catch::StartsWith(R"(<svg viewBox="0 0 30 100")"));
  CHECK_THAT(out, Catch::Contains(R"(aria-label="a &amp; b")"));
  CHECK_THAT(out, Catch::Contains(R"(y="0.00" width="8.6" height="100.00"/><title>most)"));
  CHECK_THAT(out, Catch::Contains(R"(height="1.00"/><title>least)"));
  CHECK_THAT(out, Catch::Contains(R"(height="100"/><title>none)"));  // its column alone
  CHECK_THAT(out, Catch::Contains(R"(x1="15.0" x2="15.0")"));
  CHECK_THAT(out, Catch::Contains(R"(x1="30.0" x2="30.0")"));  // inside all the same
}

TEST_CASE("svg bars: without a bar it is an empty picture", "[report]") {
  std::string out;
  append_svg(out, {});
  CHECK(out.find("<g>") == std::string::npos);
}
