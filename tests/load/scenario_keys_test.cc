// docs/scenarios.md against the parser: it names each key that the parser knows, and no other. What
// the parser knows is asked of itself: a key it cannot know, put into each object of a scenario
// that has them all, is answered with those that it does.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "load/scenario.h"

namespace {

using Json = nlohmann::ordered_json;

// Every object that a scenario can have. Values are as short as they may be.
constexpr const char* kEverything = R"({
  "name": "all",
  "target": {"preset": "runs", "url": "http://127.0.0.1:1/s", "request": {}},
  "sources": {},
  "phases": [{"name": "a", "connections": {"to": 1}}, {"name": "main", "hold": "1s", "measure": true}],
  "subscriptions": {"topics": {}, "per_connection": {}, "choice": {"dist": "one"}},
  "publish": [{"id": "p", "producer": {"type": "pg-update"}, "rate": [{"at": "0s", "per_s": 1}],
               "arrival": {"n": 1}, "topic": {"dist": "one"}, "payload": {},
               "size": {"dist": "fixed", "value": "9B"}}],
  "churn": {"lifetime": {"dist": "fixed", "value": "1s"}},
  "cohorts": [{"name": "c", "share": 0.1, "read": {}, "link": {},
               "background": {"off": "1s", "every": "2s"}}],
  "reconnect": {"policy": {}, "last_event_id": {"stale": {"by": 1}}, "storms": [{"at": "main"}]},
  "faults": [{"at": "main", "do": "reset", "on": {}}],
  "integrity": {"allow": {}},
  "clock": {},
  "thresholds": [{"expr": "delivery.p95 < 1s"}],
  "gates": {},
  "report": {}
})";
// And what cannot stand beside the rest.
constexpr const char* kFilter = R"({
  "name": "filter",
  "target": {"preset": "realtime", "url": "http://127.0.0.1:1/s?events={topic}"},
  "phases": [{"name": "main", "connections": {"to": 1}, "hold": "1s", "measure": true}],
  "subscriptions": {"filter": {"expr": "type = topic-0"}},
  "publish": [{"id": "p", "producer": {"type": "http-post"}, "rate": 1}]
})";
constexpr const char* kStranger = "zzzzzzzzzz";

// The keys known in the object at `pointer`; `prefix` is how the page writes the path.
void ask(const Json& whole, const Json::json_pointer& pointer, const std::string& prefix,
         std::set<std::string>& keys) {
  Json asking = whole;
  asking[pointer][kStranger] = 0;
  const auto read = rt::parse_scenario(asking.dump(), "all");
  REQUIRE_FALSE(read);
  const std::string marker = std::string(kStranger) + ": unknown key; known here: ";
  const std::size_t at = read.error().text.find(marker);
  INFO(read.error().text);
  REQUIRE(at != std::string::npos);
  std::istringstream list(read.error().text.substr(at + marker.size()));
  for (std::string key; std::getline(list >> std::ws, key, ',');) keys.insert(prefix + key);
}

void walk(const Json& whole, const Json& node, const Json::json_pointer& pointer,
          const std::string& prefix, std::set<std::string>& keys) {
  if (node.is_object()) {
    ask(whole, pointer, prefix.empty() ? "" : prefix + ".", keys);
    for (const auto& [key, value] : node.items()) {
      walk(whole, value, pointer / key, prefix.empty() ? key : prefix + "." + key, keys);
    }
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.size(); ++i) {
      walk(whole, node[i], pointer / i, prefix + "[]", keys);
    }
  }
}

// What stands in backquotes in the first column of the page's tables.
std::set<std::string> documented() {
  std::ifstream page(RT_SOURCE_DIR "/docs/scenarios.md");
  std::set<std::string> keys;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string column = line.substr(1, line.find(" | ", 2) - 1);
    for (std::size_t at = column.find('`'); at != std::string::npos;) {
      const std::size_t end = column.find('`', at + 1);
      keys.insert(column.substr(at + 1, end - at - 1));
      at = column.find('`', end + 1);
    }
  }
  return keys;
}

std::string missing(const std::set<std::string>& from, const std::set<std::string>& in) {
  std::string out;
  for (const std::string& key : from) {
    if (!in.contains(key)) out += key + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("scenario: docs/scenarios.md names each key of the parser, and no other",
          "[load][scenario]") {
  std::set<std::string> known;
  for (const char* const text : {kEverything, kFilter}) {
    const Json document = Json::parse(text);
    const auto read = rt::parse_scenario(document.dump(), "all");
    INFO((read ? std::string() : read.error().text));
    REQUIRE(read);
    walk(document, document, Json::json_pointer(), "", known);
  }
  CHECK(known.size() > 100);
  std::set<std::string> page = documented();
  // An object of several sections is a key of its parent too, and lists are written with [].
  CHECK(missing(known, page).empty());
  CHECK(missing(page, known).empty());
}
