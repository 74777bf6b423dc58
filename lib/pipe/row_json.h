// Rows of pgoutput as JSON objects with typed values (proto/pg_json.h). Pure.
#pragma once

#include <string>

#include "proto/pgoutput_tuple.h"
#include "proto/relation_cache.h"

namespace rt {

enum class RowColumns { all, key };

// {"id":1,"note":null}. A value that was not sent (unchanged TOAST) is taken from `fallback`, the
// whole row as it was, or left out if there is none.
void append_row_json(std::string& out, const pgoutput::CachedRelation& relation,
                     pgoutput::TupleView row, RowColumns columns,
                     pgoutput::TupleView fallback = {});

// ["doc"]: the columns whose value was not sent. False, and nothing appended, if there is none.
bool append_unchanged_json(std::string& out, const pgoutput::CachedRelation& relation,
                           pgoutput::TupleView row);

}  // namespace rt
