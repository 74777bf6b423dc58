// What messages are made of: arguments, repeated when asked, or lines of standard input.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/template.h"
#include "cli/line_reader.h"
#include "rtctl/publish_flags.h"

namespace rt::rtctl {

// Appends the text of one message.
using Composer =
    std::function<Result<void>(std::string& out, const TemplateValues& values, Random& random)>;
Composer composer_of(Template text);

class PublishInput {
 public:
  // Each composer in turn: once, or again and again.
  PublishInput(std::vector<Composer> composers, bool repeat)
      : composers_(std::move(composers)), repeat_(repeat) {}
  // A message for each line that is not blank. The line is values.line.
  PublishInput(cli::LineReader lines, Composer composer)
      : composers_{std::move(composer)}, lines_(std::move(lines)) {}

  // false: no more messages. Waits for a line; Code::cancelled when that was called off.
  Result<bool> fetch();
  // The message that was fetched; valid until the next call.
  Result<std::string_view> compose(TemplateValues& values, Random& random);

  // Each argument as it would be sent first: what is wrong with it is better known before anything
  // is connected.
  Result<void> try_out(const TemplateValues& values, Random random,
                       const std::function<Result<void>(std::string_view text)>& check) const;

  bool reads_lines() const { return lines_.has_value(); }
  // "input line 4", or empty.
  std::string place() const;

 private:
  std::vector<Composer> composers_;
  bool repeat_ = false;
  std::optional<cli::LineReader> lines_;
  std::size_t next_ = 0;
  std::string line_;
  std::string text_;
};

struct InputOptions {
  Composer composer;                        // makes messages of flags instead; empty: none does
  std::optional<std::string> without_data;  // what one message is made of when there is no input
  bool repeat = false;
  int stop_fd = -1;                 // readable: stop waiting for a line
  std::optional<Instant> deadline;  // as well
};
// Arguments, else lines of standard input. Code::usage when there is neither, or a template is
// wrong.
Result<PublishInput> open_input(const PublishFlags& flags, const InputOptions& options);

}  // namespace rt::rtctl
