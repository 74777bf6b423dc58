#include "pg/rows.h"

#include <libpq-fe.h>

#include "base/text.h"

namespace rt {

Rows::~Rows() {
  PQclear(result_);
}

int Rows::size() const {
  return PQntuples(result_);
}

int Rows::columns() const {
  return PQnfields(result_);
}

std::optional<std::string_view> Rows::value(int row, int column) const {
  if (PQgetisnull(result_, row, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_, row, column),
                          static_cast<std::size_t>(PQgetlength(result_, row, column)));
}

std::uint64_t Rows::affected() const {
  return parse_decimal(PQcmdTuples(result_)).value_or(0);
}

}  // namespace rt
