#include "rtreplay/info_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "base/units.h"
#include "report/svg_bars.h"

namespace rt::rtreplay {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --edge: #d5dae0;
  --bar: #1f6feb; --insert: #1a7f37; --update: #9a6700; --delete: #cf222e; --truncate: #8250df;
  --gap: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #9aa4af; --paper: #14171b; --edge: #333a42; --bar: #58a6ff;
    --insert: #3fb950; --update: #d29922; --delete: #f85149; --truncate: #bc8cff; --gap: #f85149; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --edge: #bbb; --bar: #1f6feb; }
  section, tr, li { break-inside: avoid; } body { max-width: none; }
  .bar, .part, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem;
  margin: 1.25rem 0 0; }
.tiles div { border: 1px solid var(--edge); border-radius: .5rem; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: .85rem; }
figure { margin: 0; }
svg { display: block; width: 100%; height: 10rem; border-bottom: 1px solid var(--edge); }
.bar { fill: var(--bar); } .back { fill: transparent; } g:hover .bar { opacity: .7; }
.line { stroke: var(--gap); stroke-width: 2; stroke-dasharray: 4 3; vector-effect: non-scaling-stroke; }
.axis { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .8rem;
  font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .4rem; border-bottom: 1px solid var(--edge); }
th { color: var(--soft); font-weight: 500; font-size: .85rem; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
td { white-space: nowrap; } td:first-child { white-space: normal; }
.dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 2px; margin-right: .35rem; }
.parts { display: flex; height: .5rem; margin-top: .25rem; gap: 1px; }
.part { min-width: 2px; border-radius: 1px; }
.i { background: var(--insert); } .u { background: var(--update); } .d { background: var(--delete); }
.t { background: var(--truncate); }
ul { padding-left: 1.1rem; margin: .25rem 0; } li { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; }
  tr { display: grid; grid-template-columns: repeat(4, 1fr); border-bottom: 1px solid var(--edge); }
  th, td { border: 0; } td:first-child { grid-column: 1 / -1; } th:first-child { display: none; } }
)";

std::string time_text(std::int64_t us) {
  return format_rfc3339(from_unix_us(us));
}

std::string seconds_text(double seconds) {
  return format_duration(
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

class Page {
 public:
  Page(const Survey& survey, const std::string& path) : s_(survey), path_(path) {}

  std::string make() {
    head();
    tiles();
    rate();
    sizes();
    tables();
    list("Gaps", "Events may be missing here.", gap_lines());
    list("Marks", "", mark_lines());
    list("Damage", "What cannot be read.", s_.damages);
    facts();
    out_ += "</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  void text(std::string_view t) { append_markup_text(out_, t); }
  template <typename... Args>
  void raw(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void head() {
    out_ +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
    text(path_);
    out_ += " - recording</title>\n<style>";
    out_ += kStyle;
    out_ += "</style>\n</head>\n<body>\n<h1>";
    text(path_);
    out_ += "</h1>\n<p>";
    if (s_.first_us == 0) {
      text("a recording without events");
    } else {
      text(fmt::format("{} to {}", time_text(s_.first_us), time_text(s_.last_us)));
    }
    out_ += "</p>\n";
  }

  void tile(const std::string& value, std::string_view name) {
    out_ += "<div><b>";
    text(value);
    out_ += "</b><span>";
    text(name);
    out_ += "</span></div>\n";
  }
  void tiles() {
    out_ += "<div class=\"tiles\">\n";
    tile(seconds_text(s_.span_s()), "recorded");
    tile(format_count(s_.transactions), "transactions");
    tile(format_count(s_.rows), "rows");
    if (s_.events > 0) tile(format_count(s_.events), "events");
    if (s_.snapshot_rows > 0) tile(format_count(s_.snapshot_rows), "snapshot rows");
    tile(format_count(s_.gaps.size()), "gaps");
    tile(format_bytes(static_cast<double>(s_.file_bytes)), "on disk");
    out_ += "</div>\n";
  }

  void figure(const report::SvgBars& picture, std::initializer_list<std::string> axis) {
    out_ += "<figure>\n";
    append_svg(out_, picture);
    out_ += "<div class=\"axis\">";
    for (const std::string& label : axis) {
      out_ += "<span>";
      text(label);
      out_ += "</span>";
    }
    out_ += "</div>\n</figure>\n</section>\n";
  }

  void rate() {
    if (s_.rows + s_.events == 0 || s_.span_s() <= 0) return;
    const double slice_s = s_.span_s() / static_cast<double>(s_.rate.size());
    report::SvgBars picture;
    picture.label = "rows and events a second over time";
    double peak = 0;
    for (std::size_t i = 0; i < s_.rate.size(); ++i) {
      const double rate = s_.rate[i] / slice_s;
      peak = std::max(peak, rate);
      picture.bars.push_back(
          {rate, fmt::format("{} after the start: {:.0f}/s, {} in {}",
                             seconds_text(slice_s * static_cast<double>(i)), rate,
                             format_count(s_.rate[i]), seconds_text(slice_s))});
    }
    for (std::size_t i = 0; i < s_.gaps.size() && i < s_.gap_times_us.size(); ++i) {
      const double after = static_cast<double>(s_.gap_times_us[i] - s_.first_us) / 1e6;
      picture.lines.push_back({after / s_.span_s(), "gap: " + s_.gaps[i]});
    }
    out_ += "<section>\n<h2>Rate</h2>\n<p>";
    text(fmt::format("mean {:.0f}/s, peak {:.0f}/s, in slices of {}{}",
                     static_cast<double>(s_.rows + s_.events) / s_.span_s(), peak,
                     seconds_text(slice_s), s_.gaps.empty() ? "" : "; dashed: gaps"));
    out_ += "</p>\n";
    figure(picture, {"start", seconds_text(s_.span_s() / 2), seconds_text(s_.span_s())});
  }

  void sizes() {
    if (s_.transactions == 0) return;
    std::size_t last = 0;
    for (std::size_t i = 0; i < s_.sizes.size(); ++i) {
      if (s_.sizes[i] > 0) last = i;
    }
    report::SvgBars picture;
    picture.label = "transactions by number of rows";
    for (std::size_t i = 0; i <= std::max<std::size_t>(last, 7); ++i) {
      const std::uint64_t least = std::uint64_t{1} << i;
      const std::string range =
          i == 0 ? "1 row"
                 : fmt::format("{} to {} rows", format_count(least), format_count(2 * least - 1));
      picture.bars.push_back(
          {static_cast<double>(s_.sizes[i]),
           fmt::format("{}: {} transactions", range, format_count(s_.sizes[i]))});
    }
    out_ += "<section>\n<h2>Transaction sizes</h2>\n<p>";
    text(fmt::format("{} of {} have one row, the largest has {}{}", format_count(s_.sizes[0]),
                     format_count(s_.transactions), format_count(s_.largest_rows),
                     s_.abandoned == 0 ? "" : fmt::format(", {} cut off", s_.abandoned)));
    out_ += "</p>\n";
    figure(picture,
           {"1 row", fmt::format("{} rows or more",
                                 format_count(std::uint64_t{1} << (picture.bars.size() - 1)))});
  }

  void tables() {
    if (s_.relations.empty()) return;
    std::uint64_t most = 1;
    for (const auto& [name, r] : s_.relations) most = std::max(most, total(r));
    out_ += "<section>\n<h2>Tables</h2>\n<table>\n<thead><tr><th>table</th>";
    for (const char* kind : {"inserts", "updates", "deletes", "truncates"}) {
      raw("<th><span class=\"dot {}\"></span>{}</th>", kind[0], kind);
    }
    out_ += "</tr></thead>\n<tbody>\n";
    for (const auto& [name, r] : s_.relations) {
      out_ += "<tr><td>";
      text(name);
      out_ += "<div class=\"parts\">";
      const std::pair<char, std::uint64_t> parts[] = {
          {'i', r.inserts}, {'u', r.updates}, {'d', r.deletes}, {'t', r.truncates}};
      for (const auto& [kind, n] : parts) {
        if (n == 0) continue;
        raw("<div class=\"part {}\" style=\"width:{:.2f}%\"></div>", kind,
            100.0 * static_cast<double>(n) / static_cast<double>(most));
      }
      raw("</div></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", format_count(r.inserts),
          format_count(r.updates), format_count(r.deletes), format_count(r.truncates));
    }
    out_ += "</tbody></table>\n</section>\n";
  }

  static std::uint64_t total(const archive::RelationCounts& r) {
    return r.inserts + r.updates + r.deletes + r.truncates;
  }

  std::vector<std::string> gap_lines() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < s_.gaps.size(); ++i) {
      const std::int64_t at = i < s_.gap_times_us.size() ? s_.gap_times_us[i] : 0;
      lines.push_back((at == 0 ? "before the first event" : time_text(at)) + ": " + s_.gaps[i]);
    }
    return lines;
  }
  std::vector<std::string> mark_lines() const {
    std::vector<std::string> lines;
    for (const archive::Marker& mark : s_.marks) {
      lines.push_back(time_text(mark.time_us) + ": " + mark.text);
    }
    return lines;
  }

  void list(std::string_view title, std::string_view note, const std::vector<std::string>& lines) {
    constexpr std::size_t kShown = 200;  // a page, not a log
    if (lines.empty()) return;
    out_ += "<section>\n<h2>";
    text(title);
    out_ += "</h2>\n<p>";
    text(note);
    out_ += "</p>\n<ul>\n";
    for (std::size_t i = 0; i < lines.size() && i < kShown; ++i) {
      out_ += "<li>";
      text(lines[i]);
      out_ += "</li>\n";
    }
    if (lines.size() > kShown) raw("<li>and {} more</li>\n", lines.size() - kShown);
    out_ += "</ul>\n</section>\n";
  }

  void fact(std::string_view name, const std::string& value) {
    out_ += "<dt>";
    text(name);
    out_ += "</dt><dd>";
    text(value);
    out_ += "</dd>\n";
  }
  void facts() {
    out_ += "<section>\n<h2>Recording</h2>\n<dl>\n";
    if (!s_.first_id.empty()) fact("ids", s_.first_id + " to " + s_.last_id);
    fact("format", fmt::format("{}.{}, {} segments, {} blocks{}", s_.header.major, s_.header.minor,
                               s_.segments, s_.blocks, s_.closed ? "" : ", not closed"));
    fact("data", fmt::format("{}, ratio {:.1f}", format_bytes(static_cast<double>(s_.raw_bytes)),
                             static_cast<double>(s_.raw_bytes) /
                                 static_cast<double>(std::max<std::uint64_t>(1, s_.file_bytes))));
    const archive::Origin& origin = s_.header.origin;
    if (origin.system_identifier != 0) {
      fact("source",
           fmt::format("cluster {}, timeline {}, PostgreSQL {}.{}, from {}",
                       origin.system_identifier, origin.timeline, origin.server_version / 10'000,
                       origin.server_version % 10'000, lsn_text(origin.consistent_point)));
    }
    fact("notes", origin.notes_json);
    out_ += "</dl>\n</section>\n";
  }

  const Survey& s_;
  const std::string& path_;
  std::string out_;
};

}  // namespace

std::string info_html(const Survey& survey, const std::string& path) {
  return Page(survey, path).make();
}

}  // namespace rt::rtreplay
