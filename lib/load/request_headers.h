// Fields of a subscriber's request beyond those of the protocol ("request": {"headers": ...}), each
// with a value that may differ from connection to connection. Secrets stand in files, which are
// read once, before the run; neither scenario nor report holds them. Immutable once loaded; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "load/scenario_request.h"

namespace rt {

// Text with {conn} or {conn%N} in it: the number of the connection, or what is left of it after
// division by N.
struct ConnectionText {
  std::string before;
  std::string after;
  bool varies = false;
  std::uint64_t modulus = 0;  // 0: the number itself

  // Nothing when a brace is no placeholder.
  static std::optional<ConnectionText> parse(std::string_view text);
  void append(std::string& out, std::uint64_t connection) const;
  // How many different texts there are for `connections`.
  std::uint64_t variants(std::uint64_t connections) const;
};

class RequestHeaders {
 public:
  // Reads the files that are named for connections 0 .. connections-1. Code::usage with the place
  // in the scenario and the file's path: it cannot be read, is empty, has several lines or is too
  // long.
  static Result<RequestHeaders> load(const std::vector<HeaderSpec>& specs,
                                     std::uint64_t connections);

  std::size_t count() const { return fields_.size(); }
  const std::string& name(std::size_t field) const { return fields_[field].name; }  // lower case
  void append_value(std::string& out, std::size_t field, std::uint64_t connection) const;
  // "name: value\r\n" for each.
  void append_lines(std::string& out, std::uint64_t connection) const;

 private:
  struct Field {
    std::string name;
    std::string before;  // the file's content
    bool from_file = false;
    ConnectionText text;
    std::vector<std::string> contents;  // by variant
  };

  std::vector<Field> fields_;
};

// Of "request": what each header may be, judged without looking at files. Empty: it is fine.
std::string why_no_header(std::string_view name, std::string_view value);

}  // namespace rt
