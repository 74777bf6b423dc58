// Errors as values. No exception crosses a folder boundary of lib/.
// An Error says what the caller does next (its Code), and carries one line for a person.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace rt {

// What the caller does next, not where it broke. Each maps to one exit status (exit_status()).
enum class Code : std::uint8_t {
  negative,     // the answer is no: a threshold missed, a difference found
  usage,        // the request or a file given by the user is invalid: correct it
  unreachable,  // cannot reach or lost the peer: try again later
  refused,      // the peer refuses or speaks wrongly: a person must act
  limit,        // this machine or process is out of something: raise a limit
  integrity,    // the stream or recording is damaged or incomplete
  invalid,      // a measurement cannot support a claim
  internal,     // a bug in this toolkit
  cancelled,    // stopped on request
};

// Lower case, no full stop: "cannot read slot "orders" on db1:5432: does not exist (42704)".
struct [[nodiscard]] Error {
  Code code = Code::internal;
  std::string text;
  std::string hint;  // one sentence that says what to do, or empty

  // Adds the outer story: "<attempt>: <text>".
  Error context(std::string_view attempt) && {
    text = std::string(attempt) + ": " + text;
    return std::move(*this);
  }
  Error with_hint(std::string_view sentence) && {
    hint = sentence;
    return std::move(*this);
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> fail(Code code, std::string text, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(text), std::move(hint)});
}

// An error from errno: "<attempt>: Connection refused (ECONNREFUSED)". EINTR and EAGAIN are not
// errors: callers handle them before they come here.
Error os_error(std::string_view attempt, int os_errno, Code code = Code::limit);

// Exit status of a process that ends with this code (the table of `TOOL codes`).
int exit_status(Code code);
const char* code_name(Code code);

// Unwraps a Result or returns its error from the enclosing function.
#define RT_TRY(expression)                                                   \
  __extension__({                                                            \
    auto&& rt_try_result = (expression);                                     \
    if (!rt_try_result) return ::rt::fail(std::move(rt_try_result).error()); \
    std::move(rt_try_result).value();                                        \
  })
// The same for Result<void>.
#define RT_CHECKED(expression)                                               \
  do {                                                                       \
    auto&& rt_try_result = (expression);                                     \
    if (!rt_try_result) return ::rt::fail(std::move(rt_try_result).error()); \
  } while (false)

// A broken invariant of ours, never bad input: prints expression and place, then aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
#define RT_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::rt::check_failed(#condition, __FILE__, __LINE__))

}  // namespace rt
