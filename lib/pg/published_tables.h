// Which tables and columns a publication sends, from the catalog: the ground of a snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/names.h"

namespace rt {

struct PublishedColumn {
  std::string name;
  std::uint32_t type_oid = 0;
  std::int32_t typmod = -1;
  bool primary_key = false;
};

struct PublishedTable {
  TableName name;
  std::uint32_t oid = 0;
  char identity = 'd';  // pg_class.relreplident
  bool partitioned = false;
  std::string row_filter;                // SQL, "" if all rows are published
  std::vector<PublishedColumn> columns;  // in table order, as pgoutput sends them

  // COPY of exactly the rows and columns the publication sends.
  std::string copy_sql() const;
};

// The tables of a publication, or those of them named in `only` (all must be in it).
// Refused when the publication or one of the tables does not exist.
Result<std::vector<PublishedTable>> published_tables(Connection& connection,
                                                     const std::string& publication,
                                                     const std::vector<TableName>& only);

}  // namespace rt
