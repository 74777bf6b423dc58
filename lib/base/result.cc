#include "base/result.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rt {

Error os_error(std::string_view attempt, int os_errno, Code code) {
  const char* text = strerrordesc_np(os_errno);
  const char* name = strerrorname_np(os_errno);
  return Error{code,
               fmt::format("{}: {} ({})", attempt, text != nullptr ? text : "unknown error",
                           name != nullptr ? name : "?"),
               {}};
}

int exit_status(Code code) {
  switch (code) {
    case Code::negative:
      return 1;
    case Code::usage:
      return 2;
    case Code::unreachable:
      return 3;
    case Code::refused:
      return 4;
    case Code::limit:
      return 5;
    case Code::integrity:
      return 6;
    case Code::invalid:
      return 7;
    case Code::internal:
      return 8;
    case Code::cancelled:
      return 130;
  }
  return 8;
}

const char* code_name(Code code) {
  switch (code) {
    case Code::negative:
      return "negative";
    case Code::usage:
      return "usage";
    case Code::unreachable:
      return "unreachable";
    case Code::refused:
      return "refused";
    case Code::limit:
      return "limit";
    case Code::integrity:
      return "integrity";
    case Code::invalid:
      return "invalid";
    case Code::internal:
      return "internal";
    case Code::cancelled:
      return "cancelled";
  }
  return "internal";
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "internal error: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace rt
