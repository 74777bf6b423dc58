// rtbench schema: the published JSON Schemas.
#include <cstdio>
#include <memory>
#include <string>

#include "report/texts.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {

void add_schema(cli::Tool& tool) {
  auto name = std::make_shared<std::string>("report");
  CLI::App* app = tool.verb("schema", "Print the JSON Schema of a report or scenario", [name] {
    if (*name != "report" && *name != "scenario") {
      return Result<int>(fail(Code::usage, "there is no schema \"" + *name + "\"",
                              "the schemas are report and scenario"));
    }
    const std::string_view text = *name == "report" ? kReportSchemaText : kScenarioSchemaText;
    std::fwrite(text.data(), 1, text.size(), stdout);
    return Result<int>(0);
  });
  app->add_option("WHAT", *name, "report or scenario")->type_name("report|scenario");
  cli::Tool::examples(app,
                      "  rtbench schema report > report.schema.json\n"
                      "  rtbench schema scenario > scenario.schema.json");
}

}  // namespace rt::rtbench
