// rtreplay info: what a recording holds.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "rtreplay/info_html.h"
#include "rtreplay/survey.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

using nlohmann::ordered_json;

// Numbers with gaps read better; JSON has none.
std::string count(std::uint64_t n) {
  return format_count(n);
}

ordered_json as_json(const Survey& s, const std::string& path) {
  ordered_json relations = ordered_json::array();
  for (const auto& [name, r] : s.relations) {
    relations.push_back({{"name", name},
                         {"inserts", r.inserts},
                         {"updates", r.updates},
                         {"deletes", r.deletes},
                         {"truncates", r.truncates}});
  }
  ordered_json marks = ordered_json::array();
  for (const archive::Marker& mark : s.marks) {
    marks.push_back({{"ts", format_rfc3339(from_unix_us(mark.time_us))}, {"text", mark.text}});
  }
  const ordered_json notes = ordered_json::parse(s.header.origin.notes_json, nullptr, false);
  ordered_json out = {
      {"archive", path},
      {"format", fmt::format("{}.{}", s.header.major, s.header.minor)},
      {"segments", s.segments},
      {"blocks", s.blocks},
      {"span_s", s.span_s()},
      {"start",
       s.first_us == 0 ? ordered_json() : ordered_json(format_rfc3339(from_unix_us(s.first_us)))},
      {"end",
       s.last_us == 0 ? ordered_json() : ordered_json(format_rfc3339(from_unix_us(s.last_us)))},
      {"transactions", s.transactions},
      {"rows", s.rows},
      {"events", s.events},
      {"snapshot_rows", s.snapshot_rows},
      {"first_id", s.first_id.empty() ? ordered_json() : ordered_json(s.first_id)},
      {"last_id", s.last_id.empty() ? ordered_json() : ordered_json(s.last_id)},
      {"largest_transaction_rows", s.largest_rows},
      {"cut_off_transactions", s.abandoned},
      {"prepared",
       {{"all", s.prepared.all},
        {"committed", s.prepared.committed},
        {"rolled_back", s.prepared.rolled_back},
        {"waiting", s.prepared.waiting()}}},
      {"relations", std::move(relations)},
      {"gaps", s.gaps},
      {"marks", std::move(marks)},
      {"file_bytes", s.file_bytes},
      {"raw_bytes", s.raw_bytes},
      {"ratio", s.file_bytes == 0
                    ? 0.0
                    : static_cast<double>(s.raw_bytes) / static_cast<double>(s.file_bytes)},
      {"closed", s.closed},
      {"damages", s.damages},
      {"system_identifier", std::to_string(s.header.origin.system_identifier)},
      {"timeline", s.header.origin.timeline},
      {"server_version", s.header.origin.server_version},
      {"consistent_point", lsn_text(s.header.origin.consistent_point)},
      {"notes", notes.is_discarded() ? ordered_json() : notes}};
  return out;
}

// Eight heights of a column of text.
std::string graph(const std::vector<std::uint32_t>& rate) {
  static constexpr const char* kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::uint32_t top = std::max(1u, *std::max_element(rate.begin(), rate.end()));
  std::string out;
  for (const std::uint32_t n : rate) {
    out += kBars[n == 0 ? 0 : 1 + static_cast<std::uint64_t>(n) * 7 / top];
  }
  return out;
}

void print_text(const Survey& s, const std::string& path) {
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-14s %s\n", name, value.c_str());
  };
  line("archive",
       fmt::format("{}  ({} segments, {} blocks, format {}.{}{})", path, s.segments, s.blocks,
                   s.header.major, s.header.minor, s.closed ? "" : ", not closed"));
  if (s.first_us != 0) {
    line("span",
         fmt::format("{:.3f} s  {} to {}", s.span_s(), format_rfc3339(from_unix_us(s.first_us)),
                     format_rfc3339(from_unix_us(s.last_us))));
  }
  line("transactions",
       fmt::format("{}  (largest {} rows{})", count(s.transactions), count(s.largest_rows),
                   s.abandoned == 0 ? "" : fmt::format(", {} cut off", s.abandoned)));
  if (s.prepared.all > 0) {
    line("prepared", fmt::format("{}  ({} committed, {} rolled back, {} waiting)",
                                 count(s.prepared.all), count(s.prepared.committed),
                                 count(s.prepared.rolled_back), count(s.prepared.waiting())));
  }
  line("rows", count(s.rows));
  if (s.events > 0) line("events", count(s.events));
  if (s.snapshot_rows > 0) line("snapshot rows", count(s.snapshot_rows));
  if (!s.first_id.empty()) line("ids", fmt::format("{} to {}", s.first_id, s.last_id));
  line("size",
       fmt::format("{}, {} of data, ratio {:.1f}", format_bytes(static_cast<double>(s.file_bytes)),
                   format_bytes(static_cast<double>(s.raw_bytes)),
                   s.file_bytes == 0
                       ? 0.0
                       : static_cast<double>(s.raw_bytes) / static_cast<double>(s.file_bytes)));
  if (s.header.origin.system_identifier != 0) {
    line("source", fmt::format("cluster {}, timeline {}, PostgreSQL {}.{}, from {}",
                               s.header.origin.system_identifier, s.header.origin.timeline,
                               s.header.origin.server_version / 10'000,
                               s.header.origin.server_version % 10'000,
                               lsn_text(s.header.origin.consistent_point)));
  }
  if (s.rows + s.events > 0 && s.span_s() > 0) {
    const double slice_s = s.span_s() / static_cast<double>(s.rate.size());
    const double peak = *std::max_element(s.rate.begin(), s.rate.end()) / slice_s;
    line("rate", fmt::format("mean {:.0f}/s, peak {:.0f}/s in slices of {}",
                             static_cast<double>(s.rows + s.events) / s.span_s(), peak,
                             format_duration(std::chrono::duration_cast<Duration>(
                                 std::chrono::duration<double>(slice_s)))));
    line("", "|" + graph(s.rate) + "|");
  }
  if (!s.relations.empty()) {
    std::printf("\n%-40s %12s %12s %12s %10s\n", "relation", "inserts", "updates", "deletes",
                "truncates");
    for (const auto& [name, r] : s.relations) {
      std::printf("%-40s %12s %12s %12s %10s\n", name.c_str(), count(r.inserts).c_str(),
                  count(r.updates).c_str(), count(r.deletes).c_str(), count(r.truncates).c_str());
    }
  }
  for (const std::string& gap : s.gaps) line("gap", gap);
  for (const archive::Marker& mark : s.marks) {
    line("mark", format_rfc3339(from_unix_us(mark.time_us)) + " " + mark.text);
  }
}

Result<void> write_page(const std::string& file, const std::string& page) {
  std::FILE* out = std::fopen(file.c_str(), "we");
  if (out == nullptr) return fail(os_error("cannot write " + file, errno, Code::usage));
  const bool written = std::fwrite(page.data(), 1, page.size(), out) == page.size();
  const int code = errno;
  if (std::fclose(out) != 0 || !written) return fail(os_error("cannot write " + file, code));
  return {};
}

Result<int> run(const std::string& path, bool json, const std::string& html) {
  const Survey found = RT_TRY(survey(path));
  if (!html.empty()) {
    RT_CHECKED(write_page(html, info_html(found, path)));
    if (!json) std::fprintf(stderr, "rtreplay: wrote %s\n", html.c_str());
  }
  if (json) {
    const auto text =
        as_json(found, path).dump(2, ' ', false, ordered_json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
  } else if (html.empty()) {
    print_text(found, path);
  }
  std::fflush(stdout);
  if (!found.damages.empty()) return fail(Code::integrity, found.damages.front());
  return 0;
}

}  // namespace

void add_info(cli::Tool& tool) {
  struct Options {
    std::string path;
    bool json = false;
    std::string html;
  };
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("info", "Say what a recording holds",
                            [options] { return run(options->path, options->json, options->html); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_flag("--json", options->json, "As one JSON object");
  app->add_option("--html", options->html, "Write it as a page with pictures")->type_name("FILE");
  cli::Tool::examples(app,
                      "  rtreplay info incident.rtr\n"
                      "  rtreplay info incident.rtr --html incident.html\n"
                      "  rtreplay info incident.rtr --json | jq .rows");
}

}  // namespace rt::rtreplay
