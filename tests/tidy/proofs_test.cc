// docs/wal-pitfalls.md names the test that proves each line: it must exist.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tidy/source.h"

namespace rt::tidy {
namespace {

// The first literal of each TEST_CASE, as far as it goes.
std::vector<std::string> test_names(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  for (const Source& source : sources) {
    if (!source.in("tests") || !source.is_cpp()) continue;
    constexpr std::string_view kCase = "TEST_CASE(";
    for (std::size_t at = source.text.find(kCase); at != std::string::npos;
         at = source.text.find(kCase, at + 1)) {
      const std::size_t open = source.text.find('"', at);
      const std::size_t close = source.text.find('"', open + 1);
      if (close == std::string::npos) break;
      names.push_back(source.text.substr(open + 1, close - open - 1));
    }
  }
  return names;
}

// What stands between backticks in the last cell of a table's row, and has the form "name: what".
std::vector<std::string> proofs(const std::string& line) {
  std::vector<std::string> found;
  if (!line.starts_with("| ")) return found;
  const std::size_t cell = line.rfind(" | ");
  for (std::size_t at = line.find('`', cell); at != std::string::npos;) {
    const std::size_t end = line.find('`', at + 1);
    if (end == std::string::npos) break;
    const std::string text = line.substr(at + 1, end - at - 1);
    if (text.find(": ") != std::string::npos) found.push_back(text);
    at = line.find('`', end + 1);
  }
  return found;
}

TEST_CASE("tidy: each proof that the list of pitfalls names is a test", "[tidy]") {
  const std::vector<Source> sources = read_tree(RT_SOURCE_DIR);
  const std::vector<std::string> names = test_names(sources);
  REQUIRE(names.size() > 500);
  const auto list = std::find_if(sources.begin(), sources.end(), [](const Source& source) {
    return source.path == "docs/wal-pitfalls.md";
  });
  REQUIRE(list != sources.end());
  std::size_t count = 0;
  for (std::size_t from = 0; from < list->text.size();) {
    const std::size_t end = std::min(list->text.find('\n', from), list->text.size());
    for (const std::string& proof : proofs(list->text.substr(from, end - from))) {
      ++count;
      INFO("no test begins with: " << proof);
      CHECK(std::any_of(names.begin(), names.end(),
                        [&](const std::string& name) { return name.starts_with(proof); }));
    }
    from = end + 1;
  }
  CHECK(count > 40);
}

}  // namespace
}  // namespace rt::tidy
