#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "load/engine.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct PlanFlags {
  std::string scenario;
  std::vector<std::string> overrides;
  bool json = false;
};

std::string layout_text(const Scenario& scenario, const LoadPlan& plan) {
  const LoadLayout& layout = plan.layout;
  std::string text =
      fmt::format("{}: {} subscribers", scenario.name, format_count(scenario.connections()));
  if (layout.connections != scenario.connections()) {
    text += fmt::format(" over {} connections", format_count(layout.connections));
  }
  text += fmt::format(", in {} thread{} of up to {} connections, from {} source address{}\n",
                      layout.shards, layout.shards == 1 ? "" : "s",
                      format_count(layout.sockets_of_shard), layout.sources,
                      layout.sources == 1 ? "" : "es");
  return text + fmt::format("memory: {} in the kernel, {} in user space\n\n",
                            format_bytes(static_cast<double>(plan.kernel_bytes)),
                            format_bytes(static_cast<double>(plan.user_bytes)));
}

std::string table_text(const LoadPlan& plan) {
  std::string text = fmt::format("{:<14}{:>12}{:>12}   {}\n", "what", "needs", "has", "of");
  for (const PlanItem& item : plan.items) {
    text += fmt::format("{:<14}{:>12}{:>12}   {}{}\n", item.name, amount_text(item, item.needs),
                        amount_text(item, item.has), item.what, item.is_short() ? "   SHORT" : "");
    if (item.is_short()) text += fmt::format("  mend it: {}\n", item.fix);
  }
  return text + (plan.first_shortage() == nullptr ? "\nenough for this run\n"
                                                  : "\nthis run cannot be held here\n");
}

std::string json_text(const Scenario& scenario, const LoadPlan& plan) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const PlanItem& item : plan.items) {
    items.push_back({{"name", item.name},
                     {"of", item.what},
                     {"needs", item.needs},
                     {"has", item.has},
                     {"enough", !item.is_short()},
                     {"fix", item.fix}});
  }
  const LoadLayout& layout = plan.layout;
  const nlohmann::ordered_json out = {{"scenario", scenario.name},
                                      {"subscribers", scenario.connections()},
                                      {"connections", layout.connections},
                                      {"shards", layout.shards},
                                      {"connections_of_shard", layout.sockets_of_shard},
                                      {"source_addresses", layout.sources},
                                      {"kernel_bytes", plan.kernel_bytes},
                                      {"user_bytes", plan.user_bytes},
                                      {"enough", plan.first_shortage() == nullptr},
                                      {"items", items}};
  return out.dump(2) + "\n";
}

Result<int> plan(const PlanFlags& flags) {
  const Scenario scenario = RT_TRY(read_scenario(flags.scenario, flags.overrides));
  const LoadPlan made = plan_load(RT_TRY(load_needs(scenario)), read_machine(), flags.scenario);
  const std::string text =
      flags.json ? json_text(scenario, made) : layout_text(scenario, made) + table_text(made);
  std::fputs(text.c_str(), stdout);
  return made.first_shortage() == nullptr ? 0 : exit_status(Code::limit);
}

}  // namespace

void add_plan(cli::Tool& tool) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App* app =
      tool.verb("plan", "Say what a run takes, what this machine has, and how to mend it",
                [flags] { return plan(*flags); });
  app->add_option("SCENARIO", flags->scenario, "A scenario file, or preset:NAME")->required();
  app->add_option("--set", flags->overrides, "Override one key of the scenario; repeat for several")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  app->add_flag("--json", flags->json, "Print the plan as JSON");
  cli::Tool::examples(
      app,
      "  rtbench plan scenarios/runs-400k.json\n"
      "  rtbench plan scenarios/runs-400k.json --set load.connections=1M   exit 5: too much");
}

}  // namespace rt::rtbench
