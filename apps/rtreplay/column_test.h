// `--where 'COLUMN OP VALUE'`: a condition on a row. Three-valued as in SQL, with one difference:
// "unknown" means that the recording does not hold the value. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "proto/pgoutput_tuple.h"

namespace rt::rtreplay {

enum class Truth : std::uint8_t { no, yes, unknown };

class ColumnTest {
 public:
  // OP: = (or ==), !=, <, <=, >, >=, ~ (contains), or "is null", "is not null" without a value.
  // VALUE may stand in single quotes. Two numbers compare as numbers, other values by their bytes.
  // NULL meets "is null" and no other condition.
  static Result<ColumnTest> parse(const std::string& text);

  const std::string& column() const { return column_; }
  Truth holds(const pgoutput::Value& value) const;

 private:
  enum class Op : std::uint8_t {
    equal,
    unequal,
    less,
    less_equal,
    more,
    more_equal,
    contains,
    is_null,
    is_not_null
  };
  static int compare(std::string_view a, std::string_view b);

  std::string column_;
  std::string wanted_;
  Op op_ = Op::equal;
};

}  // namespace rt::rtreplay
