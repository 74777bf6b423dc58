// A PostgreSQL of a test's own: a cluster in a temporary folder on a free loopback port, run as an
// unprivileged user when the test runs as root, gone when the object is. It dies with the test
// process.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "pg/connection.h"

namespace rt::test {

class PrivatePostgres {
 public:
  using Settings = std::map<std::string, std::string>;

  // Starts a server with wal_level=logical and fsync=off, unless settings say otherwise. The first
  // one of a process runs initdb; the others copy its result. Fails the test (throws) when it
  // cannot.
  explicit PrivatePostgres(const Settings& settings = {});
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;
  ~PrivatePostgres();

  // "host=127.0.0.1 port=N user=postgres dbname=postgres" and what else is given.
  std::string dsn(const std::string& more = "") const;
  int port() const { return port_; }
  const std::string& folder() const { return folder_; }

  // As pg_ctl stop -m fast or -m immediate; false if the server is still there after `patience`.
  bool stop_fast(std::chrono::seconds patience = std::chrono::seconds(10));
  bool stop_immediate(std::chrono::seconds patience = std::chrono::seconds(10));
  void kill_9();
  // Stops every process of it (SIGSTOP): connections stand, nothing is answered. Until it is gone.
  void freeze();
  void start();
  // Puts a line into pg_hba.conf before all others; takes effect at the next start.
  void add_hba(const std::string& line);

  // Statements on a short connection of their own; throws on an error.
  void exec(const std::string& sql) const;
  // First column of the first row, "" if there is none.
  std::string value(const std::string& sql) const;
  Connection connect(const std::string& more = "") const;

 private:
  bool stop(int signal, std::chrono::seconds patience);
  void wait_until_ready();
  bool has_ended();
  // The server and all that it has started.
  void signal_all(int signal) const;

  bool is_frozen_ = false;
  std::string folder_;
  Settings settings_;
  int port_ = 0;
  int pid_ = 0;
};

}  // namespace rt::test
