// A connection to PostgreSQL over libpq, owned. Every wait is bounded and can be called off.
// PostgreSQL documentation, chapter "libpq - C Library". libpq's own header stays in .cc files.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pg/rows.h"

struct pg_conn;  // libpq's PGconn

namespace rt {

struct ConnectOptions {
  // A walsender bound to the database ("replication=database"). It takes simple queries and
  // replication commands. Its session settings are pinned, so that no role or database default
  // changes the text of a value (0.3 for 0.30000000000000004), filters a snapshot, or cuts a long
  // command off.
  bool replication = false;
  // The same settings for an ordinary connection that writes or compares values as text.
  bool pin_settings = false;
  // Distinctive, because synchronous_standby_names may match it. The connection string wins.
  std::string application_name = "realtime";
  // For the whole attempt, all hosts together. connect_timeout of the connection string wins.
  std::chrono::seconds connect_timeout{10};
  // For an answer to a statement, then Code::unreachable: the connection is lost. 0: as long as it
  // takes.
  Duration answer_timeout{0};
  // Becomes readable when every wait of this connection is to end with Code::cancelled; -1: never.
  int cancel_fd = -1;
};

// nullopt is NULL.
using Parameters = std::vector<std::optional<std::string>>;

// Move-only, one thread at a time. After an error of Code::cancelled or a lost connection, destroy
// it.
class Connection {
 public:
  // dsn: "host=.. dbname=.." or "postgresql://..", completed by PGHOST, ~/.pgpass and so on; may be
  // "". Errors: usage (malformed), unreachable (try again), refused (password, database,
  // privilege), cancelled.
  static Result<Connection> connect(const std::string& dsn, const ConnectOptions& options);

  Connection(Connection&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)),
        endpoint_(std::move(other.endpoint_)),
        answer_timeout_(other.answer_timeout_),
        cancel_fd_(other.cancel_fd_) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(connection_, other.connection_);
    std::swap(endpoint_, other.endpoint_);
    std::swap(answer_timeout_, other.answer_timeout_);
    std::swap(cancel_fd_, other.cancel_fd_);
    return *this;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // One statement, all rows in memory. `attempt` names it in errors: "cannot create table "x"".
  // On a replication connection there are no parameters (the server has no extended protocol
  // there).
  Result<Rows> query(const std::string& sql, std::string_view attempt);
  Result<Rows> query(const std::string& sql, const Parameters& parameters,
                     std::string_view attempt);
  // One or several statements without an interest in rows.
  Result<void> exec(const std::string& sql, std::string_view attempt);

  // query() in two halves, for statements that may take long: send, then wait in slices.
  Result<void> send(const std::string& sql, std::string_view attempt);
  // True when receive() will not block. Waits until the deadline at most.
  Result<bool> ready(Instant deadline, std::string_view attempt);
  Result<Rows> receive(std::string_view attempt);

  // Asks the server to give the running statement up; best effort, a second at most.
  void cancel_query();

  enum class Wait {
    ready,    // the socket is
    again,    // a slice (100 ms with TLS, else 10 s) is over: ask libpq again, then wait again
    timeout,  // the deadline has passed
  };
  // Waits for the socket (poll's POLLIN, POLLOUT); Code::cancelled when cancel_fd fires.
  Result<Wait> wait(short events, Instant deadline, std::string_view attempt);

  std::string identifier(std::string_view name) const;  // "na""me"
  std::string literal(std::string_view text) const;     // 'te''xt', or E'..' with backslashes
  int server_version() const;                           // 150018 for 15.18
  bool uses_tcp() const;
  // Then libpq may hold bytes that the socket does not show.
  bool is_encrypted() const;
  int socket() const;
  int cancel_fd() const { return cancel_fd_; }
  const std::string& endpoint() const { return endpoint_; }  // "host:port/database"
  pg_conn* get() const { return connection_; }

 private:
  Connection(pg_conn* connection, const ConnectOptions& options)
      : connection_(connection),
        answer_timeout_(options.answer_timeout),
        cancel_fd_(options.cancel_fd) {}
  Result<void> complete(std::chrono::seconds timeout);
  Result<void> pin_settings();
  Result<void> flush(std::string_view attempt);

  pg_conn* connection_ = nullptr;
  std::string endpoint_;
  Duration answer_timeout_{0};
  int cancel_fd_ = -1;
};

// "libpq/15.18"
std::string pg_library_version();

// Whether a dsn can be read. Code::usage if not. Asks no server.
Result<void> check_connection_string(const std::string& dsn);

}  // namespace rt
