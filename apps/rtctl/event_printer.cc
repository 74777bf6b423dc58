#include "rtctl/event_printer.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "base/units.h"
#include "rtctl/event_age.h"
#include "rtctl/event_dump.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

std::string visible(std::string_view text) {
  std::string out;
  append_visible(out, text);
  return out;
}

}  // namespace

EventPrinter::EventPrinter(PrinterOptions options, EventOutput output, cli::StopWatch& watch)
    : options_(std::move(options)),
      output_(std::move(output)),
      watch_(watch),
      status_(options_.status_line),
      started_(clock_.now()),
      saved_id_(options_.cursor.id),
      id_(options_.cursor.id) {
  if (output_.bytes() == 0) output_.pending().append(heading(options_.format.format));
  status_.draw();
}

bool EventPrinter::is_wanted(const StreamEvent& event) const {
  if (!options_.events.empty() && options_.events.count(std::string(event.event)) == 0)
    return false;
  return options_.filter.matches(event.data);
}

// Behind the time of --until, by the event's own time, else by ours.
bool EventPrinter::is_beyond(const StreamEvent& event) const {
  if (!options_.until.time) return false;
  return event.written.value_or(clock_.wall()) >= *options_.until.time;
}

bool EventPrinter::on_event(const StreamEvent& event) {
  watch_.touch();
  if (completed_) return false;
  if (is_beyond(event)) {
    completed_ = true;
    flush();
    return false;
  }
  const bool last = !options_.until.id.empty() && event.id == options_.until.id;
  const bool wanted = is_wanted(event);
  bool go_on = true;
  // Before it is printed: printing may flush, and the cursor then counts this event's bytes.
  id_ = event.id;
  if (wanted) go_on = options_.last_max && !caught_up_ ? hold(event) : print(event);
  if (last) completed_ = true;
  if (go_on && !completed_) return true;
  if (last && !caught_up_) print_held();
  flush();
  return false;
}

bool EventPrinter::hold(const StreamEvent& event) {
  if (*options_.last_max == 0) return true;
  if (held_.size() == *options_.last_max) held_.pop_front();
  held_.push_back({std::string(event.event), std::string(event.id), std::string(event.data),
                   std::string(event.topic), event.written});
  return true;
}

void EventPrinter::print_held() {
  for (const Held& event : std::exchange(held_, {})) {
    if (!print({event.event, event.id, event.data, event.topic, event.written})) return;
  }
}

bool EventPrinter::print(const StreamEvent& event) {
  ++counts_.events;
  counts_.bytes += event.data.size();
  status_.count_event();
  ShownEvent shown{clock_.wall(), event.event, event.id, event.data, event.topic, {}, {}};
  shown.connection = connections_ > 0 ? connections_ - 1 : 0;
  if (options_.latency) {
    shown.latency_ms = event.written ? Milliseconds(shown.received - *event.written).count()
                                     : event_age_ms(event.data, shown.received);
  }
  if (options_.delta) {
    const Instant now = clock_.now();
    shown.delta_ms = Milliseconds(now - printed_.value_or(now)).count();
    printed_ = now;
  }
  if (shown_id_ != event.id) {
    shown.id_cleared = event.id.empty();
    shown_id_ = event.id;
  }
  if (!options_.dump_folder.empty()) {
    const auto dumped = dump_event(options_.dump_folder, shown, counts_.events);
    if (!dumped) state_error_ = dumped.error();
  }
  if (options_.line_template) {
    options_.line_template->append(output_.pending(), shown, counts_.events);
    output_.pending().push_back('\n');
  } else {
    append_event(output_.pending(), shown, options_.format);
  }
  if (output_.is_full() && !flush()) return false;
  if (options_.count_max && counts_.events >= *options_.count_max) completed_ = true;
  return !completed_ && !state_error_;
}

void EventPrinter::on_comment(std::string_view text) {
  if (options_.all_records) record("heartbeat", text_field("comment", text));
}

void EventPrinter::on_open(bool again) {
  open_ = true;
  ++connections_;
  if (again) ++counts_.reconnects;
  status_.set_link(LinkState::connected);
  if (options_.all_records) {
    record("open", fmt::format(R"("again":{},"conn":{})", again, connections_ - 1));
  }
  if (again) talk("connected again");
  // A source that cannot tell where its past ends is taken to be there when it has gone quiet.
  constexpr Duration kQuietIsEnd = std::chrono::seconds(1);
  if (options_.exit_at_end && !caught_up_) watch_.end_after_quiet(kQuietIsEnd);
}

void EventPrinter::on_retry(const StreamRetry& retry) {
  status_.set_link(LinkState::waiting);
  last_failure_ = visible(retry.reason.text);
  if (options_.all_records) {
    const std::string reason = text_field("reason", retry.reason.text);
    if (std::exchange(open_, false)) record("close", reason);
    record("retry", fmt::format(R"({},"delay_ms":{:.0f},"failures":{})", reason,
                                Milliseconds(retry.delay).count(), retry.failures));
  }
  talk(fmt::format("not connected: {}; next attempt in {}", last_failure_,
                   format_duration(retry.delay)));
}

void EventPrinter::on_gap(std::string_view reason) {
  ++counts_.gaps;
  record("gap", text_field("reason", reason));
  talk(fmt::format("gap: events may be missing here: {}", reason));
}

bool EventPrinter::on_caught_up() {
  if (std::exchange(caught_up_, true)) return true;
  print_held();
  if (options_.exit_at_end) completed_ = true;
  flush();
  return !completed_;
}

void EventPrinter::on_drained() {
  if (!options_.buffered || output_.is_full()) flush();
}

void EventPrinter::finish(const Error* error) {
  if (!caught_up_) print_held();
  if (error != nullptr) {
    record("error", fmt::format(R"({},"code":"{}")", text_field("reason", error->text),
                                code_name(error->code)));
  }
  if (options_.all_records) {
    const Totals all = totals();
    if (std::exchange(open_, false))
      record("close", text_field("reason", "the subscription ended"));
    record("summary",
           fmt::format(R"("events":{},"bytes":{},"reconnects":{},"gaps":{},"seconds":{:.3f})",
                       all.events, all.bytes, all.reconnects, all.gaps,
                       std::chrono::duration<double>(all.elapsed).count()));
  }
  flush();
  status_.erase();  // for good: what follows on standard error begins a line
}

Totals EventPrinter::totals() const {
  return {counts_.events, counts_.bytes, counts_.reconnects, counts_.gaps, clock_.now() - started_};
}

std::optional<std::string> EventPrinter::never_connected() const {
  if (connections_ > 0 || counts_.events > 0 || last_failure_.empty()) return std::nullopt;
  return last_failure_;
}

const std::optional<Error>& EventPrinter::write_error() const {
  return output_.error() ? output_.error() : state_error_;
}

void EventPrinter::record(std::string_view type, std::string_view fields) {
  if (options_.format.format != EventFormat::ndjson || options_.line_template) return;
  append_record(output_.pending(), type, clock_.wall(), fields);
}

void EventPrinter::talk(const std::string& line) {
  if (options_.quiet) return;
  status_.erase();
  std::fprintf(stderr, "rtctl: %s\n", line.c_str());
  status_.draw();
}

// False when nobody takes the output any more, or the place in the stream cannot be kept.
bool EventPrinter::flush() {
  if (!output_.pending().empty()) {
    status_.erase();
    const bool written = output_.flush();
    status_.draw();
    if (!written) return false;
  }
  save_cursor();
  return !state_error_;
}

void EventPrinter::save_cursor() {
  // What is held back was not printed: a tail killed now must see it again.
  if (options_.state_path.empty() || !held_.empty()) return;
  // Of a stream without ids the output's length alone is kept: a restarted tail appends to it.
  const bool grown = id_.empty() && output_.is_file() &&
                     output_.bytes() != options_.cursor.output_bytes.value_or(0);
  if (id_ == saved_id_ && !grown) return;
  options_.cursor.id = id_;
  if (output_.is_file()) options_.cursor.output_bytes = output_.bytes();
  Result<void> saved = output_.sync();
  if (saved) saved = write_cursor(options_.state_path, options_.cursor);
  if (!saved) state_error_ = saved.error();
  saved_id_ = id_;
}

}  // namespace rt::rtctl
