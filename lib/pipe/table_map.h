// Other names for recorded tables: what a recording says of one is said of another. Renames in the
// Relation messages, so that every sink sees nothing else.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/record.h"
#include "base/result.h"
#include "pg/names.h"

namespace rt {

// One thread.
class TableMap {
 public:
  // "from=to", names as SQL has them: "orders=archive.orders".
  static Result<TableMap> parse(const std::vector<std::string>& words);

  bool empty() const { return names_.empty(); }
  // The record as it goes on; its body may be in our memory until the next call.
  RecordView apply(const RecordView& record);

 private:
  std::vector<std::pair<TableName, TableName>> names_;
  std::string scratch_;
};

}  // namespace rt
