// Runs one of the three tools as a user does, and says what it printed and how it ended.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"

extern char** environ;

namespace rt::test {

struct Outcome {
  int status = -1;  // exit status; 128 + signal if killed by one
  std::string out;
  std::string err;
};

// A running tool whose standard streams are pipes. Killed on destruction if it still runs.
class RunningTool {
 public:
  using Environment = std::map<std::string, std::string>;  // added to a clean set of RT_ and colour

  enum class Output { read, closed };  // closed: its reader was gone before it started

  // third: becomes its descriptor 3, as systemd hands over a socket; or -1.
  explicit RunningTool(std::vector<std::string> words, const Environment& more = {},
                       Output output = Output::read, int third = -1) {
    int in[2];
    int out[2];
    int err[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
    if (output == Output::closed) ::close(out[0]);
    words.front() = std::string(RT_BINARY_DIR "/bin/") + words.front();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> settings = environment(more);
    std::vector<char*> variables;
    for (std::string& setting : settings) variables.push_back(setting.data());
    variables.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      std::string listen_pid = "LISTEN_PID=" + std::to_string(::getpid());
      if (third >= 0) {
        if (third == 3) ::fcntl(3, F_SETFD, 0);
        ::dup2(third, 3);
        variables.insert(variables.begin(), listen_pid.data());
      }
      ::execve(arguments[0], arguments.data(), variables.data());
      ::_exit(127);
    }
    REQUIRE(pid_ > 0);
    in_ = Fd(in[1]);
    if (output == Output::read) out_ = Fd(out[0]);
    err_ = Fd(err[0]);
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
  }
  ~RunningTool() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  RunningTool(const RunningTool&) = delete;
  RunningTool& operator=(const RunningTool&) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(in_.get(), text.data(), text.size());
      REQUIRE(n > 0);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void close_input() { in_.close(); }
  void close_output() { out_.close(); }
  void signal(int number) { ::kill(pid_, number); }
  int pid() const { return pid_; }

  // Reads until standard output (or error) contains `text`; false if it ends first.
  bool wait_for(const std::string& text) {
    while (out_text_.find(text) == std::string::npos && err_text_.find(text) == std::string::npos) {
      if (!pump()) return false;
    }
    return true;
  }
  // What it has said on standard error so far.
  const std::string& error_text() const { return err_text_; }
  // Closes its input, reads everything, waits for the end.
  Outcome finish() {
    in_.close();
    while (pump()) {
    }
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out_text_, err_text_};
  }

 private:
  static std::vector<std::string> environment(const Environment& more) {
    std::vector<std::string> settings;
    for (char** at = environ; *at != nullptr; ++at) {
      const std::string setting = *at;
      const std::string name = setting.substr(0, setting.find('='));
      const bool ours = name.rfind("RT_", 0) == 0 || name == "NO_COLOR" || name == "FORCE_COLOR" ||
                        name == "DATABASE_URL" || name == "XDG_CONFIG_HOME" ||
                        name.find("proxy") != std::string::npos;
      if (!ours && more.count(name) == 0) settings.push_back(setting);
    }
    // No test sees the settings file of who runs it.
    if (more.count("XDG_CONFIG_HOME") == 0) settings.push_back("XDG_CONFIG_HOME=/nonexistent");
    for (const auto& [name, value] : more) settings.push_back(name + "=" + value);
    return settings;
  }
  // One read from whichever stream has something; false when both have ended.
  bool pump() {
    // A tool that hangs fails the test instead of hanging it.
    constexpr int kPatienceMs = 30'000;
    pollfd waits[2] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
    if (!out_ && !err_) return false;
    if (::poll(waits, 2, kPatienceMs) <= 0) {
      ::kill(pid_, SIGKILL);
      FAIL("no output for 30 s; so far: " << out_text_ << err_text_);
    }
    take(waits[0].revents, out_, out_text_);
    take(waits[1].revents, err_, err_text_);
    return true;
  }
  static void take(short ready, Fd& fd, std::string& into) {
    if (ready == 0 || !fd) return;
    char buffer[65536];
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n > 0) {
      into.append(buffer, static_cast<std::size_t>(n));
    } else {
      fd.close();
    }
  }

  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
  Fd err_;
  std::string out_text_;
  std::string err_text_;
};

inline Outcome run(std::vector<std::string> words, const std::string& input = {},
                   const RunningTool::Environment& more = {}) {
  RunningTool process(std::move(words), more);
  process.write(input);
  return process.finish();
}

}  // namespace rt::test
