#include "report/formats.h"

#include <array>

#include "report/csv.h"
#include "report/hlog.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/prometheus.h"
#include "report/text.h"

namespace rt {
namespace {

using S = const Scenario&;
using O = const Outcome&;
using V = const Verdict&;

constexpr std::array kFormats = {
    ReportFormat{"json", "json", json_report},
    ReportFormat{"text", "txt", [](S s, O o, V v) { return text_report(s, o, v, false); }},
    ReportFormat{"html", "html", html_report},
    ReportFormat{"junit", "xml", junit_report},
    ReportFormat{"md", "md", markdown_report},
    ReportFormat{"hlog", "hlog", [](S, O o, V) { return hlog_report(o); }},
    ReportFormat{"csv", "csv", [](S, O o, V) { return csv_report(o); }},
    ReportFormat{"prom", "prom", [](S, O o, V v) { return prometheus_report(o, v); }},
};

}  // namespace

std::span<const ReportFormat> report_formats() {
  return kFormats;
}

const ReportFormat* find_report_format(std::string_view name) {
  for (const ReportFormat& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string report_format_names() {
  std::string names;
  for (const ReportFormat& format : kFormats) {
    names += (names.empty() ? "" : ", ") + std::string(format.name);
  }
  return names;
}

}  // namespace rt
