#include "server/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "base/log.h"
#include "io/poller.h"

namespace rt::server {
namespace {

// Lines are at most this old, and an I/O thread makes no system call for them.
constexpr auto kWriteEvery = std::chrono::milliseconds(50);
constexpr std::size_t kWriteBytes = 64 * 1024;
constexpr auto kReportEvery = std::chrono::seconds(60);
// A pipe whose reader stands still holds up lines this long once, and then loses them at once.
constexpr int kPatienceMs = 1000;

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(AccessLogOptions options, const Clock& clock,
                                                   Counters& counters) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  std::unique_ptr<AccessLog> log(
      new AccessLog(std::move(options), clock, counters, std::move(wakeup)));
  RT_CHECKED(log->open_file());
  return log;
}

AccessLog::~AccessLog() {
  stop();
}

Result<void> AccessLog::open_file() {
  Fd file(options_.path == "-"
              ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
              : ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                       0640));
  if (!file) {
    return fail(os_error("cannot open the access log " + options_.path, errno, Code::usage));
  }
  struct stat facts {};
  is_regular_ = ::fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode);
  file_ = std::move(file);
  return {};
}

AccessLog::Tap& AccessLog::add_tap() {
  taps_.push_back(std::unique_ptr<Tap>(new Tap(*this)));
  return *taps_.back();
}

void AccessLog::Tap::write(AccessRecord&& record) {
  if (!records_.push(std::move(record))) {
    log_.counters_.access_lines_lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (records_.size() >= kRecordsMax / 2) log_.wakeup_.ring();
}

void AccessLog::start() {
  next_report_ = clock_.now() + kReportEvery;
  thread_ = std::thread([this] { run(); });
}

void AccessLog::reopen() {
  reopen_ = true;
  wakeup_.ring();
}

void AccessLog::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wakeup_.ring();
  thread_.join();
}

void AccessLog::run() {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(wakeup_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  for (;;) {
    const bool last = stopping_;
    while (gather()) write_out();
    write_out();
    if (reopen_.exchange(false)) {
      if (const auto opened = open_file(); !opened) {
        log::error("the access log goes on in the old file",
                   log::field("reason", opened.error().text));
      }
    }
    if (last || clock_.now() >= next_report_) report_lost();
    if (last) return;
    poller->wait(ready, clock_.now() + kWriteEvery, clock_.now());
    wakeup_.answer();
  }
}

// Makes lines of what the rings hold. True: there is more than should be written at once.
bool AccessLog::gather() {
  AccessRecord record;
  for (const auto& tap : taps_) {
    while (tap->records_.pop(record)) {
      append_line(lines_, record, options_.format);
      ++line_count_;
      if (lines_.size() >= kWriteBytes) return true;
    }
  }
  return false;
}

void AccessLog::write_out() {
  if (lines_.empty()) return;
  std::string_view rest = lines_;
  while (!rest.empty() && write_piece(rest)) {
  }
  Counters::Count& count = rest.empty() ? counters_.access_lines : counters_.access_lines_lost;
  count.fetch_add(line_count_, std::memory_order_relaxed);
  const std::size_t written = lines_.size() - rest.size();
  const bool is_cut = !rest.empty() && written > 0 && lines_[written - 1] != '\n';
  lines_ = is_cut ? "\n" : "";  // what follows is no part of that line
  line_count_ = 0;
}

// False: it is not taken, and what is left is lost. A pipe that can be written to takes PIPE_BUF
// bytes without waiting (pipe(7)).
bool AccessLog::write_piece(std::string_view& rest) {
  if (!is_regular_) {
    pollfd writable{file_.get(), POLLOUT, 0};
    is_stuck_ = ::poll(&writable, 1, is_stuck_ ? 0 : kPatienceMs) == 0;
    if (is_stuck_) return false;
  }
  const std::size_t size = is_regular_ ? rest.size() : std::min<std::size_t>(rest.size(), PIPE_BUF);
  const ssize_t written = ::write(file_.get(), rest.data(), size);
  if (written < 0) return errno == EINTR || errno == EAGAIN;
  rest.remove_prefix(static_cast<std::size_t>(written));
  return true;
}

void AccessLog::report_lost() {
  next_report_ = clock_.now() + kReportEvery;
  const std::uint64_t lost = counters_.access_lines_lost;
  if (lost == reported_lost_) return;
  log::warn("lines of the access log are lost",
            fmt::format("{} lines={}", log::field("file", options_.path), lost - reported_lost_));
  reported_lost_ = lost;
}

}  // namespace rt::server
