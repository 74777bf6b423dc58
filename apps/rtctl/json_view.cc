#include "rtctl/json_view.h"

#include "proto/json_scan.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

using json_scan::is_space;
using json_scan::scalar_end;
using json_scan::skip_space;
using json_scan::string_end;
using json_scan::value_end;

constexpr std::string_view kKeyColour = "\x1b[34m";
constexpr std::string_view kStringColour = "\x1b[32m";
constexpr std::string_view kScalarColour = "\x1b[36m";
constexpr std::string_view kReset = "\x1b[0m";

// Writes one document; no recursion, so that deep nesting cannot exhaust the stack.
class Printer {
 public:
  Printer(std::string& out, std::string_view json, const JsonStyle& style)
      : out_(out), json_(json), style_(style) {}

  void print() {
    for (std::size_t at = skip_space(json_, 0); at < json_.size(); at = skip_space(json_, at)) {
      at = token(at);
    }
  }

 private:
  std::size_t token(std::size_t at) {
    const char c = json_[at];
    switch (c) {
      case '{':
      case '[':
        return open(at);
      case '}':
      case ']':
        close();
        out_.push_back(c);
        return at + 1;
      case ',':
        out_.push_back(',');
        if (flat_at_ == kNever) {
          new_line();
        } else {
          out_.push_back(' ');
        }
        return at + 1;
      case ':':
        out_.append(": ");
        return at + 1;
      case '"':
        return string(at);
      default:
        return scalar(at);
    }
  }
  std::size_t open(std::size_t at) {
    const std::size_t inside = skip_space(json_, at + 1);
    out_.push_back(json_[at]);
    if (json_[inside] == '}' || json_[inside] == ']') {
      out_.push_back(json_[inside]);
      return inside + 1;
    }
    ++depth_;
    if (flat_at_ != kNever) return at + 1;
    const std::size_t width = style_.indent + 2 * depth_ + (value_end(json_, at) - at);
    if (width <= style_.columns) {
      flat_at_ = depth_;
    } else {
      new_line();
    }
    return at + 1;
  }
  void close() {
    const bool flat = flat_at_ != kNever;
    if (flat_at_ == depth_) flat_at_ = kNever;
    --depth_;
    if (!flat) new_line();
  }
  std::size_t string(std::size_t at) {
    const std::size_t end = string_end(json_, at);
    const std::size_t after = skip_space(json_, end);
    const bool is_key = after < json_.size() && json_[after] == ':';
    coloured(is_key ? kKeyColour : kStringColour,
             [&] { append_folded(out_, json_.substr(at, end - at), style_.string_max); });
    return end;
  }
  std::size_t scalar(std::size_t at) {
    const std::size_t end = scalar_end(json_, at);
    coloured(kScalarColour, [&] { out_.append(json_.substr(at, end - at)); });
    return end;
  }
  template <typename Write>
  void coloured(std::string_view colour, Write write) {
    if (style_.colour) out_.append(colour);
    write();
    if (style_.colour) out_.append(kReset);
  }
  void new_line() {
    out_.push_back('\n');
    out_.append(style_.indent + 2 * depth_, ' ');
  }

  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  std::string& out_;
  std::string_view json_;
  const JsonStyle& style_;
  std::size_t depth_ = 0;
  std::size_t flat_at_ = kNever;  // depth of the container that is written on one line
};

}  // namespace

void append_json_line(std::string& out, std::string_view json) {
  const std::size_t start = out.size();
  out.append(json);
  for (std::size_t i = start; i < out.size(); ++i) {
    if (is_space(out[i])) out[i] = ' ';
  }
}

void append_json_pretty(std::string& out, std::string_view json, const JsonStyle& style) {
  Printer(out, json, style).print();
}

}  // namespace rt::rtctl
