// Rows as CSV (RFC 4180): the fields of a line of `cat`, with key, old and new as JSON.
#include <nlohmann/json.hpp>

#include "rtreplay/line_export.h"
#include "rtreplay/record_printer.h"

namespace rt::rtreplay {
namespace {

constexpr const char* kFields[] = {"id", "ts", "xid", "op", "rel", "key", "old", "new"};

void append_field(std::string& out, const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class CsvExport final : public LineExport {
 public:
  void begin(const archive::Origin&, std::string& out) override {
    for (const char* name : kFields) (out += name) += name == kFields[7] ? "\r\n" : ",";
  }

  void take(const archive::Entry& entry, std::string& out) override {
    lines_.clear();
    printer_.print(entry.record, entry.position, lines_);
    undecodable_ = printer_.undecodable();
    std::size_t at = 0;
    while (at < lines_.size()) {
      const std::size_t end = lines_.find('\n', at);
      append_line(out, std::string_view(lines_).substr(at, end - at));
      at = end + 1;
    }
  }

 private:
  static void append_line(std::string& out, std::string_view line) {
    const auto row = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!row.contains("op")) return;  // an event is no row
    bool first = true;
    for (const char* name : kFields) {
      if (!first) out += ',';
      first = false;
      const auto& value = row[name];
      if (value.is_null()) continue;
      append_field(out, value.is_string() ? value.get<std::string>() : value.dump());
    }
    out += "\r\n";
  }

  RecordPrinter printer_{LineFormat::ndjson, true};
  std::string lines_;
};

}  // namespace

std::unique_ptr<LineExport> make_csv_export() {
  return std::make_unique<CsvExport>();
}

}  // namespace rt::rtreplay
