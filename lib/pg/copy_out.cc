#include "pg/copy_out.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <utility>

#include "pg/server_error.h"

namespace rt {

Result<CopyOut> CopyOut::start(Connection& connection, const std::string& sql,
                               std::string_view attempt) {
  const Rows begun = RT_TRY(connection.query(sql, attempt));
  if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
    return fail(Code::internal, fmt::format("{}: the statement does not copy out", attempt));
  }
  return CopyOut(connection, std::string(attempt));
}

CopyOut::CopyOut(CopyOut&& other) noexcept
    : connection_(other.connection_),
      attempt_(std::move(other.attempt_)),
      line_(std::exchange(other.line_, nullptr)) {}

CopyOut::~CopyOut() {
  PQfreemem(line_);
}

Result<std::optional<std::string_view>> CopyOut::next() {
  for (;;) {
    PQfreemem(std::exchange(line_, nullptr));
    const int size = PQgetCopyData(connection_->get(), &line_, /*async=*/1);
    if (size > 0) {
      std::string_view line(line_, static_cast<std::size_t>(size));
      if (line.back() == '\n') line.remove_suffix(1);
      return line;
    }
    if (size == -1) {  // the end, or an error in the middle: the result says which
      RT_TRY(connection_->receive(attempt_));
      return std::nullopt;
    }
    if (size < -1) {
      return fail(connection_error(attempt_, connection_->endpoint(), connection_->get()));
    }
    RT_TRY(connection_->wait(POLLIN, Instant::max(), attempt_));
    if (PQconsumeInput(connection_->get()) == 0) {
      return fail(connection_error(attempt_, connection_->endpoint(), connection_->get()));
    }
  }
}

}  // namespace rt
