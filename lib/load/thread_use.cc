#include "load/thread_use.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace rt {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace

std::int64_t thread_cpu_ns() {
  rusage use{};
  if (::getrusage(RUSAGE_THREAD, &use) != 0) return 0;
  const auto ns = [](const timeval& t) {
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::int64_t>(t.tv_usec) * 1'000;
  };
  return ns(use.ru_utime) + ns(use.ru_stime);
}

std::optional<ProcessUse> process_use(std::int64_t pid) {
  const std::string folder = pid == 0 ? "/proc/self" : fmt::format("/proc/{}", pid);
  const File stat(std::fopen((folder + "/stat").c_str(), "re"));
  if (!stat) return std::nullopt;
  char line[1024];
  if (std::fgets(line, sizeof line, stat.get()) == nullptr) return std::nullopt;
  const char* after = std::strrchr(line, ')');  // the name may hold anything
  if (after == nullptr) return std::nullopt;
  unsigned long user = 0;
  unsigned long system = 0;
  long rss_pages = 0;
  // proc(5): state is field 3, utime 14, stime 15, rss 24.
  if (std::sscanf(after + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d "
                  "%*u %*u %ld",
                  &user, &system, &rss_pages) != 3) {
    return std::nullopt;
  }
  const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
  ProcessUse use;
  use.cpu_ns = static_cast<std::int64_t>(user + system) * tick_ns;
  use.rss_bytes =
      static_cast<std::uint64_t>(rss_pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return use;
}

Result<std::int64_t> read_pid_file(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) return fail(os_error(fmt::format("cannot read {}", path), errno, Code::usage));
  char text[32] = "";
  const std::size_t got = std::fread(text, 1, sizeof text - 1, file.get());
  const auto pid = parse_decimal(trim(std::string_view(text, got)));
  if (!pid || *pid == 0) {
    return fail(Code::usage, fmt::format("{} does not hold a process number", path));
  }
  return static_cast<std::int64_t>(*pid);
}

}  // namespace rt
