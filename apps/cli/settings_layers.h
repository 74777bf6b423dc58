// Settings files as layers: which keys they may hold, what each says, and who wins. Pure: documents
// in, values with their origin out. Any thread.
//
//   {"url": "https://rt.example", "token_file": "/run/token",       every verb that has the option
//    "rtctl": {"quiet": true, "subscribe": {"format": "ndjson"}},   this tool, this verb
//    "context": "prod", "contexts": {"prod": {"pg": "service=app"}}}
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "load/document.h"

namespace rt::cli {

struct Setting {
  std::vector<std::string> values;  // several only for a list
  std::string origin;               // "/etc/rt/config.json:3", "context prod (FILE:LINE)"
};

// By full path: "url", "rtctl.quiet", "rtctl.subscribe.format"; options spelt with hyphens.
using Layer = std::map<std::string, Setting>;

struct SettingsFile {
  Layer layer;
  std::map<std::string, Layer> contexts;
  std::string context;   // the selected one, or empty
  std::string previous;  // the one selected before
};

// Strict: an unknown key, a key that would hold a secret, a value of the wrong kind are
// Code::usage, with file and line. Sections of the other tools are taken as they are. `tool` is the
// tree of verbs.
Result<SettingsFile> read_settings(const JsonNode& document, const CLI::App& tool);

// The verb of that name or alias right below `app`; nullptr if there is none.
const CLI::App* find_verb(const CLI::App& app, const std::string& name);

// What `option` of the verb "publish.run" ("": no verb) is set to: layers are asked in their order,
// in each the verb, its parents, the tool, all tools.
const Setting* find_setting(const std::vector<Layer>& layers, std::string_view tool,
                            std::string_view verb, std::string_view option);

}  // namespace rt::cli
