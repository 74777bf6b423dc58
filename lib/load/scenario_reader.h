// The parts of reading a scenario: one function per section of the file. Internal to lib/load.
#pragma once

#include "load/document.h"
#include "load/object_reader.h"
#include "load/scenario.h"

namespace rt {

Result<void> read_target(const ObjectReader& root, TargetSpec& out);
Result<void> read_phases(const ObjectReader& root, std::vector<PhaseSpec>& out);
Result<void> read_subscriptions(const ObjectReader& root, SubscriptionSpec& out);
Result<void> read_publish(const ObjectReader& root, const TargetSpec& target,
                          std::vector<PublishSpec>& out);
Result<void> read_judgement(const ObjectReader& root,
                            Scenario& out);  // thresholds, gates, report, clock
Result<void> read_reconnect(const ObjectReader& root, ReconnectSpec& out);
Result<Choice> read_choice(const JsonNode& node, const std::string& path);

}  // namespace rt
