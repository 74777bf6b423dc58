#include "base/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace rt {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr const char* kKnown =
    "placeholders are n, uuid, now, now_ms, rand LOW HIGH, line, line_json";
constexpr const char* kVerbatim = "to send braces as they are: --no-template";

// As format_rfc3339_ms, without a string of its own.
void append_time(std::string& out, WallTime t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{floor<milliseconds>(t - day)};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                 time.seconds().count(), time.subseconds().count());
}

bool parse_whole(std::string_view text, std::int64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

}  // namespace

std::array<char, 36> random_uuid(Random& random) {
  std::uint64_t high = random.next();
  std::uint64_t low = random.next();
  high = (high & ~0xF000ull) | 0x4000;               // version 4
  low = (low & ~(0xC0ull << 56)) | (0x80ull << 56);  // variant 10
  std::array<char, 36> text{};
  for (std::size_t i = 0, digit = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      text[i] = '-';
      continue;
    }
    const std::uint64_t half = digit < 16 ? high : low;
    text[i] = "0123456789abcdef"[half >> (60 - 4 * (digit % 16)) & 15];
    ++digit;
  }
  return text;
}

Template Template::verbatim(std::string_view text) {
  Template made;
  made.parts_.push_back({Kind::text, std::string(text), 0, 0});
  return made;
}

Result<Template> Template::compile(std::string_view text) {
  Template made;
  while (!text.empty()) {
    const std::size_t open = text.find(kOpen);
    if (open != 0) {
      made.parts_.push_back({Kind::text, std::string(text.substr(0, open)), 0, 0});
      text.remove_prefix(std::min(open, text.size()));
      continue;
    }
    const std::size_t close = text.find(kClose);
    if (close == text.npos) {
      return fail(Code::usage, fmt::format("template: \"{}\" has no }}}}", text.substr(0, 40)),
                  kVerbatim);
    }
    made.parts_.push_back(RT_TRY(placeholder(text.substr(2, close - 2))));
    text.remove_prefix(close + 2);
  }
  return made;
}

Result<Template::Part> Template::placeholder(std::string_view inside) {
  using Named = std::pair<std::string_view, Kind>;
  static constexpr std::array<Named, 7> kKinds{{{"n", Kind::number},
                                                {"uuid", Kind::uuid},
                                                {"now", Kind::now},
                                                {"now_ms", Kind::now_ms},
                                                {"rand", Kind::rand},
                                                {"line", Kind::line},
                                                {"line_json", Kind::line_json}}};
  const std::vector<std::string_view> words = words_of(inside);
  std::vector<std::string_view> names;
  for (const auto& [name, kind] : kKinds) {
    names.push_back(name);
    if (words.empty() || words[0] != name) continue;
    if (kind == Kind::rand) return random_range(words);
    if (words.size() == 1) return Part{kind, {}, 0, 0};
    return fail(Code::usage, fmt::format("template: {{{{{}}}}} takes nothing after its name", name),
                kVerbatim);
  }
  const auto near = nearest(words.empty() ? std::string_view() : words[0], names);
  return fail(Code::usage,
              fmt::format("template: unknown placeholder {{{{{}}}}}", inside.substr(0, 40)),
              near ? fmt::format("did you mean {{{{{}}}}}? {}", *near, kVerbatim)
                   : fmt::format("{}; {}", kKnown, kVerbatim));
}

Result<Template::Part> Template::random_range(const std::vector<std::string_view>& words) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  if (words.size() != 3 || !parse_whole(words[1], low) || !parse_whole(words[2], high) ||
      low > high) {
    return fail(Code::usage, "template: {{rand}} needs two whole numbers, the lower one first",
                "for example {{rand 10 100}}");
  }
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return Part{Kind::rand, {}, low, span};
}

void Template::expand(std::string& out, const TemplateValues& values, Random& random) const {
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Kind::text:
        out.append(part.text);
        break;
      case Kind::number:
        append_decimal(out, values.number);
        break;
      case Kind::uuid:
        out.append(values.uuid.data(), values.uuid.size());
        break;
      case Kind::now:
        append_time(out, values.now);
        break;
      case Kind::now_ms:
        fmt::format_to(std::back_inserter(out), "{}", unix_us(values.now) / 1000);
        break;
      case Kind::rand: {
        // All 2^64 numbers have no bound to give.
        const std::uint64_t drawn =
            part.span == UINT64_MAX ? random.next() : random.below(part.span + 1);
        fmt::format_to(std::back_inserter(out), "{}",
                       static_cast<std::int64_t>(static_cast<std::uint64_t>(part.low) + drawn));
        break;
      }
      case Kind::line:
        out.append(values.line);
        break;
      case Kind::line_json:
        append_json_string(out, values.line);
        break;
    }
  }
}

bool Template::has_placeholders() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind != Kind::text; });
}

bool Template::uses_line() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return part.kind == Kind::line || part.kind == Kind::line_json;
  });
}

}  // namespace rt
