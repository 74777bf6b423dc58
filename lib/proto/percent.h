// Percent-encoding (RFC 3986 section 2.1) and query parameters as HTML forms write them
// (WHATWG URL, "application/x-www-form-urlencoded"). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rt {

enum class Plus : bool { literal, space };  // what '+' means: itself in a path, a space in a query

// Nothing if a '%' is not followed by two hex digits, or stands for NUL.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);

// Appends; all but the unreserved characters A-Z a-z 0-9 - . _ ~ are encoded.
void append_percent_encoded(std::string& out, std::string_view text);

// The decoded value of the first parameter of that name in "a=1&b=2"; "" for "a" and "a=". Nothing
// if it is absent or malformed.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace rt
