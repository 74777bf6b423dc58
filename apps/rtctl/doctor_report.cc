#include "rtctl/doctor_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

constexpr std::array<std::string_view, 4> kMarks = {"ok", "skipped", "warn", "FAIL"};
// Dim what was not looked at; green, yellow, red.
constexpr std::array<std::string_view, 4> kColours = {"\x1b[32m", "\x1b[2m", "\x1b[33m",
                                                      "\x1b[1;31m"};

std::string_view mark_name(Mark mark) {
  return kMarks[static_cast<std::size_t>(mark)];
}

std::size_t count(std::span<const Diagnosis> all, Mark mark) {
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const Diagnosis& one) { return one.finding.mark == mark; }));
}

Mark worst(std::span<const Diagnosis> all) {
  Mark mark = Mark::ok;
  for (const Diagnosis& one : all) mark = std::max(mark, one.finding.mark);
  return mark;
}

// Findings quote servers: nothing of theirs may steer a terminal.
std::string visible(std::string_view text) {
  std::string out;
  append_visible(out, text);
  return out;
}

std::string lines_of(std::string_view number, std::string_view name, const Finding& finding,
                     bool colour) {
  const auto index = static_cast<std::size_t>(finding.mark);
  std::string out =
      fmt::format("{:>2} {:<15}{}{:<8}{}{}\n", number, name, colour ? kColours[index] : "",
                  mark_name(finding.mark), colour ? "\x1b[0m" : "", visible(finding.text));
  if (!finding.fix.empty()) out += fmt::format("{:18}fix: {}\n", "", visible(finding.fix));
  return out;
}

bool is_selected(const std::string& word, std::size_t index) {
  const Check& check = doctor_checks()[index];
  return word == check.name || word == kFamilyNames[static_cast<std::size_t>(check.family)] ||
         parse_decimal(word) == index + 1;
}

Error unknown_check(const std::string& word) {
  std::vector<std::string_view> names(kFamilyNames.begin(), kFamilyNames.end());
  for (const Check& check : doctor_checks()) names.push_back(check.name);
  const auto near = nearest(word, names);
  return Error{Code::usage, fmt::format("there is no check \"{}\"", word),
               near ? fmt::format("did you mean {}?", *near)
                    : fmt::format("a number from 1 to {}, a name, or http, pg, redis, machine",
                                  doctor_checks().size())};
}

}  // namespace

Result<std::vector<std::size_t>> select_checks(const std::vector<std::string>& only) {
  const std::size_t total = doctor_checks().size();
  std::vector<bool> wanted(total, only.empty());
  for (const std::string& word : only) {
    bool any = false;
    for (std::size_t i = 0; i < total; ++i) {
      if (!is_selected(word, i)) continue;
      wanted[i] = true;
      any = true;
    }
    if (!any) return fail(unknown_check(word));
  }
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < total; ++i) {
    if (wanted[i]) selected.push_back(i);
  }
  return selected;
}

std::string diagnosis_text(const Diagnosis& diagnosis, bool colour) {
  return lines_of(fmt::format("{}", diagnosis.number), diagnosis.check->name, diagnosis.finding,
                  colour);
}

std::string family_text(const Diagnosis& first, bool colour) {
  return lines_of("-", kFamilyNames[static_cast<std::size_t>(first.check->family)], first.finding,
                  colour);
}

std::string summary_text(std::span<const Diagnosis> all) {
  const std::size_t warnings = count(all, Mark::warn);
  return fmt::format("{} ok, {} {}, {} failed, {} skipped", count(all, Mark::ok), warnings,
                     warnings == 1 ? "warning" : "warnings", count(all, Mark::fail),
                     count(all, Mark::skipped));
}

std::string diagnosis_json(std::span<const Diagnosis> all) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const Diagnosis& one : all) {
    nlohmann::ordered_json check = {
        {"number", one.number},
        {"name", one.check->name},
        {"family", kFamilyNames[static_cast<std::size_t>(one.check->family)]},
        {"result", one.finding.mark == Mark::fail ? "fail" : mark_name(one.finding.mark)},
        {"text", one.finding.text}};
    if (!one.finding.fix.empty()) check["fix"] = one.finding.fix;
    checks.push_back(std::move(check));
  }
  const nlohmann::ordered_json out = {{"v", 1},
                                      {"ok", worst(all) != Mark::fail},
                                      {"failed", count(all, Mark::fail)},
                                      {"warnings", count(all, Mark::warn)},
                                      {"checks", std::move(checks)}};
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string nagios_line(std::span<const Diagnosis> all) {
  constexpr std::array<std::string_view, 4> kStates = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  std::string text;
  for (const Diagnosis& one : all) {
    const bool worth_a_word = one.finding.mark == Mark::fail ||
                              (one.finding.mark == Mark::warn && worst(all) == Mark::warn);
    if (!worth_a_word) continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", one.check->name, one.finding.text);
  }
  // A bar begins the performance data.
  std::replace(text.begin(), text.end(), '|', '/');
  return fmt::format("{} - {} | ok={} warn={} fail={} skipped={}\n",
                     kStates[static_cast<std::size_t>(nagios_status(all))],
                     text.empty() ? summary_text(all) : visible(text), count(all, Mark::ok),
                     count(all, Mark::warn), count(all, Mark::fail), count(all, Mark::skipped));
}

int nagios_status(std::span<const Diagnosis> all) {
  if (count(all, Mark::skipped) == all.size()) return 3;
  const Mark mark = worst(all);
  return mark == Mark::fail ? 2 : mark == Mark::warn ? 1 : 0;
}

}  // namespace rt::rtctl
