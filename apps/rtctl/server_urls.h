// The addresses of a server's streams, one surface each. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt::rtctl {

// `base` with or without a slash at the end: "http://127.0.0.1:8080". All names are
// percent-encoded (RFC 3986); Code::usage on one that the surface cannot have.

// <base>/topics/<name>/events; names are of [a-z0-9_-]{1,128} after lower-casing.
Result<std::string> topic_url(std::string_view base, std::string_view name);
// <base>/events, or <base>/events?scope=gym&scope_id=1 for "gym:1": a server without keys takes
// the scope from there; one with keys takes it from the token.
Result<std::string> events_url(std::string_view base, std::string_view scope);
// <base>/realtime?events=a,b; no types: all.
Result<std::string> realtime_url(std::string_view base, const std::vector<std::string>& types);
// <base>/jobs/<id>/stream
Result<std::string> job_url(std::string_view base, std::string_view id);

std::string without_slash(std::string_view base);

}  // namespace rt::rtctl
