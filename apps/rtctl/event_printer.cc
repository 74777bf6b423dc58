#include "rtctl/event_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/units.h"
#include "rtctl/event_age.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

// Between two writes at most that much is gathered when events come faster than they are read.
constexpr std::size_t kPendingBytesMax = 64 * 1024;

std::string visible(std::string_view text) {
  std::string out;
  append_visible(out, text);
  return out;
}

}  // namespace

EventPrinter::EventPrinter(PrinterOptions options, int output, cli::StopWatch& watch)
    : options_(std::move(options)), output_(output), watch_(watch), started_(clock_.now()) {}

bool EventPrinter::on_event(const sse::EventView& event) {
  watch_.touch();
  if (!options_.events.empty() && options_.events.count(std::string(event.event)) == 0) return true;
  ++totals_.events;
  totals_.bytes += event.data.size();
  ShownEvent shown{clock_.wall(), event.event, event.id, event.data, std::nullopt, false};
  if (options_.latency) shown.latency_ms = event_age_ms(event.data, shown.received);
  if (shown_id_ != event.id) {
    shown.id_cleared = event.id.empty();
    shown_id_ = event.id;
  }
  append_event(pending_, shown, options_.format);
  if (pending_.size() >= kPendingBytesMax && !flush()) return false;
  if (!reached_count()) return true;
  flush();
  return false;
}

void EventPrinter::on_comment(std::string_view text) {
  if (options_.all_records) record("heartbeat", text_field("comment", text));
}

void EventPrinter::on_open(bool again) {
  if (again) ++totals_.reconnects;
  if (options_.all_records) record("open", fmt::format(R"("again":{})", again));
  if (again) talk("connected again");
}

void EventPrinter::on_retry(const SseRetry& retry) {
  const double delay_ms = std::chrono::duration<double, std::milli>(retry.delay).count();
  if (options_.all_records) {
    record("retry", fmt::format(R"({},"delay_ms":{:.0f},"failures":{})",
                                text_field("reason", retry.reason.text), delay_ms, retry.failures));
  }
  talk(fmt::format("not connected: {}; next attempt in {}", visible(retry.reason.text),
                   format_duration(retry.delay)));
}

void EventPrinter::on_gap(std::string_view reason) {
  ++totals_.gaps;
  record("gap", text_field("reason", reason));
  talk(fmt::format("gap: events may be missing here: {}", reason));
}

void EventPrinter::finish(const Error* error) {
  if (error != nullptr) {
    record("error", fmt::format(R"({},"code":"{}")", text_field("reason", error->text),
                                code_name(error->code)));
  }
  if (options_.all_records) {
    const Totals all = totals();
    record("summary",
           fmt::format(R"("events":{},"bytes":{},"reconnects":{},"gaps":{},"seconds":{:.3f})",
                       all.events, all.bytes, all.reconnects, all.gaps,
                       std::chrono::duration<double>(all.elapsed).count()));
  }
  flush();
}

Totals EventPrinter::totals() const {
  Totals all = totals_;
  all.elapsed = clock_.now() - started_;
  return all;
}

void EventPrinter::record(std::string_view type, std::string_view fields) {
  if (options_.format.format != EventFormat::ndjson) return;
  append_record(pending_, type, clock_.wall(), fields);
}

void EventPrinter::talk(const std::string& line) const {
  if (!options_.quiet) std::fprintf(stderr, "%s: %s\n", options_.tool.c_str(), line.c_str());
}

// False when nobody takes the output any more.
bool EventPrinter::flush() {
  std::string_view left = pending_;
  while (!left.empty() && !reader_gone_ && !write_error_) {
    const ssize_t n = ::write(output_, left.data(), left.size());
    if (n >= 0) {
      left.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EPIPE) {
      reader_gone_ = true;
    } else if (errno != EINTR) {
      write_error_ = os_error("cannot write the output", errno);
    }
  }
  pending_.clear();
  return !reader_gone_ && !write_error_;
}

}  // namespace rt::rtctl
