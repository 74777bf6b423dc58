// The rows of COPY ... TO STDOUT, one line at a time, with bounded memory.
// PostgreSQL documentation, "Functions Associated with the COPY Command".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

// One thread. The connection can do nothing else until next() has returned nullopt or an error.
class CopyOut {
 public:
  static Result<CopyOut> start(Connection& connection, const std::string& sql,
                               std::string_view attempt);
  CopyOut(CopyOut&& other) noexcept;
  CopyOut& operator=(CopyOut&&) = delete;
  ~CopyOut();

  // One line of COPY text format without its newline, valid until the next call; nullopt at the
  // end.
  Result<std::optional<std::string_view>> next();

 private:
  CopyOut(Connection& connection, std::string attempt)
      : connection_(&connection), attempt_(std::move(attempt)) {}

  Connection* connection_;
  std::string attempt_;
  char* line_ = nullptr;  // libpq's buffer
};

}  // namespace rt
