#include "pg/copy_in.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "pg/server_error.h"

namespace rt {
namespace {

// One message of the protocol for so much: large enough that its head and the call cost nothing.
constexpr std::size_t kMessageBytes = 64 * 1024;

}  // namespace

Result<CopyIn> CopyIn::start(Connection& connection, const std::string& sql,
                             std::string_view attempt) {
  const Rows begun = RT_TRY(connection.query(sql, attempt));
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN) {
    return fail(Code::internal, fmt::format("{}: the statement does not copy in", attempt));
  }
  return CopyIn(connection, std::string(attempt));
}

Result<void> CopyIn::put(std::string_view line) {
  pending_ += line;
  pending_ += '\n';
  return pending_.size() >= kMessageBytes ? send() : Result<void>();
}

Result<void> CopyIn::send() {
  pg_conn* raw = connection_->get();
  const auto lost = [&] { return fail(connection_error(attempt_, connection_->endpoint(), raw)); };
  bool queued = pending_.empty();
  for (;;) {
    if (!queued) {
      const int rc = PQputCopyData(raw, pending_.data(), static_cast<int>(pending_.size()));
      if (rc < 0) return lost();
      queued = rc > 0;
    }
    const int left = PQflush(raw);
    if (left < 0) return lost();
    if (queued && left == 0) break;
    RT_TRY(connection_->wait(POLLIN | POLLOUT, Instant::max(), attempt_));
    if (PQconsumeInput(raw) == 0) return lost();
  }
  pending_.clear();
  return {};
}

Result<std::uint64_t> CopyIn::finish() {
  RT_CHECKED(send());
  pg_conn* raw = connection_->get();
  while (PQputCopyEnd(raw, nullptr) == 0) {
    RT_TRY(connection_->wait(POLLIN | POLLOUT, Instant::max(), attempt_));
  }
  // What is wrong with a row is said here.
  RT_CHECKED(send());
  return RT_TRY(connection_->receive(attempt_)).affected();
}

}  // namespace rt
