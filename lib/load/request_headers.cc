#include "load/request_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "base/text.h"

namespace rt {
namespace {

constexpr std::string_view kFile = "@file:";
// Servers take a head of 8 to 16 KiB; a token beyond half of that is a mistake.
constexpr std::size_t kValueBytesMax = 4096;
// A token each for a hundred thousand users is far beyond any test, and bounds time and memory.
constexpr std::uint64_t kFilesMax = 100'000;

// What the protocol and the scenario's other keys say.
constexpr std::array<std::string_view, 12> kOurs = {
    "host",       "accept",         "accept-encoding", "cache-control",     "last-event-id",
    "connection", "content-length", "upgrade",         "transfer-encoding", "te",
    "keep-alive", "expect"};
constexpr std::array<std::string_view, 3> kSecret = {"authorization", "cookie",
                                                     "proxy-authorization"};

std::string lower_of(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <typename List>
bool has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const auto is_one = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_one);
}

// RFC 9110 section 5.5, without the octets above 7F that no server need take.
bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

// The content of a file, on one line.
Result<std::string> read_value(const std::string& path, const std::string& where) {
  const auto wrong = [&](std::string_view why) {
    return fail(Code::usage, fmt::format("{}: cannot use {}: {}", where, path, why),
                "the file holds the header's value, on one line");
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(os_error(fmt::format("{}: cannot read {}", where, path), errno, Code::usage));
  }
  std::string text(kValueBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kValueBytesMax) return wrong("it has more than 4096 bytes");
  const std::string value(trim(text));
  if (value.empty()) return wrong("it is empty");
  if (!is_field_value(value)) return wrong("it has several lines, or characters beyond ASCII");
  return value;
}

}  // namespace

std::optional<ConnectionText> ConnectionText::parse(std::string_view text) {
  constexpr std::string_view kName = "{conn";
  ConnectionText out;
  const std::size_t open = text.find('{');
  if (open == std::string_view::npos) {
    if (text.find('}') != std::string_view::npos) return std::nullopt;
    out.before = text;
    return out;
  }
  const std::size_t close = text.find('}', open);
  if (close == std::string_view::npos || !text.substr(open).starts_with(kName)) return std::nullopt;
  std::string_view rest = text.substr(open + kName.size(), close - open - kName.size());
  if (rest.starts_with('%')) {
    const auto modulus = parse_decimal(rest.substr(1));
    if (!modulus || *modulus == 0) return std::nullopt;
    out.modulus = *modulus;
    rest = {};
  }
  if (!rest.empty()) return std::nullopt;
  out.varies = true;
  out.before = text.substr(0, open);
  out.after = text.substr(close + 1);
  if (out.after.find_first_of("{}") != std::string::npos) return std::nullopt;
  return out;
}

void ConnectionText::append(std::string& out, std::uint64_t connection) const {
  out += before;
  if (varies) append_decimal(out, modulus == 0 ? connection : connection % modulus);
  out += after;
}

std::uint64_t ConnectionText::variants(std::uint64_t connections) const {
  if (!varies) return 1;
  return modulus == 0 ? connections : std::min(modulus, connections);
}

std::string why_no_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) return fmt::format("\"{}\" is no name of a header", name);
  const std::string lower = lower_of(name);
  if (has(kOurs, lower)) return fmt::format("{} is this tool's to send", name);
  if (!is_field_value(value)) return "a value is one line of ASCII";
  if (value.size() > kValueBytesMax) return "a value has at most 4096 bytes";
  const std::size_t at = value.find(kFile);
  const std::string_view varying = at == std::string_view::npos ? value : value.substr(at);
  if (at != std::string_view::npos && varying.size() == kFile.size()) return "@file: names a file";
  if (at == std::string_view::npos && has(kSecret, lower)) {
    return "a secret stands in a file, like \"Bearer @file:token\"";
  }
  if (!ConnectionText::parse(varying)) return "expected {conn} or {conn%N} between braces, once";
  return {};
}

Result<RequestHeaders> RequestHeaders::load(const std::vector<HeaderSpec>& specs,
                                            std::uint64_t connections) {
  RequestHeaders out;
  std::uint64_t files = 0;
  for (const HeaderSpec& spec : specs) {
    Field& field = out.fields_.emplace_back();
    field.name = lower_of(spec.name);
    const std::size_t at = spec.value.find(kFile);
    field.from_file = at != std::string::npos;
    const std::string_view varying =
        field.from_file ? std::string_view(spec.value).substr(at + kFile.size()) : spec.value;
    field.text = ConnectionText::parse(varying).value_or(ConnectionText{});
    if (!field.from_file) continue;
    field.before = spec.value.substr(0, at);
    const std::uint64_t variants = field.text.variants(connections);
    files += variants;
    if (files > kFilesMax) {
      return fail(Code::usage,
                  fmt::format("{}: {} files are named, at most 100000 are read", spec.where, files),
                  "let connections share them: {conn%1000}");
    }
    for (std::uint64_t variant = 0; variant < variants; ++variant) {
      std::string path;
      field.text.append(path, variant);
      field.contents.push_back(RT_TRY(read_value(path, spec.where)));
    }
  }
  return out;
}

void RequestHeaders::append_value(std::string& out, std::size_t number,
                                  std::uint64_t connection) const {
  const Field& field = fields_[number];
  if (!field.from_file) return field.text.append(out, connection);
  out += field.before;
  out += field.contents[connection % field.contents.size()];
}

void RequestHeaders::append_lines(std::string& out, std::uint64_t connection) const {
  for (std::size_t field = 0; field < fields_.size(); ++field) {
    out.append(fields_[field].name).append(": ");
    append_value(out, field, connection);
    out += "\r\n";
  }
}

}  // namespace rt
