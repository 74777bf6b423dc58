#include "report/stored_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/units.h"
#include "report/json.h"
#include "report/outcome_fields.h"

namespace rt {
namespace {

// 16 phases and an hour of seconds, each with full histograms, are some 50 MB.
constexpr std::uintmax_t kReportBytesMax = 256 << 20;

void read_connect(const JsonReader& in, Outcome& outcome) {
  ConnectionCounts& counts = outcome.connections;
  in.value("asked", counts.asked);
  in.value("held", counts.held);
  in.value("dropped", counts.dropped);
  in.value("absent", counts.absent);
  in.value("not_tried", counts.not_tried);
  in.value("first_failure", counts.first_failure);
  in.latency("latency", outcome.connect);
  in.latency("first_event", outcome.first_event);
  if (in.has("tls")) in.latency("tls", outcome.tls);
  const Json* failed = in.find("failed");
  if (failed == nullptr) return;
  for (std::size_t i = 0; i < kConnectFailures; ++i) {
    const auto at = failed->find(connect_failure_name(static_cast<ConnectFailure>(i)));
    if (at != failed->end()) counts.failed[i] = at->value("count", std::uint64_t{0});
  }
}

// False when it names no part there can be.
bool read_part(const Json& root, Outcome& outcome) {
  constexpr unsigned kShardsMax = 10'000;  // as --shard takes them
  const auto at = root.find("part");
  if (at == root.end() || at->is_null()) return true;
  RunPart& part = outcome.part.emplace();
  part.run_id = at->value("run_id", std::string());
  part.shards = at->value("shards", 1U);
  part.have = at->value("have", std::vector<unsigned>());
  const auto not_below = [](unsigned a, unsigned b) { return a >= b; };
  return part.shards <= kShardsMax && !part.have.empty() && part.have.back() < part.shards &&
         std::adjacent_find(part.have.begin(), part.have.end(), not_below) == part.have.end();
}

void read_selftest(const JsonReader& in, Outcome& outcome) {
  const Json* found = in.find("selftest");
  if (found == nullptr || found->is_null()) return;
  Floor& floor = outcome.selftest.emplace();
  in.object("selftest", [&](JsonReader& of) { floor_fields(of, floor); });
}

void read_cohorts(const JsonReader& in, Outcome& outcome) {
  const Json* found = in.find("cohorts");
  if (found == nullptr || !found->is_object()) return;
  in.object("cohorts", [&](const JsonReader& all) {
    for (const auto& [name, ignored] : found->items()) {
      CohortOutcome& cohort = outcome.cohorts.emplace_back();
      cohort.name = name;
      all.object(name.c_str(), [&](JsonReader& of) { cohort_fields(of, cohort); });
    }
  });
}

void read_outcome(JsonReader& in, Outcome& outcome) {
  end_fields(in, outcome);
  in.object("integrity", [&](JsonReader& of) { integrity_fields(of, outcome.integrity); });
  in.object("connect", [&](const JsonReader& of) { read_connect(of, outcome); });
  in.latency("heartbeat_gap", outcome.heartbeat_gap);
  in.object("resume", [&](JsonReader& of) { resume_fields(of, outcome.resume); });
  read_cohorts(in, outcome);
  if (in.has("worst")) {
    in.list("worst", outcome.worst,
            [](JsonReader& of, WorstCase& worst) { worst_fields(of, worst); });
  }
  if (in.has("slowest")) {
    in.object("slowest", [&](JsonReader& of) { slowest_fields(of, outcome.slowest); });
  }
  in.object("churn", [&](JsonReader& of) { churn_fields(of, outcome.churn); });
  in.object("client", [&](JsonReader& of) { client_fields(of, outcome.client); });
  in.object("target", [&](JsonReader& of) { target_fields(of, outcome); });
  in.object("env", [&](JsonReader& of) { env_fields(of, outcome); });
  in.object("tool", [&](const JsonReader& of) {
    of.value("version", outcome.env.tool_version);
    of.value("build", outcome.env.build);
  });
  read_selftest(in, outcome);
  in.value("notes", outcome.notes);
  in.list("phases", outcome.phases,
          [](JsonReader& of, PhaseOutcome& phase) { phase_fields(of, phase); });
  in.list("series", outcome.series,
          [](JsonReader& of, SecondSample& second) { second_fields(of, second); });
}

Result<Scenario> read_own_scenario(const Json& root, const std::string& origin) {
  const auto at = root.find("scenario");
  if (at == root.end() || !at->contains("expanded") || (*at)["expanded"].is_null()) {
    return fail(Code::usage, origin + ": the report does not carry its scenario");
  }
  Scenario scenario =
      RT_TRY(parse_stored_scenario((*at)["expanded"].dump(), origin + " (scenario)"));
  const std::string claimed = at->value("sha256", std::string());
  if (scenario.sha256 != claimed) {
    return fail(Code::usage,
                fmt::format("{}: its scenario has the digest {:.12}, not {:.12} as it says", origin,
                            scenario.sha256, claimed),
                "the report was edited; take the file that rtbench wrote");
  }
  return scenario;
}

// Thresholds given on the command line of the run are in the report, not in its scenario.
Result<void> read_more_thresholds(const Json& root, std::vector<Threshold>& thresholds) {
  const auto list = root.find("thresholds");
  if (list == root.end()) return {};
  for (const Json& entry : *list) {
    Threshold threshold = RT_TRY(parse_threshold(entry.value("expr", std::string())));
    threshold.phase = entry.value("phase", std::string());
    const bool warns = entry.value("severity", std::string()) == "warn";
    threshold.severity = warns ? Severity::warn : Severity::fail;
    const bool known =
        std::any_of(thresholds.begin(), thresholds.end(), [&](const Threshold& other) {
          return other.text == threshold.text && other.phase == threshold.phase;
        });
    if (!known) thresholds.push_back(std::move(threshold));
  }
  return {};
}

// May throw Json::exception where a field that is looked up by itself has the wrong type.
Result<StoredReport> parse_root(const Json& root, const std::string& origin) {
  const std::string schema = root.value("schema", std::string());
  if (schema != kReportSchema) {
    return fail(Code::usage,
                fmt::format("cannot read report {}: expected schema \"{}\", found \"{}\"", origin,
                            kReportSchema, schema),
                "give a file written by rtbench run --report json=FILE");
  }
  StoredReport report;
  report.origin = origin;
  report.scenario = RT_TRY(read_own_scenario(root, origin));
  RT_CHECKED(read_more_thresholds(root, report.scenario.thresholds));
  std::string wrong;
  JsonReader in(root, "", wrong);
  read_outcome(in, report.outcome);
  if (!read_part(root, report.outcome)) {
    return fail(Code::usage,
                fmt::format("cannot read report {}: /part is no part of a run", origin));
  }
  if (!wrong.empty()) {
    return fail(Code::usage, fmt::format("cannot read report {}: {}", origin, wrong));
  }
  report.outcome.start = RT_TRY(parse_rfc3339(root.value("start", std::string())));
  report.outcome.scenario = report.scenario.name;
  report.outcome.scenario_sha256 = report.scenario.sha256;
  report.outcome.seed = report.scenario.seed;
  return report;
}

}  // namespace

Result<StoredReport> parse_stored_report(std::string_view text, const std::string& origin) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) {
    return fail(Code::usage, fmt::format("cannot read report {}: it is not a JSON object", origin));
  }
  try {
    return parse_root(root, origin);
  } catch (const Json::exception& wrong) {
    return fail(Code::usage, fmt::format("cannot read report {}: {}", origin, wrong.what()));
  }
}

Result<StoredReport> read_stored_report(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) > kReportBytesMax && !ignored) {
    return fail(Code::usage, fmt::format("cannot read report {}: it is too large", path));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(os_error(fmt::format("cannot read report {}", path), errno, Code::usage));
  }
  return parse_stored_report(text.str(), path);
}

}  // namespace rt
