// read_scenario(): file, preset, overrides, digest, and the order in which the sections are read.
#include "load/scenario_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "load/presets.h"

namespace rt {
namespace {

constexpr std::string_view kPresetPrefix = "preset:";

Result<JsonNode> preset_document(std::string_view name, const std::string& where) {
  if (name.starts_with(kPresetPrefix)) {
    name.remove_prefix(kPresetPrefix.size());
    if (const PresetText* preset = find_preset(name)) {
      return parse_document(preset->json, fmt::format("preset:{}", name));
    }
  }
  std::vector<std::string_view> known;
  for (const PresetText& preset : presets()) known.push_back(preset.name);
  return fail(Code::usage, fmt::format("{} unknown preset \"{}\"", where, name),
              fmt::format("presets: {}", fmt::join(known, ", ")));
}

// The short names of --set, written out: "load.connections", "load.rate", "load.duration".
std::string expand_short_name(const JsonNode& document, std::string_view assignment) {
  const std::size_t equals = std::min(assignment.find('='), assignment.size());
  const std::string_view path = assignment.substr(0, equals);
  const std::string rest(assignment.substr(equals));
  const JsonNode* phases = document.find("phases");
  const auto phase_with = [&](std::string_view key) {
    for (std::size_t i = 0; phases != nullptr && i < phases->items.size(); ++i) {
      if (phases->items[i].find(key) != nullptr) return std::to_string(i);
    }
    return std::string("0");
  };
  if (path == "load.connections")
    return "phases." + phase_with("connections") + ".connections.to" + rest;
  if (path == "load.duration") return "phases." + phase_with("measure") + ".hold" + rest;
  if (path == "load.rate") return "publish.0.rate" + rest;
  return std::string(assignment);
}

// The text of a file that a scenario is in.
Result<std::string> read_text(const std::string& path, const std::string& attempt) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && text << file.rdbuf()) return text.str();
  return fail(Code::usage,
              fmt::format("{} {}: {}", attempt, path,
                          std::generic_category().message(errno != 0 ? errno : EIO)),
              "give a file, or a built-in one such as preset:runs");
}

// A document laid over what it extends: a preset, or a file beside it, which may extend another.
Result<JsonNode> with_base(std::string_view text, const std::string& origin, unsigned depth) {
  constexpr unsigned kMostFiles = 8;  // a longer chain is a circle
  JsonNode document = RT_TRY(parse_document(text, origin));
  const JsonNode* extends = document.find("extends");
  if (extends == nullptr) return document;
  if (extends->kind != JsonNode::Kind::string || depth == kMostFiles) {
    return ObjectReader::wrong(*extends, "/extends",
                               "expected \"preset:NAME\", or a file that does not lead back here");
  }
  const std::string where = extends->where + ": /extends:";
  JsonNode base;
  if (extends->text.ends_with(".json")) {
    const std::size_t slash = origin.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : origin.substr(0, slash + 1);
    const std::string path = folder + extends->text;
    const std::string below = RT_TRY(read_text(path, where + " cannot read"));
    base = RT_TRY(with_base(below, path, depth + 1));
  } else {
    base = RT_TRY(preset_document(extends->text, where));
  }
  merge_document(base, document);
  return base;
}

Result<JsonNode> expand(std::string_view text, const std::string& origin,
                        const std::vector<std::string>& overrides) {
  JsonNode document = RT_TRY(with_base(text, origin, 0));
  for (const std::string& assignment : overrides) {
    RT_CHECKED(apply_override(document, expand_short_name(document, assignment)));
  }
  return document;
}

bool needs_publishing(Metric metric) {
  return metric == Metric::delivery || metric == Metric::intended || metric == Metric::publish ||
         metric == Metric::late || metric == Metric::load;
}

Result<void> check_cohort(const JsonNode& root, const Scenario& scenario,
                          const Threshold& threshold) {
  const auto wrong = [&](std::string_view what) {
    return ObjectReader::wrong(*root.find("thresholds"), "/thresholds",
                               fmt::format("\"{}\" {}", threshold.text, what));
  };
  if (!threshold.cohort.empty() && threshold.cohort != "healthy") {
    std::vector<std::string_view> names = {"healthy"};
    for (const CohortSpec& cohort : scenario.cohorts) names.push_back(cohort.name);
    if (std::find(names.begin(), names.end(), threshold.cohort) == names.end()) {
      return wrong("names no cohort of this scenario" + suggestion(threshold.cohort, names));
    }
  }
  if (!threshold.times_baseline) return {};
  const auto is_baseline = [](const PhaseSpec& phase) {
    return phase.measure && (phase.name == "baseline" || phase.tag == "baseline");
  };
  const auto& phases = scenario.phases;
  const auto is_measured = [](const PhaseSpec& phase) { return phase.measure; };
  if (std::any_of(phases.begin(), phases.end(), is_baseline)) return {};
  if (std::count_if(phases.begin(), phases.end(), is_measured) > 1) return {};
  return wrong("needs a measured phase named or tagged \"baseline\", or two measured phases");
}

// A phase can last until latencies have settled where there are some.
Result<void> check_warm_up(const JsonNode& root, const Scenario& scenario) {
  for (std::size_t i = 0; i < scenario.phases.size(); ++i) {
    if (!scenario.phases[i].until_stationary) continue;
    if (i >= scenario.publish_begin() && i < scenario.publish_end()) continue;
    return ObjectReader::wrong(
        root.find("phases")->items[i], fmt::format("/phases/{}/until", i),
        "nothing is published in this phase, so there is no latency that could settle");
  }
  return {};
}

Result<void> check_thresholds(const JsonNode& root, const Scenario& scenario) {
  for (const Threshold& threshold : scenario.thresholds) {
    if (scenario.publish.empty() && needs_publishing(threshold.metric)) {
      return ObjectReader::wrong(
          *root.find("thresholds"), "/thresholds",
          fmt::format("\"{}\" cannot be measured: the scenario publishes nothing", threshold.text));
    }
    if (threshold.stat == "corrupt" && !scenario.integrity.content) {
      return ObjectReader::wrong(
          *root.find("thresholds"), "/thresholds",
          fmt::format("\"{}\" is measured where \"integrity.check\" names \"content\"",
                      threshold.text));
    }
    RT_CHECKED(check_cohort(root, scenario, threshold));
    if (threshold.phase.empty()) continue;
    std::vector<std::string_view> measured;
    for (const PhaseSpec& phase : scenario.phases) {
      if (phase.measure) measured.push_back(phase.name);
    }
    if (std::find(measured.begin(), measured.end(), threshold.phase) != measured.end()) continue;
    return ObjectReader::wrong(
        *root.find("thresholds"), "/thresholds",
        fmt::format("\"{}\" names phase \"{}\", which is not measured{}", threshold.text,
                    threshold.phase, suggestion(threshold.phase, measured)));
  }
  return {};
}

enum class Files : std::uint8_t { read, leave };

Result<Scenario> read_root(JsonNode& document, Files files) {
  const ObjectReader root = RT_TRY(
      ObjectReader::open(document, "",
                         {"$schema", "name", "seed", "extends", "target", "sources", "phases",
                          "subscriptions", "publish", "churn", "cohorts", "reconnect", "faults",
                          "integrity", "clock", "thresholds", "gates", "report"}));
  Scenario scenario;
  std::string schema = "rtbench/1";
  RT_CHECKED(root.text("$schema", schema));
  if (schema != "rtbench/1") {
    return ObjectReader::wrong(*root.find("$schema"), "/$schema",
                               fmt::format("expected \"rtbench/1\", found \"{}\"", schema));
  }
  RT_CHECKED(root.require("name"));
  RT_CHECKED(root.text("name", scenario.name));
  if (scenario.name.empty() || scenario.name.find('/') != std::string::npos) {
    return ObjectReader::wrong(*root.find("name"), "/name",
                               "expected a name without \"/\" (reports are named after it)");
  }
  RT_CHECKED(root.count("seed", scenario.seed, 0, UINT64_MAX));
  RT_CHECKED(read_target(root, scenario.target));
  RT_CHECKED(read_sources(root, scenario.sources));
  RT_CHECKED(read_phases(root, scenario.phases));
  RT_CHECKED(read_subscriptions(root, scenario.subscriptions));
  RT_CHECKED(read_publish(root, scenario.target, scenario.publish));
  if (files == Files::read) RT_CHECKED(load_topic_files(document, scenario));
  if (files == Files::read) RT_CHECKED(check_topics(root, scenario));
  RT_CHECKED(check_per_connection(root, scenario));
  RT_CHECKED(read_reconnect(root, scenario));
  if (files == Files::read) RT_CHECKED(read_filter(root, scenario));  // names may be in a file
  RT_CHECKED(read_behaviour(root, scenario));
  RT_CHECKED(read_judgement(root, scenario));
  RT_CHECKED(check_warm_up(document, scenario));
  RT_CHECKED(check_thresholds(document, scenario));
  return scenario;
}

Result<Scenario> read_document(JsonNode document, Files files) {
  Scenario scenario = RT_TRY(read_root(document, files));
  scenario.expanded = canonical_text(document);
  scenario.sha256 = sha256_hex(scenario.expanded);
  return scenario;
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& origin,
                                const std::vector<std::string>& overrides) {
  return read_document(RT_TRY(expand(text, origin, overrides)), Files::read);
}

Result<Scenario> parse_stored_scenario(std::string_view text, const std::string& origin) {
  return read_document(RT_TRY(expand(text, origin, {})), Files::leave);
}

Result<Scenario> read_scenario(const std::string& path, const std::vector<std::string>& overrides) {
  if (path.starts_with(kPresetPrefix)) {
    RT_TRY(preset_document(path, "cannot read scenario:"));
    return parse_scenario(find_preset(std::string_view(path).substr(kPresetPrefix.size()))->json,
                          path, overrides);
  }
  const std::string text = RT_TRY(read_text(path, "cannot read scenario"));
  return parse_scenario(text, path, overrides);
}

}  // namespace rt
