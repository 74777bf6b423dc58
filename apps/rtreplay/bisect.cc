// rtreplay bisect: the first transaction of a recording with which a command fails.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "base/units.h"
#include "rtreplay/bisect_probe.h"
#include "rtreplay/record_filter.h"
#include "rtreplay/record_printer.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string path;
  std::vector<std::string> command;
  RecordFilter::Options filter;
  std::string recover;
  bool rows = false;
  bool steps = false;
};

constexpr std::size_t kLinesShown = 20;  // of the transaction that was found; a screen

// The first record that the filter keeps.
Result<int> find_first(archive::Reader& reader, RecordFilter& filter) {
  RecordPrinter printer(LineFormat::ndjson, false);
  archive::Entry entry;
  std::string line;
  while (RT_TRY(reader.next(entry))) {
    const bool keep = filter.judge(entry.record) != RecordFilter::Verdict::drop;
    line.clear();
    printer.print(entry.record, entry.position, line);
    const bool is_event =
        entry.record.kind == RecordKind::gap || entry.record.kind == RecordKind::mark;
    if (!keep || line.empty() || is_event) continue;
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
    return 0;
  }
  std::fprintf(stderr, "rtreplay: no row or event meets the condition\n");
  return 1;
}

class Search {
 public:
  Search(archive::Reader& reader, const Options& options)
      : reader_(reader),
        options_(options),
        unit_(options.rows ? BisectUnit::row : BisectUnit::transaction) {}

  Result<int> run() {
    const std::uint64_t units = RT_TRY(count_units(reader_, unit_));
    if (!RT_TRY(good(0, units))) {
      return fail(Code::usage, "the command fails without any row",
                  "it must end with 0 as long as all is well");
    }
    if (RT_TRY(good(units, units))) {
      std::fprintf(stderr, "rtreplay: the command never fails: not with all %s %s\n",
                   format_count(units).c_str(), name());
      return 1;
    }
    std::uint64_t known_good = 0;
    std::uint64_t known_bad = units;
    while (known_bad - known_good > 1) {
      const std::uint64_t middle = known_good + (known_bad - known_good) / 2;
      (RT_TRY(good(middle, units)) ? known_good : known_bad) = middle;
    }
    const std::string lines = RT_TRY(lines_of_unit(reader_, unit_, known_bad - 1, kLinesShown));
    std::fprintf(stderr, "rtreplay: the first with which it fails is number %s of %s %s\n",
                 format_count(known_bad).c_str(), format_count(units).c_str(), name());
    std::fputs(lines.c_str(), stdout);
    std::fflush(stdout);
    return 0;
  }

 private:
  const char* name() const { return options_.rows ? "rows and events" : "transactions and events"; }

  Result<bool> good(std::uint64_t units, std::uint64_t of) {
    const bool passed = RT_TRY(passes(reader_, unit_, units, options_.command, options_.steps));
    if (options_.steps) {
      std::fprintf(stderr, "rtreplay: %s of %s: %s\n", format_count(units).c_str(),
                   format_count(of).c_str(), passed ? "passes" : "fails");
    }
    return passed;
  }

  archive::Reader& reader_;
  const Options& options_;
  BisectUnit unit_;
};

bool has_filter(const RecordFilter::Options& filter) {
  return !filter.tables.empty() || !filter.topics.empty() || !filter.ops.empty() ||
         !filter.conditions.empty();
}

Result<int> run(const Options& options) {
  if (options.command.empty() == !has_filter(options.filter)) {
    return fail(Code::usage, "bisect needs a command, or conditions on a row, and not both",
                "rtreplay bisect A.rtr -- ./check; rtreplay bisect A.rtr --where 'total < 0'");
  }
  RecordFilter filter = RT_TRY(RecordFilter::parse(options.filter));
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader reader = RT_TRY(archive::Reader::open(options.path, read));
  if (options.command.empty()) return find_first(reader, filter);
  return Search(reader, options).run();
}

}  // namespace

void add_bisect(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("bisect", "Find the first transaction with which a command fails",
                            [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("COMMAND", options->command,
                  "Reads the first rows as lines of `cat`; ends with 0 while all is well")
      ->type_name("(after --)");
  RecordFilter::declare(app, options->filter);
  app->add_flag("--rows", options->rows, "Also stop inside transactions");
  app->add_flag("--steps", options->steps, "Show each step and what the command says");
  add_recover_option(app, options->recover);
  cli::Tool::examples(
      app,
      "  rtreplay bisect incident.rtr -- jq -se 'map(.new.total // \"0\" | tonumber) | add < "
      "1000'\n"
      "  rtreplay bisect incident.rtr -- ./state-is-sane.sh\n"
      "  rtreplay bisect incident.rtr --table orders --where 'total < 0'\n"
      "Prints the rows found. exit status: 0 found, 1 the command never fails, or no row meets "
      "the\n"
      "conditions. The command must go on failing once it fails, as more rows come.");
}

}  // namespace rt::rtreplay
