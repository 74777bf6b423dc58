// The parts of reading a scenario: one function per section of the file. Internal to lib/load.
#pragma once

#include <fmt/format.h>

#include "load/document.h"
#include "load/object_reader.h"
#include "load/scenario.h"

namespace rt {

Result<void> read_target(const ObjectReader& root, TargetSpec& out);
Result<void> read_sources(const ObjectReader& root, SourcesSpec& out);
Result<void> read_integrity(const ObjectReader& root, IntegritySpec& out);
Result<void> read_phases(const ObjectReader& root, std::vector<PhaseSpec>& out);
Result<void> read_subscriptions(const ObjectReader& root, SubscriptionSpec& out);
// Reads the files that give topics their names, and notes their digests in the document.
Result<void> load_topic_files(JsonNode& document, Scenario& scenario);
Result<void> check_per_connection(const ObjectReader& root, const Scenario& scenario);
Result<void> check_topics(const ObjectReader& root, const Scenario& scenario);
Result<void> read_filter(const ObjectReader& root, Scenario& scenario);  // of subscriptions
Result<void> read_publish(const ObjectReader& root, const TargetSpec& target,
                          std::vector<PublishSpec>& out);
Result<void> read_producer(const ObjectReader& publish, const TargetSpec& target, PublishSpec& out);
Result<void> read_judgement(const ObjectReader& root,
                            Scenario& out);  // thresholds, gates, report, clock
Result<void> read_reconnect(const ObjectReader& root, Scenario& out);
Result<void> read_behaviour(const ObjectReader& root, Scenario& out);  // churn, cohorts, faults
Result<Choice> read_choice(const JsonNode& node, const std::string& path);
Result<void> read_positive_rate(const ObjectReader& in, std::string_view key, double& out);
// "arrival". A burst has a size, and, with "every", a rate.
Result<void> read_arrival(const ObjectReader& in, Arrival& out, std::uint64_t& burst,
                          std::vector<RateStep>* rate = nullptr);

inline Result<const JsonNode*> list_of(const ObjectReader& root, std::string_view key) {
  const JsonNode* list = root.find(key);
  if (list != nullptr && list->kind != JsonNode::Kind::array) {
    return ObjectReader::wrong(*list, root.path(key),
                               fmt::format("expected a list, found {}", describe(*list)));
  }
  return list;
}

template <typename Named>
Result<void> check_unique(const ObjectReader& root, std::string_view key,
                          const std::vector<Named>& all, std::string Named::*name) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = fmt::format("/{}/{}", key, i);
    const JsonNode& node = root.find(key)->items[i];
    if ((all[i].*name).empty()) return ObjectReader::wrong(node, path, "its name is empty");
    for (std::size_t j = 0; j < i; ++j) {
      if (all[j].*name == all[i].*name) {
        return ObjectReader::wrong(node, path,
                                   fmt::format("the name \"{}\" is taken", all[i].*name));
      }
    }
  }
  return {};
}

}  // namespace rt
