#include "pg/replication.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "pg/names.h"
#include "pg/server_error.h"

namespace rt {

namespace {

constexpr std::string_view kAttempt = "cannot read the replication stream";

// Inside a replication command strings and names follow the grammar of SQL literals.
std::string option_literal(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

Result<ReplicationStream> ReplicationStream::start(Connection connection,
                                                   const StreamStart& start) {
  const bool messages = start.messages && connection.server_version() >= 140000;
  if (start.streaming && connection.server_version() < 140000) {
    return fail(Code::refused,
                fmt::format("cannot stream transactions in progress from {}: that needs PostgreSQL "
                            "14 or later",
                            connection.endpoint()),
                "leave --streaming out");
  }
  if (start.two_phase && connection.server_version() < 150000) {
    return fail(Code::refused,
                fmt::format("cannot record prepared transactions of {}: that needs PostgreSQL 15 "
                            "or later",
                            connection.endpoint()),
                "leave --two-phase out: they are recorded when they commit");
  }
  const int protocol = start.two_phase ? 3 : start.streaming ? 2 : 1;
  // publication_names is a list of identifiers inside a string.
  const std::string sql = fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}{}{}{})",
      quote_identifier(start.slot), lsn_text(start.start_lsn), protocol,
      option_literal(quote_identifier(start.publication)), messages ? ", messages 'true'" : "",
      start.streaming ? ", streaming 'on'" : "", start.two_phase ? ", two_phase 'on'" : "");
  const Rows begun =
      RT_TRY(connection.query(sql, fmt::format("cannot stream from slot \"{}\"", start.slot)));
  if (PQresultStatus(begun.get()) != PGRES_COPY_BOTH) {
    return fail(Code::refused, fmt::format("cannot stream from slot \"{}\": odd answer to "
                                           "START_REPLICATION",
                                           start.slot));
  }
  return ReplicationStream(std::move(connection));
}

ReplicationStream::ReplicationStream(ReplicationStream&& other) noexcept
    : connection_(std::move(other.connection_)), message_(std::exchange(other.message_, nullptr)) {}

ReplicationStream::~ReplicationStream() {
  PQfreemem(message_);
}

Result<std::optional<std::string_view>> ReplicationStream::next() {
  PQfreemem(std::exchange(message_, nullptr));
  const int size = PQgetCopyData(connection_.get(), &message_, /*async=*/1);
  if (size > 0) return std::string_view(message_, static_cast<std::size_t>(size));
  if (size == 0) return std::nullopt;
  if (size == -1) return fail(ended());
  return fail(connection_error(kAttempt, connection_.endpoint(), connection_.get()));
}

// The copy is over: the result that follows says why.
Error ReplicationStream::ended() {
  auto result = connection_.receive(kAttempt);
  if (!result) {
    Error error = std::move(result).error();
    if (error.hint.empty() && error.text.find("publication") != std::string::npos) {
      error.hint =
          "the slot stands before the publication was created: drop the slot and start with a "
          "fresh snapshot";
    }
    return error;
  }
  return Error{Code::unreachable,
               fmt::format("{} on {}: the server ended it (is it shutting down?)", kAttempt,
                           connection_.endpoint()),
               {}};
}

Result<void> ReplicationStream::fill() {
  // In non-blocking mode this flushes as well.
  if (PQconsumeInput(connection_.get()) == 0) {
    return fail(connection_error(kAttempt, connection_.endpoint(), connection_.get()));
  }
  return {};
}

Result<void> ReplicationStream::wait(Instant deadline) {
  const Instant slice = SystemClock().now() + std::chrono::milliseconds(100);
  RT_TRY(connection_.wait(POLLIN, std::min(deadline, slice), kAttempt));
  return {};
}

void ReplicationStream::nap(Duration duration) const {
  pollfd fd{connection_.cancel_fd(), POLLIN, 0};
  const timespec time{0, static_cast<long>(duration.count() % 1'000'000'000)};
  ::ppoll(&fd, 1, &time, nullptr);
}

Result<void> ReplicationStream::send_status(const StandbyPositions& positions,
                                            std::int64_t client_time_us, bool reply_requested) {
  constexpr std::string_view kSending = "cannot send a replication status";
  const auto bytes = encode_standby_status(positions, client_time_us, reply_requested);
  // 34 bytes: libpq's buffer takes them even when the socket does not; fill() sends the rest.
  if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0 ||
      PQflush(connection_.get()) < 0) {
    return fail(connection_error(kSending, connection_.endpoint(), connection_.get()));
  }
  return {};
}

}  // namespace rt
