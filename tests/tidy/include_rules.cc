// Who may include whom (docs/architecture.md, "Folders"). Linking alone would miss header-only use.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>

#include "tidy/rules.h"

namespace rt::tidy {
namespace {

struct Folder {
  std::string_view name;
  std::initializer_list<std::string_view> may_include;
};

const std::initializer_list<Folder> kFolders = {
    {"base", {}},
    {"auth", {"base"}},
    {"proto", {"base"}},
    {"io", {"base"}},
    {"archive", {"base"}},
    {"pg", {"base", "proto", "io"}},
    {"redis", {"base", "proto", "io"}},
    {"http", {"base", "proto", "io"}},
    {"pipe", {"base", "proto", "io", "archive", "pg", "redis", "http"}},
    {"server", {"base", "proto", "io", "archive", "auth", "pipe"}},
    {"load", {"base", "proto", "io", "pipe"}},
    {"report", {"base", "load"}},
    {"sim", {"base", "proto", "io"}},
};

struct Library {
  std::string_view prefix;                        // of the path in <...>
  std::initializer_list<std::string_view> homes;  // folders that may include it
  bool in_headers;                                // elsewhere only in .cc
};

const std::initializer_list<Library> kLibraries = {
    {"CLI/", {"apps"}, true},
    {"libpq-fe.h", {"lib/pg", "tests"}, false},
    {"curl/", {"lib/http"}, false},
    {"hiredis/", {"lib/redis", "tests"}, false},
    {"boost/", {"lib/proto", "lib/server"}, false},
    {"nghttp2/", {"lib/proto", "tests"}, false},
    {"jwt.h", {"lib/auth", "tests"}, false},
    {"openssl/", {"lib/auth", "lib/io", "lib/server", "lib/load", "tests"}, false},
    {"spdlog/", {"lib/base"}, false},
    {"zlib", {"lib/server", "lib/load", "lib/report", "tests"}, false},
    {"zstd", {"lib/archive", "tests"}, false},
    {"xxhash.h", {"lib/archive", "lib/server", "lib/load", "tests"}, false},
    {"nlohmann/json.hpp", {"lib", "apps", "tests"}, false},
    {"catch2/", {"tests"}, true},
    {"rapidcheck", {"tests"}, true},
};

// "lib/pg/slot.cc" -> "pg"; nothing outside lib/.
std::optional<std::string_view> lib_folder(std::string_view path) {
  if (path.rfind("lib/", 0) != 0) return std::nullopt;
  path.remove_prefix(4);
  return path.substr(0, path.find('/'));
}

const Folder* folder_named(std::string_view name) {
  const auto found = std::find_if(kFolders.begin(), kFolders.end(),
                                  [&](const Folder& folder) { return folder.name == name; });
  return found == kFolders.end() ? nullptr : found;
}

bool has(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The complaint about one quoted include of a file in lib/, or nothing.
std::string lib_complaint(std::string_view from, std::string_view included) {
  const std::string_view to = included.substr(0, included.find('/'));
  if (included.find('/') == included.npos) return "write \"folder/file.h\" with lib/ as root";
  const Folder* folder = folder_named(from);
  if (folder == nullptr)
    return "folder lib/" + std::string(from) + " is not in the table of tests/tidy";
  if (from == to || has(folder->may_include, to)) return {};
  return "lib/" + std::string(from) + " may not include lib/" + std::string(to);
}

std::string app_complaint(std::string_view path, std::string_view included) {
  const std::string_view app = path.substr(5, path.find('/', 5) - 5);  // after "apps/"
  const std::string_view to = included.substr(0, included.find('/'));
  const bool is_app = has({"rtctl", "rtreplay", "rtbench"}, to);
  if (folder_named(to) != nullptr || to == "cli" || to == app) return {};
  return is_app ? "one tool may not include another: share through apps/cli or lib/"
                : "write \"folder/file.h\" with lib/ or apps/ as root";
}

}  // namespace

Findings check_include_direction(const Source& source) {
  Findings findings;
  const auto folder = lib_folder(source.path);
  if (!folder && !source.in("apps")) return findings;
  for (const Include& include : source.includes) {
    if (!include.quoted) {
      const auto to = std::string_view(include.path).substr(0, include.path.find('/'));
      if (folder_named(to) != nullptr && to != "http") {
        findings.push_back({source.path, include.line, "include", "our own headers take quotes"});
      }
      continue;
    }
    const std::string text =
        folder ? lib_complaint(*folder, include.path) : app_complaint(source.path, include.path);
    if (!text.empty()) findings.push_back({source.path, include.line, "include", text});
  }
  return findings;
}

Findings check_third_party(const Source& source) {
  Findings findings;
  for (const Include& include : source.includes) {
    for (const Library& library : kLibraries) {
      if (include.path.rfind(library.prefix, 0) != 0) continue;
      const std::string what(library.prefix);
      const bool at_home = std::any_of(library.homes.begin(), library.homes.end(),
                                       [&](std::string_view home) { return source.in(home); });
      if (!at_home) {
        findings.push_back({source.path, include.line, "library", what + " has another folder"});
      } else if (source.is_header() && !library.in_headers && !source.in("tests")) {
        findings.push_back({source.path, include.line, "library", what + " only in .cc files"});
      }
    }
  }
  return findings;
}

}  // namespace rt::tidy
