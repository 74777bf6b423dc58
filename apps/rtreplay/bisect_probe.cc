#include "rtreplay/bisect_probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "rtreplay/output.h"
#include "rtreplay/record_printer.h"

extern char** environ;

namespace rt::rtreplay {
namespace {

// Hands out lines unit by unit.
class Units {
 public:
  Units(archive::Reader& reader, BisectUnit unit) : reader_(reader), unit_(unit) {}

  // Appends the lines of one record. True if the record was the last of its unit.
  Result<bool> next(std::string& lines) {
    archive::Entry entry;
    while (RT_TRY(reader_.next(entry))) {
      const std::size_t before = lines.size();
      printer_.print(entry.record, entry.position, lines);
      const bool printed = lines.size() > before;
      has_lines_ = has_lines_ || printed;
      const char letter =
          entry.record.kind == RecordKind::wal ? archive::wal_letter(entry.record.body) : '\0';
      if (letter == 'B' && !entry.record.prelude) inside_ = true;
      if (letter == 'C') inside_ = false;
      const bool closes = unit_ == BisectUnit::row ? printed : !inside_ && has_lines_;
      if (!printed && !closes) continue;
      if (closes) has_lines_ = false;
      return closes;
    }
    ended_ = true;
    return false;
  }
  bool ended() const { return ended_; }

 private:
  archive::Reader& reader_;
  BisectUnit unit_;
  RecordPrinter printer_{LineFormat::ndjson, false};
  bool inside_ = false;
  bool has_lines_ = false;
  bool ended_ = false;
};

struct FileActions {
  posix_spawn_file_actions_t actions{};
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
};

// The command's process; `input` is its standard input.
Result<pid_t> start(const std::vector<std::string>& command, int input, bool show_output) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  FileActions files;
  ::posix_spawn_file_actions_adddup2(&files.actions, input, STDIN_FILENO);
  if (show_output) {
    ::posix_spawn_file_actions_adddup2(&files.actions, STDERR_FILENO, STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&files.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&files.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  // The tool ignores SIGPIPE; the command is not to inherit that.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int code =
      ::posix_spawnp(&pid, words.front(), &files.actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) return fail(os_error("cannot run " + command.front(), code, Code::usage));
  return pid;
}

Result<bool> outcome(pid_t pid, const std::string& name) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail(os_error("cannot wait for " + name, errno));
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  if (code == 126 || code == 127) {
    return fail(Code::usage, fmt::format("cannot run {}: exit status {}", name, code));
  }
  return code == 0;
}

}  // namespace

Result<std::uint64_t> count_units(archive::Reader& reader, BisectUnit unit) {
  RT_CHECKED(reader.rewind());
  Units units(reader, unit);
  std::uint64_t count = 0;
  std::string lines;
  while (!units.ended()) {
    lines.clear();
    if (RT_TRY(units.next(lines))) ++count;
  }
  return count;
}

Result<std::string> lines_of_unit(archive::Reader& reader, BisectUnit unit, std::uint64_t number,
                                  std::size_t lines_max) {
  RT_CHECKED(reader.rewind());
  Units units(reader, unit);
  std::string shown;
  std::string lines;
  std::uint64_t at = 0;
  std::size_t count = 0;
  while (!units.ended() && at <= number) {
    lines.clear();
    const bool closes = RT_TRY(units.next(lines));
    if (at == number && !lines.empty()) {
      if (count < lines_max) shown += lines;
      ++count;
    }
    if (closes) ++at;
  }
  if (count > lines_max) shown += fmt::format("... and {} more\n", count - lines_max);
  return shown;
}

Result<bool> passes(archive::Reader& reader, BisectUnit unit, std::uint64_t count,
                    const std::vector<std::string>& command, bool show_output) {
  RT_CHECKED(reader.rewind());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(os_error("cannot make a pipe", errno));
  Fd input(ends[0]);
  Fd feed(ends[1]);
  const pid_t pid = RT_TRY(start(command, input.get(), show_output));
  input.close();
  Output output(feed.get());
  Units units(reader, unit);
  Result<bool> open = true;  // false: the command has read enough
  for (std::uint64_t done = 0; open && *open && done < count && !units.ended();) {
    const auto closes = units.next(output.buffer());
    if (!closes) {
      open = fail(closes.error());
      break;
    }
    if (*closes) ++done;
    open = output.poll();
  }
  if (open && *open) open = output.flush();
  feed.close();
  const auto passed = outcome(pid, command.front());
  if (!open) return fail(std::move(open).error());
  return passed;
}

}  // namespace rt::rtreplay
