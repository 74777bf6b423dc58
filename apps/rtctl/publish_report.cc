#include "rtctl/publish_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "base/text.h"
#include "base/units.h"
#include "cli/terminal.h"

namespace rt::rtctl {
namespace {

std::int64_t whole_us(Duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string quantiles(const Histogram& histogram) {
  const auto at = [&](double q) { return histogram.percentile_us(q) / 1000; };
  return fmt::format("p50 {:.2f} p95 {:.2f} ms", at(0.50), at(0.95));
}

void append_text(std::string& out, const char* name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) == "dumb";
}

}  // namespace

PublishReport::PublishReport(const ReportOptions& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      started_(clock.now()),
      ticked_(started_),
      live_(!options.quiet && cli::is_terminal(STDERR_FILENO) && !is_dumb()) {}

// A reader that has gone is no reason to stop sending: write errors are let pass.
void PublishReport::print(const std::string& line) const {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

void PublishReport::would_send(std::uint64_t number, const PublishMessage& message) {
  ++sent_;
  if (!options_.json) return print(message.target + " " + message.body + "\n");
  std::string line = fmt::format("{{\"v\":1,\"type\":\"dry-run\",\"n\":{}", number);
  append_text(line, "target", message.target);
  append_text(line, "body", message.body);
  print(line + "}\n");
}

void PublishReport::sent(std::uint64_t number, const PublishMessage& message,
                         const PublishReceipt& receipt, Duration took, Duration late) {
  ++sent_;
  acknowledged_.record(whole_us(took));
  if (options_.paced) late_.record(whole_us(late));
  if (receipt.receivers) receivers_ = *receipt.receivers;
  const std::string& id = receipt.id.empty() ? message.id : receipt.id;
  clear_progress();
  if (!options_.json) {
    if (options_.tee) print(message.body + "\n");
    if (!options_.tee && !id.empty()) print(id + "\n");
    return;
  }
  std::string line = fmt::format("{{\"v\":1,\"type\":\"published\",\"n\":{}", number);
  if (!id.empty()) append_text(line, "id", id);
  append_text(line, "target", message.target);
  if (receipt.receivers) {
    fmt::format_to(std::back_inserter(line), ",\"receivers\":{}", *receipt.receivers);
  }
  if (options_.tee) append_text(line, "body", message.body);
  fmt::format_to(std::back_inserter(line), ",\"ms\":{:.3f}}}\n", ms(took));
  print(line);
}

void PublishReport::returned(const EchoWatch::Back& back) {
  returned_.record(whole_us(back.took));
  if (!options_.json) return;
  clear_progress();
  print(fmt::format("{{\"v\":1,\"type\":\"returned\",\"n\":{},\"ms\":{:.3f}}}\n", back.number,
                    ms(back.took)));
}

void PublishReport::tick() {
  if (options_.quiet) return;
  const Instant now = clock_.now();
  const Duration pause =
      live_ ? Duration(std::chrono::milliseconds(250)) : std::chrono::seconds(10);
  if (now - ticked_ < pause) return;
  ticked_ = now;
  const std::string of =
      options_.planned ? fmt::format(" of {}", format_count(*options_.planned)) : std::string();
  std::string line = fmt::format(
      "{}{} sent, {:.0f}/s, {} errors", format_count(sent_), of,
      static_cast<double>(sent_) / std::chrono::duration<double>(now - started_).count(), errors_);
  if (!live_) {
    std::fprintf(stderr, "rtctl: %s\n", line.c_str());
    return;
  }
  const std::size_t columns = line.size();
  if (columns < shown_columns_) line.append(shown_columns_ - columns, ' ');
  shown_columns_ = columns;
  std::fprintf(stderr, "\r%s", line.c_str());
}

// Blanks instead of an escape sequence: it works on every terminal.
void PublishReport::clear_progress() {
  if (shown_columns_ == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(shown_columns_, ' ').c_str());
  shown_columns_ = 0;
}

std::string PublishReport::totals() const {
  const Duration took = clock_.now() - started_;
  const std::string of = options_.planned && *options_.planned != sent_
                             ? fmt::format(" of {}", format_count(*options_.planned))
                             : std::string();
  std::string line = fmt::format("sent {}{} in {}", format_count(sent_), of, format_duration(took));
  if (sent_ > 1) {
    const double seconds = std::max(1e-6, std::chrono::duration<double>(took).count());
    line +=
        fmt::format(": {:.0f}/s, {} error{}, acknowledged {}", static_cast<double>(sent_) / seconds,
                    errors_, errors_ == 1 ? "" : "s", quantiles(acknowledged_));
    if (options_.paced)
      line += fmt::format(", late p95 {:.2f} ms", late_.percentile_us(0.95) / 1000);
  }
  if (receivers_) line += fmt::format(", the last one to {} listening", *receivers_);
  return line;
}

void PublishReport::finish(End end) {
  clear_progress();
  if (options_.quiet || options_.dry_run) return;
  if (end == End::interrupted) {
    std::fprintf(stderr, "rtctl: interrupted: %s\n", totals().c_str());
  } else if (sent_ > 1 || errors_ > 1) {
    std::fprintf(stderr, "rtctl: %s\n", totals().c_str());
  } else if (end == End::done && sent_ == 0) {
    std::fprintf(stderr, "rtctl: nothing was sent: the input has no line\n");
  } else if (sent_ == 1 && receivers_ == 0) {
    std::fprintf(stderr, "rtctl: nobody was listening\n");
  }
  if (returned_.count() == 1) {
    std::fprintf(stderr, "rtctl: came back after %.2f ms\n", returned_.percentile_us(1) / 1000);
  } else if (returned_.count() > 1) {
    std::fprintf(stderr, "rtctl: %s came back: %s\n", format_count(returned_.count()).c_str(),
                 quantiles(returned_).c_str());
  }
}

}  // namespace rt::rtctl
