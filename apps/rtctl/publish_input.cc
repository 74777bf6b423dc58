#include "rtctl/publish_input.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace rt::rtctl {
namespace {

Result<Composer> argument(const PublishFlags& flags, const std::string& text) {
  if (flags.no_template) return composer_of(Template::verbatim(text));
  Template made = RT_TRY(Template::compile(text));
  if (made.uses_line()) {
    return fail(Code::usage, "{{line}} is for input lines",
                "give it with --template, and the lines on standard input");
  }
  return composer_of(std::move(made));
}

Result<PublishInput> open_lines(const PublishFlags& flags, const InputOptions& options) {
  cli::LineReader lines(STDIN_FILENO);
  lines.limit(options.stop_fd, options.deadline);
  if (!flags.line_template.empty()) {
    Template made = RT_TRY(Template::compile(flags.line_template));
    return PublishInput(std::move(lines), composer_of(std::move(made)));
  }
  // A line is data, whatever braces it has.
  return PublishInput(std::move(lines), composer_of(*Template::compile("{{line}}")));
}

// A pipe, a file, a socket; neither a terminal nor /dev/null.
bool is_input(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && !S_ISCHR(facts.st_mode);
}

}  // namespace

Result<PublishInput> open_input(const PublishFlags& flags, const InputOptions& options) {
  const bool dash = std::find(flags.data.begin(), flags.data.end(), "-") != flags.data.end();
  if (dash && flags.data.size() > 1) {
    return fail(Code::usage, "- among other data", "either - for input lines, or arguments");
  }
  if (!flags.line_template.empty() && flags.no_template) {
    return fail(Code::usage, "--template and --no-template exclude each other");
  }
  std::vector<Composer> composers;
  if (!flags.data.empty() && !dash) {
    if (!flags.line_template.empty()) {
      return fail(Code::usage, "--template is for input lines",
                  "arguments may have placeholders themselves: '{\"n\":{{n}}}'");
    }
    for (const std::string& text : flags.data) {
      composers.push_back(RT_TRY(argument(flags, text)));
    }
    return PublishInput(std::move(composers), options.repeat);
  }
  if (!dash && options.composer) return PublishInput({options.composer}, options.repeat);
  if (dash || is_input(STDIN_FILENO)) return open_lines(flags, options);
  if (options.without_data) {
    return PublishInput({composer_of(Template::verbatim(*options.without_data))}, options.repeat);
  }
  return fail(Code::usage, "there is no data to send",
              "give it as an argument, or pipe lines to standard input");
}

Composer composer_of(Template text) {
  return [text = std::move(text)](std::string& out, const TemplateValues& values,
                                  Random& random) -> Result<void> {
    text.expand(out, values, random);
    return {};
  };
}

Result<bool> PublishInput::fetch() {
  if (!lines_) return repeat_ ? !composers_.empty() : next_ < composers_.size();
  for (;;) {
    auto line = RT_TRY(lines_->next());
    if (!line) return false;
    if (line->find_first_not_of(" \t") == std::string::npos) continue;
    line_ = std::move(*line);
    return true;
  }
}

Result<std::string_view> PublishInput::compose(TemplateValues& values, Random& random) {
  values.line = line_;
  text_.clear();
  const Composer& composer = composers_[lines_ ? 0 : next_++ % composers_.size()];
  RT_CHECKED(composer(text_, values, random));
  return text_;
}

Result<void> PublishInput::try_out(
    const TemplateValues& values, Random random,
    const std::function<Result<void>(std::string_view text)>& check) const {
  if (lines_) return {};
  for (const Composer& composer : composers_) {
    std::string text;
    RT_CHECKED(composer(text, values, random));
    RT_CHECKED(check(text));
  }
  return {};
}

std::string PublishInput::place() const {
  return lines_ ? fmt::format("input line {}", lines_->number()) : std::string();
}

}  // namespace rt::rtctl
