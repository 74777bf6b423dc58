// Column values as Debezium's PostgreSQL connector has them in JSON, with
// decimal.handling.mode=string and its other defaults (time.precision.mode=adaptive,
// interval.handling.mode=numeric, binary.handling.mode=bytes). Source: Debezium 3, "Debezium
// connector for PostgreSQL", data type mappings. No state: thread-safe.
#pragma once

#include <string>

#include "proto/pgoutput.h"
#include "rtreplay/exported_tables.h"

namespace rt::rtreplay {

// What was not sent is "__debezium_unavailable_value". A text that is none of its type's, and a
// type without a mapping (points, types made by users), is PostgreSQL's text.
void append_debezium_value(std::string& out, const ExportedTable::Column& column,
                           const pgoutput::Value& value);

}  // namespace rt::rtreplay
