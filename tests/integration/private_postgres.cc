#include "integration/private_postgres.h"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/text.h"
#include "integration/child_process.h"
#include "integration/patience.h"

namespace rt::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The newest /usr/lib/postgresql/N/bin, or $PG_BINDIR.
std::string programs() {
  if (const char* given = std::getenv("PG_BINDIR")) return given;
  std::uint64_t newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (!fs::exists(entry.path() / "bin/initdb")) continue;
    const auto version = parse_decimal(entry.path().filename().string()).value_or(0);
    newest = std::max(newest, version);
  }
  if (newest == 0) give_up("no PostgreSQL server programs under /usr/lib/postgresql");
  return fmt::format("/usr/lib/postgresql/{}/bin", newest);
}

// PostgreSQL refuses to run as root.
const passwd* unprivileged() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr) user = ::getpwnam("nobody");
  if (user == nullptr) give_up("neither user postgres nor nobody exists");
  return user;
}

// As the unprivileged user. SIGQUIT: the server's immediate stop.
pid_t launch_server(const std::vector<std::string>& command, const std::string& log) {
  return launch(command, log, {unprivileged(), SIGQUIT});
}

void run(const std::vector<std::string>& command, const std::string& log) {
  int status = 0;
  const int pid = launch_server(command, log);
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    give_up(fmt::format("{} failed: {}", command[0], read_text(log)));
  }
}

// A folder that the server may write to.
std::string make_server_folder(const char* purpose) {
  const std::string path = make_folder(purpose);
  if (const passwd* user = unprivileged()) {
    if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) give_up("cannot chown " + path);
  }
  return path;
}

// initdb once a process.
struct Template {
  std::string folder = make_server_folder("template");
  Template() {
    run({programs() + "/initdb", "-D", folder + "/data", "-U", "postgres", "-A", "trust", "-E",
         "UTF8", "--locale=C", "--no-sync"},
        folder + "/log");
  }
  ~Template() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
};

}  // namespace

PrivatePostgres::PrivatePostgres(const Settings& settings)
    : folder_(make_server_folder("pg")), settings_(settings) {
  static const Template prepared;
  run({"/bin/cp", "-a", prepared.folder + "/data", folder_ + "/data"}, folder_ + "/log");
  const Settings defaults{
      {"wal_level", "logical"},        {"fsync", "off"},          {"listen_addresses", "127.0.0.1"},
      {"unix_socket_directories", ""}, {"max_wal_senders", "8"},  {"max_replication_slots", "8"},
      {"shared_buffers", "16MB"},      {"max_connections", "40"}, {"autovacuum", "off"},
      {"wal_sender_timeout", "60s"}};
  settings_.insert(defaults.begin(), defaults.end());  // what was given stays
  port_ = free_port();
  start();
}

PrivatePostgres::~PrivatePostgres() {
  if (is_frozen_) signal_all(SIGCONT);
  if (pid_ > 0) stop(SIGQUIT, 10s);
  if (pid_ > 0) kill_9();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PrivatePostgres::dsn(const std::string& more) const {
  return fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres {}", port_, more);
}

void PrivatePostgres::start() {
  std::vector<std::string> command{programs() + "/postgres", "-D", folder_ + "/data", "-p",
                                   std::to_string(port_)};
  for (const auto& [name, text] : settings_) {
    command.insert(command.end(), {"-c", name + "=" + text});
  }
  // After kill -9 the children of the former server may take a moment to go.
  for (int attempt = 0; attempt < 20; ++attempt) {
    pid_ = launch_server(command, folder_ + "/log");
    if (pid_ < 0) give_up("cannot fork");
    wait_until_ready();
    if (pid_ > 0) return;
    linger(100ms);
  }
  give_up("PostgreSQL does not start: " + read_text(folder_ + "/log"));
}

// Sets pid_ to 0 when the server has ended instead.
void PrivatePostgres::wait_until_ready() {
  const bool settled = eventually(30s, [this] {
    if (has_ended()) return true;
    return Connection::connect(dsn(), {}).has_value();
  });
  if (!settled) give_up("PostgreSQL is not ready: " + read_text(folder_ + "/log"));
}

bool PrivatePostgres::has_ended() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

bool PrivatePostgres::stop(int signal, std::chrono::seconds patience) {
  ::kill(pid_, signal);
  return eventually(patience, [this] { return has_ended(); });
}

bool PrivatePostgres::stop_fast(std::chrono::seconds patience) {
  return stop(SIGINT, patience);
}

bool PrivatePostgres::stop_immediate(std::chrono::seconds patience) {
  return stop(SIGQUIT, patience);
}

void PrivatePostgres::kill_9() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
}

void PrivatePostgres::freeze() {
  is_frozen_ = true;
  signal_all(SIGSTOP);
}

// The server first: once it stands, it starts no more.
void PrivatePostgres::signal_all(int signal) const {
  ::kill(pid_, signal);
  const std::string children = read_text(fmt::format("/proc/{0}/task/{0}/children", pid_));
  for (const std::string_view word : split(children, ' ')) {
    if (const auto child = parse_decimal(word)) ::kill(static_cast<pid_t>(*child), signal);
  }
}

void PrivatePostgres::add_hba(const std::string& line) {
  const std::string path = folder_ + "/data/pg_hba.conf";
  const std::string rest = read_text(path);
  std::ofstream(path) << line << '\n' << rest;
}

Connection PrivatePostgres::connect(const std::string& more) const {
  auto connection = Connection::connect(dsn(more), {});
  if (!connection) give_up(connection.error().text);
  return std::move(*connection);
}

void PrivatePostgres::exec(const std::string& sql) const {
  auto done = connect().exec(sql, "test statement");
  if (!done) give_up(done.error().text);
}

std::string PrivatePostgres::value(const std::string& sql) const {
  Connection connection = connect();
  auto rows = connection.query(sql, "test query");
  if (!rows) give_up(rows.error().text);
  return rows->size() == 0 ? std::string() : std::string(rows->text(0, 0));
}

}  // namespace rt::test
