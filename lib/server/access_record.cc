#include "server/access_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"

namespace rt::server {
namespace {

constexpr std::size_t kQueryBytesMax = 512;
constexpr std::array<std::string_view, 7> kShown = {"filter", "events",   "initial", "limit",
                                                    "scope",  "scope_id", "user"};

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  text.resize(bytes_max);
  return text + "...";
}

const char* event_of(AccessRecord::Kind kind) {
  switch (kind) {
    case AccessRecord::Kind::open:
      return "open";
    case AccessRecord::Kind::end:
      return "end";
    case AccessRecord::Kind::request:
      break;
  }
  return "request";
}

const char* version_text(std::uint8_t version) {
  return version == 20 ? "2" : version == 11 ? "1.1" : version == 10 ? "1.0" : "-";
}

double milliseconds(Duration took) {
  return std::chrono::duration<double, std::milli>(took).count();
}

// Name and value of each field, in order, as one of the two forms wants them.
class KeyValueLine {
 public:
  explicit KeyValueLine(std::string& out) : out_(out) {}
  void text(std::string_view key, std::string_view value) {
    if (!first_) out_.push_back(' ');
    first_ = false;
    out_.append(log::field(key, value));
  }
  void number(std::string_view key, std::string_view value) { text(key, value); }
  void finish() { out_.push_back('\n'); }

 private:
  std::string& out_;
  bool first_ = true;
};

class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) {}
  void text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
  }
  void number(std::string_view key, std::string_view value) {
    begin(key);
    out_.append(value);
  }
  void finish() { out_.append("}\n"); }

 private:
  void begin(std::string_view key) {
    out_.push_back(first_ ? '{' : ',');
    first_ = false;
    out_.append("\"").append(key).append("\":");
  }
  std::string& out_;
  bool first_ = true;
};

template <typename Line>
void write(Line line, const AccessRecord& record) {
  line.text("time", format_rfc3339(record.at));
  line.text("event", event_of(record.kind));
  line.text("peer", record.peer);
  line.text("http", version_text(record.version));
  if (record.tls) line.text("tls", "yes");
  line.text("method", record.method.empty() ? "-" : record.method);
  line.text("path", record.path.empty() ? "-" : record.path);
  if (!record.query.empty()) line.text("query", record.query);
  line.number("status", fmt::format("{}", record.status));
  line.number("bytes", fmt::format("{}", record.bytes));
  line.number("ms", fmt::format("{:.3f}", milliseconds(record.took)));
  line.text("surface", surface_name(record.surface));
  if (!record.principal.empty()) line.text("principal", record.principal);
  if (*record.reason != '\0') line.text("reason", record.reason);
  line.finish();
}

}  // namespace

void append_line(std::string& out, const AccessRecord& record, AccessFormat format) {
  if (format == AccessFormat::json) {
    write(JsonLine(out), record);
  } else {
    write(KeyValueLine(out), record);
  }
}

std::string shown_query(std::string_view query) {
  std::string shown;
  while (!query.empty() && shown.size() <= kQueryBytesMax) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    const std::size_t equals = parameter.find('=');
    const std::string_view name = parameter.substr(0, equals);
    if (!shown.empty()) shown.push_back('&');
    if (equals == std::string_view::npos) {
      // What has no name may be the secret itself.
      shown.append(std::find(kShown.begin(), kShown.end(), name) != kShown.end() ? name : "*");
    } else if (std::find(kShown.begin(), kShown.end(), name) != kShown.end()) {
      shown.append(parameter);
    } else {
      shown.append(name).append("=*");
    }
  }
  return cut(std::move(shown), kQueryBytesMax);
}

std::string shown_path(std::string_view target) {
  return cut(std::string(target.substr(0, target.find('?'))), kPathBytesMax);
}

}  // namespace rt::server
