// PostgreSQL's own spelling of types, as format_type() has it. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace rt::rtreplay {

// "numeric(10,2)", "timestamp(3) without time zone", "integer[]". Empty for types that are not
// built in.
std::string pg_type_name(std::uint32_t oid, std::int32_t typmod);

}  // namespace rt::rtreplay
