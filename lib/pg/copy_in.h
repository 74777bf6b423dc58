// Rows into COPY ... FROM STDIN, in text format, with bounded memory.
// PostgreSQL documentation, "Functions Associated with the COPY Command".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

// One thread. The connection can do nothing else until finish(); dropped without it, the
// connection is of no use any more.
class CopyIn {
 public:
  static Result<CopyIn> start(Connection& connection, const std::string& sql,
                              std::string_view attempt);

  // One line of COPY text format without its newline.
  Result<void> put(std::string_view line);
  // How many rows the server has taken.
  Result<std::uint64_t> finish();

 private:
  CopyIn(Connection& connection, std::string attempt)
      : connection_(&connection), attempt_(std::move(attempt)) {}
  Result<void> send();

  Connection* connection_;
  std::string attempt_;
  std::string pending_;
};

}  // namespace rt
