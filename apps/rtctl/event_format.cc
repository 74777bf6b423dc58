#include "rtctl/event_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "rtctl/json_view.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::size_t kTopicColumn = 14;
constexpr std::size_t kEventColumn = 10;  // most event names fit; longer ones push the rest along
constexpr std::size_t kIndent = 2;

void append_ndjson(std::string& out, const ShownEvent& event, bool parse_json) {
  out.append(R"({"v":1,"type":"event","recv":")");
  append_rfc3339(out, event.received);
  out.append(R"(","id":)");
  append_json_string(out, event.id);
  if (!event.topic.empty()) {
    out.append(R"(,"topic":)");
    append_json_string(out, event.topic);
  }
  out.append(R"(,"event":)");
  append_json_string(out, event.event);
  out.append(R"(,"data":)");
  if (parse_json && is_json(event.data)) {
    append_json_line(out, event.data);
  } else if (is_valid_utf8(event.data)) {
    append_json_string(out, event.data);
  } else {  // a channel may carry any bytes
    out.push_back('"');
    append_base64(out, event.data);
    out.append(R"(","data_enc":"base64")");
  }
  if (event.latency_ms) {
    fmt::format_to(std::back_inserter(out), R"(,"lat_ms":{:.3f})", *event.latency_ms);
  }
  if (event.delta_ms) {
    fmt::format_to(std::back_inserter(out), R"(,"delta_ms":{:.3f})", *event.delta_ms);
  }
  out.append(R"(,"conn":)");
  append_decimal(out, event.connection);
  out.append("}\n");
}

void append_csv_field(std::string& out, std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out.push_back('"');
}

void append_csv(std::string& out, const ShownEvent& event) {
  out.append(format_rfc3339(event.received));
  for (const std::string_view field : {event.topic, event.event, event.id, event.data}) {
    out.push_back(',');
    append_csv_field(out, field);
  }
  out.append("\r\n");
}

void append_raw(std::string& out, const ShownEvent& event) {
  if (!event.id.empty()) out.append("id: ").append(event.id).push_back('\n');
  if (event.id_cleared) out.append("id\n");
  if (event.event != "message") out.append("event: ").append(event.event).push_back('\n');
  for (const std::string_view line : split(event.data, '\n')) {
    out.append("data: ").append(line).push_back('\n');
  }
  out.push_back('\n');
}

void append_dim(std::string& out, std::string_view text, bool colour) {
  if (colour) out.append(kDim);
  append_visible(out, text);
  if (colour) out.append(kReset);
}

void append_times(std::string& out, const ShownEvent& event) {
  if (event.delta_ms) {
    fmt::format_to(std::back_inserter(out), "  {:>+9.1f}ms", *event.delta_ms);
  }
  if (event.latency_ms) {
    fmt::format_to(std::back_inserter(out), "  {:>8.1f}ms", *event.latency_ms);
  }
}

void append_column(std::string& out, std::string_view text, std::size_t width) {
  const std::size_t start = out.size();
  append_visible(out, text);
  const std::size_t used = out.size() - start;
  if (used < width) out.append(width - used, ' ');
}

// One line an event, fields two spaces apart, so that cut, grep and awk have an easy time.
void append_plain(std::string& out, const ShownEvent& event, bool colour) {
  append_dim(out, format_rfc3339_ms(event.received), colour);
  append_times(out, event);
  out.append("  ");
  if (!event.topic.empty()) {
    append_column(out, event.topic, kTopicColumn);
    out.append("  ");
  }
  if (colour) out.append(kBold);
  append_column(out, event.event, kEventColumn);
  if (colour) out.append(kReset);
  out.append("  ");
  append_dim(out, event.id.empty() ? std::string_view("-") : event.id, colour);
}

void append_text(std::string& out, const ShownEvent& event, const FormatOptions& options) {
  append_plain(out, event, options.colour);
  if (!options.terminal) {
    out.append("  ");
    append_visible(out, event.data);
    out.push_back('\n');
    return;
  }
  // A terminal gets the data on lines of its own unless it is short.
  constexpr std::size_t kInlineMax = 40;
  constexpr std::size_t kLinesFolded = 20;  // characters shown, in screen lines, of plain text
  const bool json = is_json(event.data);
  if (event.data.size() <= kInlineMax) {
    out.append("  ");
  } else {
    out.push_back('\n');
    out.append(kIndent, ' ');
  }
  if (json) {
    const std::size_t columns = std::max<std::size_t>(options.columns, 40);
    append_json_pretty(out, event.data, {options.colour, columns, kIndent, 2 * columns});
  } else {
    append_folded(out, event.data, kLinesFolded * options.columns);
  }
  out.push_back('\n');
}

std::string plural(std::uint64_t n, std::string_view one) {
  return fmt::format("{} {}{}", format_count(n), one, n == 1 ? "" : "s");
}

}  // namespace

void append_event(std::string& out, const ShownEvent& event, const FormatOptions& options) {
  switch (options.format) {
    case EventFormat::ndjson:
      append_ndjson(out, event, options.parse_json);
      break;
    case EventFormat::raw:
      append_raw(out, event);
      break;
    case EventFormat::data:
      out.append(event.data).push_back('\n');
      break;
    case EventFormat::nul:
      out.append(event.data).push_back('\0');
      break;
    case EventFormat::csv:
      append_csv(out, event);
      break;
    case EventFormat::none:
      break;
    case EventFormat::text:
      append_text(out, event, options);
      break;
  }
}

std::string_view heading(EventFormat format) {
  return format == EventFormat::csv ? "recv,topic,event,id,data\r\n" : "";
}

void append_record(std::string& out, std::string_view type, WallTime at, std::string_view fields) {
  fmt::format_to(std::back_inserter(out), R"({{"v":1,"type":"{}","recv":"{}")", type,
                 format_rfc3339(at));
  if (!fields.empty()) out.append(",").append(fields);
  out.append("}\n");
}

std::string text_field(std::string_view name, std::string_view value) {
  std::string out;
  append_json_string(out, name);
  out.push_back(':');
  append_json_string(out, value);
  return out;
}

std::string totals_line(const Totals& totals) {
  const double seconds = std::chrono::duration<double>(totals.elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(totals.events) / seconds : 0.0;
  return fmt::format("{}, {}, {:.1f}/s, {}, {} in {}", plural(totals.events, "event"),
                     format_bytes(static_cast<double>(totals.bytes)), rate,
                     plural(totals.reconnects, "reconnect"), plural(totals.gaps, "gap"),
                     format_duration(totals.elapsed));
}

}  // namespace rt::rtctl
