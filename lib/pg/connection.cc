#include "pg/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "pg/server_error.h"

namespace rt {

namespace {

constexpr Instant kNoDeadline = Instant::max();
const SystemClock kClock;

// What decides the text of values, and what would filter or cut off a snapshot (as pg_dump pins
// them).
constexpr const char* kPinnedSettings =
    "SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3; "
    "SET bytea_output = 'hex'; SET timezone = 'UTC'; SET search_path = ''; SET lc_monetary = 'C'; "
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET row_security = off; "
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET synchronize_seqscans = off";

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// connect_timeout of the connection string, nullopt if it says nothing. Fails on malformed text
// without repeating it: libpq's own message may quote a piece of a password.
Result<std::optional<std::chrono::seconds>> timeout_in(const std::string& dsn) {
  if (dsn.empty()) return std::nullopt;
  const bool is_connection_string = dsn.find('=') != dsn.npos ||
                                    dsn.rfind("postgresql://", 0) == 0 ||
                                    dsn.rfind("postgres://", 0) == 0;
  if (!is_connection_string) return std::nullopt;  // a bare database name
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(
      PQconninfoParse(dsn.c_str(), &message));
  PQfreemem(message);
  if (options == nullptr) {
    return fail(Code::usage, "cannot read the PostgreSQL connection string: it is malformed",
                "write postgresql://user@host:5432/database or \"host=.. port=.. dbname=..\"");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (std::strcmp(option->keyword, "connect_timeout") == 0 && option->val != nullptr) {
      const auto seconds = parse_decimal(option->val).value_or(0);
      if (seconds > 0) return std::chrono::seconds(std::min<std::uint64_t>(seconds, 3600));
    }
  }
  return std::nullopt;
}

Error cancelled(std::string_view attempt) {
  return Error{Code::cancelled, fmt::format("{}: stopped", attempt), {}};
}

}  // namespace

Result<void> check_connection_string(const std::string& dsn) {
  RT_TRY(timeout_in(dsn));
  return {};
}

Result<Connection> Connection::connect(const std::string& dsn, const ConnectOptions& options) {
  const auto timeout = RT_TRY(timeout_in(dsn));
  // In order: defaults, the caller's string (a later word wins), what is not negotiable.
  // Keepalives find a dead peer in about 30 s, idle or sending.
  const std::array<const char*, 10> keywords = {"fallback_application_name",
                                                "keepalives",
                                                "keepalives_idle",
                                                "keepalives_interval",
                                                "keepalives_count",
                                                "tcp_user_timeout",
                                                "dbname",
                                                "client_encoding",
                                                options.replication ? "replication" : nullptr,
                                                nullptr};
  const std::array<const char*, 10> values = {options.application_name.c_str(),
                                              "1",
                                              "15",
                                              "5",
                                              "3",
                                              "30000",
                                              dsn.c_str(),
                                              "UTF8",
                                              options.replication ? "database" : nullptr,
                                              nullptr};
  pg_conn* raw = PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1);
  if (raw == nullptr) return fail(Code::limit, "cannot connect to PostgreSQL: out of memory");
  Connection connection(raw, options);
  RT_CHECKED(connection.complete(timeout.value_or(options.connect_timeout)));
  if (options.replication || options.pin_settings) RT_CHECKED(connection.pin_settings());
  log::debug("postgres connected",
             fmt::format("host={} port={} database={} server_version={} backend={} as=\"{}\"",
                         PQhost(raw), PQport(raw), PQdb(raw), PQserverVersion(raw),
                         PQbackendPID(raw), options.application_name));
  return connection;
}

Connection::~Connection() {
  if (connection_ != nullptr) PQfinish(connection_);
}

Result<void> Connection::complete(std::chrono::seconds timeout) {
  constexpr std::string_view kAttempt = "cannot connect to PostgreSQL";
  // Verbose text is the only way to learn the SQLSTATE of a refused connection.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  const Instant deadline = kClock.now() + timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection_) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const Wait waited = RT_TRY(wait(events, deadline, kAttempt));
    if (waited == Wait::again) continue;
    if (waited == Wait::timeout) {
      return fail(Code::unreachable,
                  fmt::format("{} on {}: no answer within {} s", kAttempt,
                              endpoint_text(connection_), timeout.count()),
                  "check host and port, or raise connect_timeout");
    }
    state = PQconnectPoll(connection_);
    if (state == PGRES_POLLING_FAILED) break;
  }
  endpoint_ = endpoint_text(connection_);
  if (PQstatus(connection_) != CONNECTION_OK) {
    return fail(connection_error(kAttempt, endpoint_, connection_));
  }
  if (PQsetnonblocking(connection_, 1) != 0) {
    return fail(connection_error(kAttempt, endpoint_, connection_));
  }
  return {};
}

Result<void> Connection::pin_settings() {
  constexpr std::string_view kPinning = "cannot pin the session settings";
  RT_CHECKED(exec(kPinnedSettings, kPinning));
  const char* encoding = PQparameterStatus(connection_, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "SQL_ASCII") return {};
  // Such a database holds bytes of any encoding, and sends as UTF8 only those that are.
  return exec("SET client_encoding = 'SQL_ASCII'", kPinning);
}

Result<Connection::Wait> Connection::wait(short events, Instant deadline,
                                          std::string_view attempt) {
  // Bytes that TLS or GSSAPI has already decrypted are invisible to poll: look again soon. Without
  // them the socket says all, and an idle connection costs next to nothing.
  const std::int64_t slice_ms = is_encrypted() ? 100 : 10'000;
  std::int64_t timeout_ms = slice_ms;
  if (deadline != kNoDeadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - kClock.now()).count();
    timeout_ms = std::clamp<std::int64_t>(left, 0, slice_ms);
  }
  std::array<pollfd, 2> fds{{{PQsocket(connection_), events, 0}, {cancel_fd_, POLLIN, 0}}};
  const int rc = ::poll(fds.data(), fds.size(), static_cast<int>(timeout_ms));
  if (rc < 0 && errno != EINTR) return fail(os_error(attempt, errno));
  if (rc > 0 && fds[1].revents != 0) return fail(cancelled(attempt));
  if (rc > 0) return Wait::ready;
  return deadline != kNoDeadline && kClock.now() >= deadline ? Wait::timeout : Wait::again;
}

Result<void> Connection::flush(std::string_view attempt) {
  for (;;) {
    const int rc = PQflush(connection_);
    if (rc == 0) return {};
    if (rc < 0) return fail(connection_error(attempt, endpoint_, connection_));
    RT_CHECKED(wait(POLLIN | POLLOUT, kNoDeadline, attempt));
    // Reading while writing: the server may be blocked on its own output.
    if (PQconsumeInput(connection_) == 0) {
      return fail(connection_error(attempt, endpoint_, connection_));
    }
  }
}

Result<void> Connection::send(const std::string& sql, std::string_view attempt) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) {
    return fail(connection_error(attempt, endpoint_, connection_));
  }
  return flush(attempt);
}

Result<bool> Connection::ready(Instant deadline, std::string_view attempt) {
  while (PQisBusy(connection_) != 0) {
    if (RT_TRY(wait(POLLIN, deadline, attempt)) == Wait::timeout) return false;
    if (PQconsumeInput(connection_) == 0) {
      return fail(connection_error(attempt, endpoint_, connection_));
    }
  }
  return true;
}

// libpq waits without a limit for a server to hang up, and one that stands still never does: it
// waits on a thread of its own, which is left behind then.
void Connection::cancel_query() {
  constexpr auto kPatience = std::chrono::seconds(1);
  PGcancel* const cancel = PQgetCancel(connection_);
  if (cancel == nullptr) return;
  std::promise<void> asked;
  const std::future<void> done = asked.get_future();
  std::thread([cancel, promise = std::move(asked)]() mutable {
    char message[256];
    PQcancel(cancel, message, sizeof message);
    PQfreeCancel(cancel);
    promise.set_value();
  }).detach();
  done.wait_for(kPatience);
}

Result<Rows> Connection::receive(std::string_view attempt) {
  Rows last;
  std::optional<Error> error;
  const bool is_bounded = answer_timeout_ > Duration::zero();
  const Instant deadline = is_bounded ? kClock.now() + answer_timeout_ : kNoDeadline;
  for (;;) {
    if (!RT_TRY(ready(deadline, attempt))) {
      return fail(Code::unreachable,
                  fmt::format("{} on {}: no answer in time", attempt, endpoint_));
    }
    Rows rows(PQgetResult(connection_));
    if (rows.get() == nullptr) break;
    const ExecStatusType status = PQresultStatus(rows.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      const bool server_spoke = PQresultErrorField(rows.get(), PG_DIAG_SQLSTATE) != nullptr;
      if (!error) {
        error = server_spoke ? server_error(attempt, endpoint_, rows.get())
                             : connection_error(attempt, endpoint_, connection_);
      }
      if (PQstatus(connection_) == CONNECTION_BAD) break;
      continue;
    }
    last = std::move(rows);
    // The copy sub-protocols go on where the caller takes over.
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH || status == PGRES_COPY_IN) break;
  }
  if (error) return fail(std::move(*error));
  if (last.get() == nullptr) return fail(connection_error(attempt, endpoint_, connection_));
  return last;
}

Result<Rows> Connection::query(const std::string& sql, std::string_view attempt) {
  RT_CHECKED(send(sql, attempt));
  return receive(attempt);
}

Result<Rows> Connection::query(const std::string& sql, const Parameters& parameters,
                               std::string_view attempt) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, /*resultFormat=*/0) == 0) {
    return fail(connection_error(attempt, endpoint_, connection_));
  }
  RT_CHECKED(flush(attempt));
  return receive(attempt);
}

Result<void> Connection::exec(const std::string& sql, std::string_view attempt) {
  RT_TRY(query(sql, attempt));
  return {};
}

std::string Connection::identifier(std::string_view name) const {
  char* quoted = PQescapeIdentifier(connection_, name.data(), name.size());
  std::string text = quoted != nullptr ? quoted : "\"\"";
  PQfreemem(quoted);
  return text;
}

std::string Connection::literal(std::string_view value) const {
  char* quoted = PQescapeLiteral(connection_, value.data(), value.size());
  std::string text = quoted != nullptr ? quoted : "''";
  PQfreemem(quoted);
  return text;
}

int Connection::server_version() const {
  return PQserverVersion(connection_);
}

bool Connection::uses_tcp() const {
  const char* host = PQhost(connection_);
  return host != nullptr && host[0] != '/' && host[0] != '@' && host[0] != '\0';
}

bool Connection::is_encrypted() const {
  return PQsslInUse(connection_) != 0 || PQgssEncInUse(connection_) != 0;
}

int Connection::socket() const {
  return PQsocket(connection_);
}

std::string pg_library_version() {
  const int version = PQlibVersion();  // 150018
  return fmt::format("libpq/{}.{}", version / 10'000, version % 10'000);
}

}  // namespace rt
