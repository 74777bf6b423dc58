// The rules of CONTRIBUTING.md that a machine can check. Each takes one file and returns what
// breaks it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidy/source.h"

namespace rt::tidy {

struct Finding {
  std::string path;
  int line = 0;
  std::string rule;
  std::string text;
};

// A known exception, with its reason. One that nothing needs any more is itself a finding.
struct Exception {
  std::string_view rule;
  std::string_view path;
  std::string_view reason;
};

using Findings = std::vector<Finding>;

Findings check_include_direction(
    const Source& source);                          // who may include whom inside lib/ and apps/
Findings check_third_party(const Source& source);   // each library has one folder
Findings check_sizes(const Source& source);         // functions and files
Findings check_banned_calls(const Source& source);  // clocks, sleeps, chance, unsafe C
Findings check_new(const Source& source);           // what a return out of it would leak
Findings check_names(const Source& source);         // words that say nothing
Findings check_header_shape(const Source& source);  // purpose first, then #pragma once
Findings check_text(const Source& source);          // leftovers, machine paths, white space

// Every rule over every file, less the exceptions.
Findings check_all(const std::vector<Source>& sources, const std::vector<Exception>& exceptions);

// "path:line: rule: text" a line each.
std::string report(const Findings& findings);

}  // namespace rt::tidy
