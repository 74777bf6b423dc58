#include "rtreplay/received_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace rt::rtreplay {
namespace {

using nlohmann::json;

std::string text_of(const json& record, const char* name) {
  const auto at = record.find(name);
  return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// Bytes that are no text stay in base64, as the archive's side renders them too.
std::string data_of(const json& record) {
  const auto at = record.find("data");
  if (at == record.end()) return {};
  if (at->is_string()) return at->get<std::string>();
  return at->dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Result<ReceivedLog> ReceivedLog::open(const std::string& path) {
  if (path == "-") return ReceivedLog("standard input", Fd(), 0);
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(os_error("cannot read the log " + path, errno, Code::usage));
  const int fd = file.get();
  return ReceivedLog(path, std::move(file), fd);
}

Result<bool> ReceivedLog::next(LoggedRecord& record) {
  if (!started_) ahead_ = RT_TRY(lines_.next());
  started_ = true;
  if (!ahead_) return false;
  const std::size_t number = lines_.number();
  const std::string line = std::move(*ahead_);
  ahead_ = RT_TRY(lines_.next());
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || object.value("v", json()) != json(1)) {
    torn_ = !ahead_ && object.is_discarded();
    if (torn_ || trim(line).empty()) return next(record);
    return fail(Code::usage, fmt::format("{}:{} is no record of a subscription", path_, number),
                "write the log with: rtctl subscribe ... --json -o LOG.ndjson");
  }
  const std::string type = text_of(object, "type");
  record = {};
  record.line = number;
  record.kind = type == "event" ? LoggedRecord::Kind::event
                : type == "gap" ? LoggedRecord::Kind::gap
                                : LoggedRecord::Kind::other;
  if (record.kind != LoggedRecord::Kind::event) return true;
  record.id = text_of(object, "id");
  record.event = text_of(object, "event");
  record.topic = text_of(object, "topic");
  record.data = data_of(object);
  const auto connection = object.find("conn");
  if (connection != object.end() && connection->is_number_unsigned()) {
    record.connection = connection->get<std::uint64_t>();
  }
  return true;
}

}  // namespace rt::rtreplay
