// Texts that are files in the source tree and strings in the library. Any thread.
#pragma once

#include <string_view>

namespace rt {

extern const std::string_view kReportSchemaText;    // JSON Schema of the JSON report
extern const std::string_view kScenarioSchemaText;  // JSON Schema of a scenario, comments removed
extern const std::string_view kStyleText;           // CSS of the HTML report

}  // namespace rt
