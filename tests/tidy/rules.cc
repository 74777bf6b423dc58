#include "tidy/rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace rt::tidy {
namespace {

constexpr int kFunctionLinesMax = 70;   // a screen and a half
constexpr int kFileLinesMax = 400;      // beyond it a file has two ideas
constexpr int kTestFileLinesMax = 800;  // cases are independent of each other

struct Ban {
  std::string_view call;  // found as a whole word (or qualified name)
  std::string_view instead;
  bool with_parenthesis = true;  // only when "(" follows
  bool lib_only = false;
};

constexpr std::array<Ban, 28> kBans = {{
    {"steady_clock::now", "take the time as an argument; base/clock.h reads it"},
    {"system_clock::now", "take the time as an argument; base/clock.h reads it"},
    {"high_resolution_clock::now", "take the time as an argument; base/clock.h reads it"},
    {"clock_gettime", "take the time as an argument; base/clock.h reads it"},
    {"gettimeofday", "take the time as an argument; base/clock.h reads it"},
    {"std::time", "take the time as an argument; base/clock.h reads it"},
    {"sleep", "wait for what must happen, with a deadline"},
    {"usleep", "wait for what must happen, with a deadline"},
    {"nanosleep", "wait for what must happen, with a deadline"},
    {"sleep_for", "wait for what must happen, with a deadline"},
    {"sleep_until", "wait for what must happen, with a deadline"},
    {"rand", "base/random.h"},
    {"srand", "base/random.h"},
    {"random_device", "base/random.h", false},
    {"mt19937", "base/random.h", false},
    {"strtok", "rt::split"},
    {"sprintf", "fmt::format_to"},
    {"vsprintf", "fmt::format_to"},
    {"strcpy", "std::string"},
    {"strcat", "std::string"},
    {"gets", "std::fgets"},
    {"atoi", "rt::parse_decimal"},
    {"atol", "rt::parse_decimal"},
    {"atoll", "rt::parse_decimal"},
    {"atof", "rt::parse_duration and its like"},
    {"std::regex", "a hand-written match: std::regex recurses and is slow", false, true},
    {"std::exit", "return an Error", true, true},
    {"std::cout", "a Sink, or base/log.h", false, true},
}};

constexpr std::array<std::string_view, 5> kEmptyWords = {"Manager", "Helper", "Utils", "Util",
                                                         "Impl"};
constexpr std::array<std::string_view, 4> kEmptyFileWords = {"manager", "helper", "util", "impl"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// A member or a name of another namespace (x.sleep, ours::rand) is not the banned one; ::sleep is.
bool is_foreign(std::string_view code, std::size_t at) {
  if (at == 0) return false;
  if (code[at - 1] == '.' || code[at - 1] == '>') return true;
  if (code.substr(0, at).substr(at < 2 ? 0 : at - 2) != "::") return false;
  std::size_t begin = at - 2;
  while (begin > 0 && is_word(code[begin - 1])) --begin;
  const std::string_view qualifier = code.substr(begin, at - 2 - begin);
  return !qualifier.empty() && qualifier != "std" && qualifier != "chrono" &&
         qualifier != "this_thread";
}

// Offsets where `word` stands alone in `code`.
std::vector<std::size_t> find_word(std::string_view code, std::string_view word,
                                   bool with_parenthesis) {
  std::vector<std::size_t> found;
  for (std::size_t at = code.find(word); at != code.npos; at = code.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool alone =
        (at == 0 || !is_word(code[at - 1])) && (end >= code.size() || !is_word(code[end]));
    const std::size_t next = code.find_first_not_of(" \n", end);
    const bool called = next != code.npos && code[next] == '(';
    if (alone && !is_foreign(code, at) && (called || !with_parenthesis)) found.push_back(at);
  }
  return found;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

Findings check_sizes(const Source& source) {
  Findings findings;
  if (!source.is_cpp()) return findings;
  const bool test = source.in("tests");
  const int limit = test ? kTestFileLinesMax : kFileLinesMax;
  if (source.line_count() > limit) {
    findings.push_back(
        {source.path, limit + 1, "file-size",
         std::to_string(source.line_count()) + " lines, at most " + std::to_string(limit)});
  }
  if (test) return findings;
  for (const Function& function : source.functions) {
    if (function.lines() <= kFunctionLinesMax) continue;
    findings.push_back({source.path, function.first_line, "function-size",
                        function.head.substr(0, 60) + ": " + std::to_string(function.lines()) +
                            " lines, at most " + std::to_string(kFunctionLinesMax)});
  }
  return findings;
}

Findings check_banned_calls(const Source& source) {
  Findings findings;
  for (const Ban& ban : kBans) {
    if (ban.lib_only && !source.in("lib")) continue;
    for (const std::size_t at : find_word(source.code, ban.call, ban.with_parenthesis)) {
      findings.push_back({source.path, source.line_at(at), "banned-call",
                          std::string(ban.call) + "; instead: " + std::string(ban.instead)});
    }
  }
  return findings;
}

// RT_TRY returns in the middle of its statement: the memory that "new" has taken by then is lost.
Findings check_new(const Source& source) {
  Findings findings;
  for (const std::size_t at : find_word(source.code, "RT_TRY", true)) {
    const std::size_t before = source.code.find_last_of(";{}", at);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    if (find_word(source.code.substr(begin, at - begin), "new", false).empty()) continue;
    findings.push_back({source.path, source.line_at(at), "try-in-new",
                        "an RT_TRY inside of a new expression leaks: take the value before"});
  }
  return findings;
}

Findings check_names(const Source& source) {
  Findings findings;
  if (!source.is_cpp()) return findings;
  const std::string file = source.path.substr(source.path.rfind('/') + 1);
  for (const std::string_view word : kEmptyFileWords) {
    if (file.find(word) == file.npos) continue;
    findings.push_back(
        {source.path, 1, "name", "a file named \"" + std::string(word) + "\" says nothing"});
  }
  for (const std::string_view word : kEmptyWords) {
    for (std::size_t at = source.code.find(word); at != source.code.npos;
         at = source.code.find(word, at + 1)) {
      const std::size_t end = at + word.size();
      if (end < source.code.size() && is_word(source.code[end])) continue;
      findings.push_back({source.path, source.line_at(at), "name",
                          "\"" + std::string(word) + "\" says nothing: name what it does"});
    }
  }
  return findings;
}

Findings check_header_shape(const Source& source) {
  Findings findings;
  if (!source.is_header()) return findings;
  if (source.text.rfind("// ", 0) != 0) {
    findings.push_back(
        {source.path, 1, "header", "begins with a comment: what it is, threads, units"});
  }
  if (source.text.find("\n#pragma once\n") == source.text.npos) {
    findings.push_back({source.path, 1, "header", "needs #pragma once"});
  }
  return findings;
}

Findings check_text(const Source& source) {
  // Cut in two, or this file would break its own rule.
  static const std::array<std::string, 9> kLeftovers = {
      "FIX"
      "ME",
      "TO"
      "DO:",
      "TO"
      "DO(",
      "XX"
      "X:",
      "/wo"
      "rk/",
      "/tmp/w"
      "t",
      "/ro"
      "ot/",
      "/ho"
      "me/",
      "deb.deb"
      "ian.org"};
  Findings findings;
  // Expected outputs are held byte for byte.
  const bool golden = source.path.find("/golden/") != source.path.npos;
  const std::vector<std::string> lines = split_lines(source.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    for (const std::string& leftover : kLeftovers) {
      if (lines[i].find(leftover) == std::string::npos) continue;
      findings.push_back(
          {source.path, number, "leftover", "\"" + leftover + "\" has no place here"});
    }
    if (golden) continue;
    if (!lines[i].empty() && std::isspace(static_cast<unsigned char>(lines[i].back())) != 0) {
      findings.push_back({source.path, number, "white-space", "at the end of the line"});
    }
    if (lines[i].find('\t') != std::string::npos) {
      findings.push_back({source.path, number, "white-space", "a tab: indent with spaces"});
    }
  }
  if (!golden && !source.text.empty() && source.text.back() != '\n') {
    findings.push_back(
        {source.path, static_cast<int>(lines.size()), "white-space", "no newline at the end"});
  }
  return findings;
}

Findings check_all(const std::vector<Source>& sources, const std::vector<Exception>& exceptions) {
  constexpr std::array kRules = {check_include_direction, check_third_party, check_sizes,
                                 check_banned_calls,      check_new,         check_names,
                                 check_header_shape,      check_text};
  Findings kept;
  std::vector<bool> used(exceptions.size());
  for (const Source& source : sources) {
    for (const auto rule : kRules) {
      for (Finding& finding : rule(source)) {
        const auto known = std::find_if(
            exceptions.begin(), exceptions.end(),
            [&](const Exception& e) { return e.rule == finding.rule && e.path == finding.path; });
        if (known == exceptions.end()) {
          kept.push_back(std::move(finding));
        } else {
          used[static_cast<std::size_t>(known - exceptions.begin())] = true;
        }
      }
    }
  }
  for (std::size_t i = 0; i < exceptions.size(); ++i) {
    if (used[i]) continue;
    kept.push_back({std::string(exceptions[i].path), 0, std::string(exceptions[i].rule),
                    "this exception is no longer needed: remove it from tests/tidy"});
  }
  return kept;
}

std::string report(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    out += finding.path + ":" + std::to_string(finding.line) + ": " + finding.rule + ": " +
           finding.text + "\n";
  }
  return out;
}

}  // namespace rt::tidy
