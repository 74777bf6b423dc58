#include "pg/listen.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <utility>

#include "pg/names.h"
#include "pg/server_error.h"

namespace rt {

namespace {

constexpr std::string_view kAttempt = "cannot listen";

}  // namespace

Result<void> check_channel_name(std::string_view name) {
  constexpr std::size_t kNameBytes = 63;  // NAMEDATALEN - 1
  if (!name.empty() && name.size() <= kNameBytes && name.find('\0') == name.npos) return {};
  return fail(Code::usage, fmt::format("'{}' is no name of a channel", name),
              "channel names have 1 to 63 bytes");
}

Result<Listen> Listen::start(const std::string& dsn, const std::vector<std::string>& channels,
                             const ConnectOptions& options) {
  std::string sql;
  for (const std::string& channel : channels) {
    RT_CHECKED(check_channel_name(channel));
    sql += "LISTEN " + quote_identifier(channel) + ";";
  }
  Connection connection = RT_TRY(Connection::connect(dsn, options));
  // Idle is what a listener is; since 14 a database may close such connections.
  if (connection.server_version() >= 140'000) sql += "SET idle_session_timeout = 0;";
  RT_CHECKED(connection.exec(sql, kAttempt));
  return Listen(std::move(connection));
}

Listen::Listen(Listen&& other) noexcept
    : connection_(std::move(other.connection_)), last_(std::exchange(other.last_, nullptr)) {}

Listen::~Listen() {
  PQfreemem(last_);
}

std::optional<Notification> Listen::next() {
  PQfreemem(last_);
  PGnotify* const got = PQnotifies(connection_.get());
  last_ = got;
  if (got == nullptr) return std::nullopt;
  return Notification{got->relname, got->extra, static_cast<std::uint32_t>(got->be_pid)};
}

Result<void> Listen::wait() {
  RT_TRY(connection_.wait(POLLIN, Instant::max(), kAttempt));
  if (PQconsumeInput(connection_.get()) == 0) {
    return fail(connection_error("lost the connection", connection_.endpoint(), connection_.get()));
  }
  return {};
}

}  // namespace rt
