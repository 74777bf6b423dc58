// Texts with placeholders: {"order":{{n}},"at":"{{now}}"}. Compiled once; expanding appends to a
// buffer and allocates nothing once that is large enough. Single braces are text: no JSON is ever
// taken for a placeholder, because {{ stands nowhere in it but inside strings.
//
//   {{n}}            number of the message, from 1     {{now}}      2026-03-29T00:30:00.123Z
//   {{uuid}}         random (version 4), one a message  {{now_ms}}   milliseconds since 1970
//   {{rand 10 100}}  a whole number, both ends in       {{line}}     the input line as it is
//   {{line_json}}    the input line as a JSON string
//
// A Template is immutable: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace rt {

// What the placeholders of one message stand for.
struct TemplateValues {
  std::uint64_t number = 0;
  WallTime now{};
  std::array<char, 36> uuid{};
  std::string_view line;
};

// A random UUID (RFC 9562, version 4) as text.
std::array<char, 36> random_uuid(Random& random);

class Template {
 public:
  Template() = default;
  // Code::usage on an unknown or unfinished placeholder.
  static Result<Template> compile(std::string_view text);
  // No placeholders: the text as it stands.
  static Template verbatim(std::string_view text);

  void expand(std::string& out, const TemplateValues& values, Random& random) const;

  bool has_placeholders() const;
  bool uses_line() const;

 private:
  enum class Kind : std::uint8_t { text, number, uuid, now, now_ms, rand, line, line_json };
  struct Part {
    Kind kind = Kind::text;
    std::string text;
    std::int64_t low = 0;  // of a rand
    std::uint64_t span = 0;
  };
  static Result<Part> placeholder(std::string_view inside);
  static Result<Part> random_range(const std::vector<std::string_view>& words);

  std::vector<Part> parts_;
};

}  // namespace rt
