#include "base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "base/fd.h"
#include "base/text.h"

namespace rt::log {
namespace {

Format g_format = Format::key_value;  // set once by configure(), before threads start
std::string g_path;                   // set once by to_file(), before threads start

Fd open_log(const std::string& path) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
}

// Standard error, or the file: a line is one write(2), so that several processes may append.
class Outlet final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // From the next line on; other threads may write meanwhile.
  void turn_to(Fd file) {
    const std::lock_guard lock(mutex_);
    file_ = std::move(file);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    // There is nobody to tell that the log cannot be written.
    [[maybe_unused]] const ssize_t written =
        ::write(file_ ? file_.get() : STDERR_FILENO, line.data(), line.size());
  }
  void flush_() override {}

  Fd file_;
};

const std::shared_ptr<Outlet>& outlet() {
  static const auto instance = std::make_shared<Outlet>();
  return instance;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto created = std::make_shared<spdlog::logger>("rt", outlet());
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

Result<void> to_file(const std::string& path) {
  Fd file = open_log(path);
  if (!file) return fail(os_error("cannot write log file " + path, errno, Code::usage));
  g_path = path;
  outlet()->turn_to(std::move(file));
  return {};
}

void reopen() {
  if (g_path.empty()) return;
  if (Fd file = open_log(g_path)) return outlet()->turn_to(std::move(file));
  error("log", field("not reopened", os_error(g_path, errno, Code::usage).text));
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
