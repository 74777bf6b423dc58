#include "load/topic_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <unordered_map>

#include "base/text.h"
#include "load/document.h"

namespace rt {
namespace {

// A million names of 128 bytes, which is more than any machine publishes to.
constexpr std::size_t kFileBytesMax = std::size_t{128} << 20;
// A name stands in a URL, and servers take request lines of 8 KiB.
constexpr std::size_t kNameBytesMax = 512;
// The sum of all weights stays a number of 64 bits.
constexpr std::uint64_t kWeightMax = 1'000'000'000;

struct Line {
  std::uint64_t weight = 1;
  std::string_view name;
};

// Empty: fine; else what is wrong.
std::string read_line(std::string_view text, Line& out) {
  out = {1, text};
  if (const std::size_t tab = text.find('\t'); tab != std::string_view::npos) {
    const auto weight = parse_decimal(text.substr(0, tab));
    if (!weight || *weight == 0 || *weight > kWeightMax) {
      return fmt::format("expected a whole number from 1 to {} before the tab, found \"{}\"",
                         kWeightMax, text.substr(0, tab));
    }
    out = {*weight, text.substr(tab + 1)};
  }
  if (out.name.empty()) return "expected the name of a topic after the tab";
  if (out.name.size() > kNameBytesMax) {
    return fmt::format("a name of {} bytes; at most {} are possible", out.name.size(),
                       kNameBytesMax);
  }
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
  };
  const bool is_text =
      is_valid_utf8(out.name) && std::none_of(out.name.begin(), out.name.end(), is_control);
  return is_text ? "" : "a name that is no text in UTF-8";
}

}  // namespace

Result<TopicFile> parse_topic_file(std::string_view text, const std::string& path) {
  TopicFile file;
  file.sha256 = sha256_hex(text);
  std::unordered_map<std::string_view, std::size_t> places;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    Line one;
    if (const std::string why = read_line(line, one); !why.empty()) {
      return fail(Code::usage, fmt::format("{}:{}: {}", path, number, why),
                  "each line is the name of a topic, or a weight, a tab and the name");
    }
    const auto [place, is_new] = places.try_emplace(one.name, file.names.size());
    if (is_new) {
      file.names.emplace_back(one.name);
      file.weights.push_back(0);
    }
    file.weights[place->second] += one.weight;
  }
  if (file.names.empty()) return fail(Code::usage, fmt::format("{}: names no topic", path));
  return file;
}

Result<TopicFile> read_topic_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fail(os_error(fmt::format("cannot read {}", path), errno, Code::usage));
  const std::streamoff size = file.tellg();
  if (size < 0 || static_cast<std::size_t>(size) > kFileBytesMax) {
    return fail(Code::usage,
                fmt::format("cannot use {}: it has more than 128 MiB, or no size", path));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(text.data(), size)) {
    return fail(Code::usage, fmt::format("cannot read {}: it is no file, or changes", path));
  }
  return parse_topic_file(text, path);
}

}  // namespace rt
