// rtreplay convert: a recording as lines for other programs, or lines as a recording.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/fd.h"
#include "base/units.h"
#include "cli/line_reader.h"
#include "rtreplay/line_export.h"
#include "rtreplay/ndjson_import.h"
#include "rtreplay/output.h"
#include "rtreplay/record_range.h"
#include "rtreplay/unfinished_output.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {

Result<std::unique_ptr<LineExport>> make_line_export(const std::string& format) {
  if (format == "ndjson") return make_ndjson_export();
  if (format == "wal2json") return make_wal2json_export();
  if (format == "debezium") return make_debezium_export();
  if (format == "csv") return make_csv_export();
  return fail(Code::usage, fmt::format("unknown format \"{}\"", format),
              "one of ndjson, wal2json, debezium, csv");
}

namespace {

struct Options {
  std::string input;
  std::string output;
  std::string format;
  RecordRange::Options range;
  std::string recover;
  bool quiet = false;
};

// A line cannot be longer than the largest record as JSON; base64 and escapes included.
constexpr std::size_t kLineBytesMax = std::size_t{2} << 30;

Result<Fd> open_output(const std::string& path) {
  if (path.empty() || path == "-") {
    return Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  }
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return fail(os_error("cannot create " + path, errno, Code::usage));
  return fd;
}

Result<int> export_lines(const Options& options) {
  const std::unique_ptr<LineExport> format = RT_TRY(make_line_export(options.format));
  const RecordRange range =
      RT_TRY(RecordRange::parse(options.range, RecordRange::Unit::transaction));
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader reader = RT_TRY(archive::Reader::open(options.input, read));
  const Fd fd = RT_TRY(open_output(options.output));
  Output output(fd.get());
  format->begin(reader.header().origin, output.buffer());
  RT_CHECKED(range.seek(reader));
  archive::Entry entry;
  for (;;) {
    auto more = reader.next(entry);
    if (!more) {
      RT_TRY(output.flush());
      return fail(std::move(more).error());
    }
    if (!*more || range.is_past(entry)) break;
    format->take(entry, output.buffer());
    if (!RT_TRY(output.poll())) return 0;
  }
  RT_TRY(output.flush());
  for (const std::string& text : reader.skipped()) {
    std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
  }
  if (format->undecodable() > 0) {
    return fail(Code::integrity, fmt::format("{} rows of {} could not be decoded",
                                             format->undecodable(), options.input));
  }
  return 0;
}

// Records into a recording that is removed again unless close() was reached.
class ImportTarget {
 public:
  explicit ImportTarget(const Options& options) : options_(options) {}

  Result<void> line(std::string_view text) {
    if (!writer_) {
      auto header = RT_TRY(NdjsonImport::read_header(text));
      RT_CHECKED(create(header ? *header : NdjsonImport::unknown_origin()));
      if (header) return {};
    }
    return import_.take(text, [this](const RecordView& record) { return put(record); });
  }

  Result<void> close() {
    if (!writer_) RT_CHECKED(create(NdjsonImport::unknown_origin()));
    RT_CHECKED(import_.finish([this](const RecordView& record) { return put(record); }));
    RT_CHECKED(writer_->close(clock_.now()));
    unfinished_.finished();
    return {};
  }

  const archive::Writer& writer() const { return *writer_; }

 private:
  Result<void> create(const archive::Origin& origin) {
    unfinished_ = UnfinishedOutput(options_.output);
    writer_ = RT_TRY(archive::Writer::create(options_.output, origin, archive::Moment::of(clock_)));
    now_ = clock_.now();
    return {};
  }
  Result<void> put(const RecordView& record) { return writer_->append(record, now_); }

  const Options& options_;
  SystemClock clock_;
  Instant now_;
  NdjsonImport import_;
  std::optional<archive::Writer> writer_;
  UnfinishedOutput unfinished_;
};

Result<int> import_lines(const Options& options) {
  if (options.output.empty()) {
    return fail(Code::usage, "convert needs --as FORMAT, or -o ARCHIVE for lines to read",
                "rtreplay convert a.rtr --as ndjson; rtreplay convert lines.ndjson -o b.rtr");
  }
  Fd file;
  if (options.input != "-") {
    file = Fd(::open(options.input.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail(os_error("cannot read " + options.input, errno, Code::usage));
  }
  cli::LineReader lines(file ? file.get() : STDIN_FILENO, kLineBytesMax);
  ImportTarget target(options);
  for (;;) {
    const auto line = RT_TRY(lines.next());
    if (!line) break;
    if (line->empty()) continue;
    if (auto taken = target.line(*line); !taken) {
      return fail(std::move(taken).error().context(
          fmt::format("cannot read line {} of {}", lines.number(),
                      options.input == "-" ? "standard input" : options.input)));
    }
  }
  RT_CHECKED(target.close());
  if (!options.quiet) {
    const auto& totals = target.writer().totals();
    std::fprintf(stderr, "rtreplay: wrote %s: %s rows in %s transactions, %s records\n",
                 options.output.c_str(), format_count(totals.rows).c_str(),
                 format_count(totals.transactions).c_str(), format_count(totals.records).c_str());
  }
  return 0;
}

}  // namespace

void add_convert(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(
      "convert", "Write a recording as lines for other programs, or read lines", [options] {
        return options->format.empty() ? import_lines(*options) : export_lines(*options);
      });
  app->add_option("INPUT", options->input, "A recording; without --as NDJSON, - for standard input")
      ->required();
  app->add_option("--as", options->format, "Write the recording so")
      ->type_name("ndjson|wal2json|debezium|csv");
  app->add_option("-o,--output", options->output,
                  "The lines, else standard output; without --as the new recording")
      ->type_name("FILE|ARCHIVE");
  RecordRange::declare(app, options->range, RecordRange::Unit::transaction);
  app->add_flag("-q,--quiet", options->quiet, "No summary");
  add_recover_option(app, options->recover);
  cli::Tool::examples(
      app,
      "  rtreplay convert incident.rtr --as ndjson -o incident.ndjson\n"
      "  rtreplay convert incident.ndjson -o again.rtr\n"
      "  rtreplay cat incident.rtr | grep -v 'secret' | rtreplay convert - -o shared.rtr\n"
      "  rtreplay convert incident.rtr --as debezium | kcat -P -b broker -t changes");
}

}  // namespace rt::rtreplay
