#include "report/hdr_encoding.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "report/hlog.h"
#include "report/stored_sound.h"

using rt::Histogram;

namespace {

Histogram decoded(const std::string& text) {
  return Histogram::from_sparse(rt::slots_of_hdr_base64(text).value()).value();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    out.push_back(text.substr(begin, end - begin));
  }
  return out;
}

}  // namespace

TEST_CASE("hdr encoding: what the libraries for Java and Go wrote is read", "[report][hdr]") {
  // One value of 42, from the tests of HdrHistogram's Go and JavaScript libraries.
  const Histogram one = decoded("HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AMIKZAEARAtM=");
  REQUIRE(one.count() == 1);
  REQUIRE(one.percentile_us(0.5) == 42);
}

TEST_CASE("hdr encoding: nothing else is taken for a histogram", "[report][hdr]") {
  const auto refused = [](std::string_view text) {
    const auto read = rt::slots_of_hdr_base64(text);
    REQUIRE_FALSE(read.has_value());
    REQUIRE(read.error().code == rt::Code::usage);
    return read.error().text;
  };
  refused("");
  refused("hello");
  // 20..1000 in three digits, and two digits: other layouts.
  REQUIRE(refused("HISTFAAAABl4nJNpmSzMgADMUFoEyn1h/wHCAgBDogN4").find("another layout") !=
          std::string::npos);
  REQUIRE(refused("HISTFAAAACh4nJNpmSzMwMDAwQABTFCaEURcm7yEwf4DROArF1M1230WJgCDWQb1")
              .find("another layout") != std::string::npos);
  std::string cut = rt::hdr_base64(rt::testing::sound_phase().delivery);
  cut.resize(cut.size() / 2);
  refused(cut);
}

TEST_CASE("hdr encoding: every histogram comes back slot by slot", "[report][hdr]") {
  rc::check([] {
    Histogram histogram;
    const auto values = *rc::gen::container<std::vector<std::int64_t>>(
        rc::gen::inRange<std::int64_t>(-5, 4'000'000'000));
    for (const std::int64_t value : values) histogram.record(value);
    const auto before = histogram.sparse();
    const auto after = rt::slots_of_hdr_base64(rt::hdr_base64(histogram)).value();
    RC_ASSERT(before.pairs.size() == after.pairs.size());
    for (std::size_t i = 0; i < before.pairs.size(); ++i) {
      RC_ASSERT(before.pairs[i].slot == after.pairs[i].slot);
      RC_ASSERT(before.pairs[i].count == after.pairs[i].count);
    }
  });
}

TEST_CASE("hdr encoding: counts beyond 32 bits need all nine bytes", "[report][hdr]") {
  Histogram::Sparse sparse;
  sparse.pairs = {{100, std::uint64_t{1} << 62}, {200, 127}, {201, 128}};
  sparse.min_us = 100;
  sparse.max_us = 201;
  const auto histogram = Histogram::from_sparse(sparse).value();
  const auto after = rt::slots_of_hdr_base64(rt::hdr_base64(histogram)).value();
  REQUIRE(after.pairs.size() == 3);
  REQUIRE(after.pairs[0].count == std::uint64_t{1} << 62);
  REQUIRE(after.pairs[2].count == 128);
}

TEST_CASE("hlog: a head that readers know, then one tagged interval a line", "[report][hlog]") {
  rt::Outcome outcome = rt::testing::readable_outcome();
  outcome.phases[0].name = "main, hot";
  const auto lines = lines_of(rt::hlog_report(outcome));
  REQUIRE(lines[1] == "#[Histogram log format version 1.3]");
  REQUIRE(lines[2] == "#[BaseTime: 1774742400.000 (seconds since epoch)]");
  REQUIRE(lines[4] ==
          "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
          "\"Interval_Compressed_Histogram\"");
  REQUIRE(lines[5].starts_with("Tag=delivery,1.400,1.000,21.767,HISTFAAA"));
  const auto tagged = [&](const std::string& tag) {
    return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.starts_with("Tag=" + tag + ",");
    });
  };
  REQUIRE(tagged("delivery") == 20);
  REQUIRE(tagged("main__hot.delivery") == 1);
  REQUIRE(tagged("main__hot.late") == 1);
  REQUIRE(tagged("connect") == 1);
  REQUIRE(tagged("resume") == 0);  // nothing was resumed
  Histogram sum;
  for (const std::string& line : lines) {
    if (line.starts_with("Tag=delivery,")) sum.add(decoded(line.substr(line.rfind(',') + 1)));
  }
  REQUIRE(sum.count() == 12'000);
}
