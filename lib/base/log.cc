#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

namespace rt::log {
namespace {

Format g_format = Format::key_value;  // set once by configure(), before threads start

spdlog::logger& logger() {
  static const auto instance = [] {
    auto created =
        std::make_shared<spdlog::logger>("rt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
    return created;
  }();
  return *instance;
}

void write(spdlog::level::level_enum level, std::string_view message, std::string_view fields) {
  std::string line;
  if (g_format == Format::json) {
    line = "\"msg\":";
    append_json_string(line, message);
    line += ",\"fields\":";
    append_json_string(line, fields);
    line += "}";
  } else {
    line = field("msg", message);
    if (!fields.empty()) line.append(" ").append(fields);
  }
  logger().log(level, "{}", line);
}

}  // namespace

void configure(Level level, Format format) {
  g_format = format;
  if (format == Format::json) {
    logger().set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v",
                         spdlog::pattern_time_type::utc);
  }
  switch (level) {
    case Level::error:
      logger().set_level(spdlog::level::err);
      break;
    case Level::warn:
      logger().set_level(spdlog::level::warn);
      break;
    case Level::info:
      logger().set_level(spdlog::level::info);
      break;
    case Level::debug:
      logger().set_level(spdlog::level::debug);
      break;
  }
}

void error(std::string_view message, std::string_view fields) {
  write(spdlog::level::err, message, fields);
}
void warn(std::string_view message, std::string_view fields) {
  write(spdlog::level::warn, message, fields);
}
void info(std::string_view message, std::string_view fields) {
  write(spdlog::level::info, message, fields);
}
void debug(std::string_view message, std::string_view fields) {
  write(spdlog::level::debug, message, fields);
}

std::string field(std::string_view key, std::string_view value) {
  std::string out(key);
  out.push_back('=');
  if (!value.empty() && value.find_first_of(" \"=\n\r\t") == std::string_view::npos) {
    out.append(value);
  } else {
    append_json_string(out, value);
  }
  return out;
}

}  // namespace rt::log
