// rtctl ctx: profiles, kept in the user's settings file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>

#include "base/fd.h"
#include "cli/settings.h"
#include "cli/settings_keys.h"
#include "rtctl/context_edit.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Ctx {
  std::string name;
  std::vector<std::string> assignments;
};

Result<std::string> user_file() {
  const std::string path = cli::user_settings_path();
  if (path.empty()) return fail(Code::usage, "there is no home folder for settings: set HOME");
  std::error_code ignored;
  const auto target = std::filesystem::weakly_canonical(path, ignored);  // dotfiles may be links
  return target.empty() ? path : target.string();
}

Result<std::string> read_text(const std::string& path) {
  if (!std::filesystem::exists(path)) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(os_error("cannot read " + path, errno, Code::usage));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// A new file beside it, made durable, then renamed over it: readers see the old one or the new.
Result<void> write_text(const std::string& path, const std::string& text) {
  const std::string attempt = "cannot write " + path;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::string beside = path + ".XXXXXX";
  Fd file(::mkostemp(beside.data(), O_CLOEXEC));  // 0600
  if (!file) return fail(os_error(attempt, errno, Code::limit));
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  const bool whole = done == text.size() && ::fsync(file.get()) == 0;
  if (whole && std::rename(beside.c_str(), path.c_str()) == 0) return {};
  const int why = errno;
  ::unlink(beside.c_str());
  return fail(os_error(attempt, why, Code::limit));
}

Result<cli::SettingsFile> read_user_settings(const CLI::App& tool) {
  const std::string path = RT_TRY(user_file());
  if (!std::filesystem::exists(path)) return cli::SettingsFile{};
  const JsonNode document = RT_TRY(cli::read_settings_document(path));
  return cli::read_settings(document, tool);
}

using Edit = std::function<Result<std::string>(std::string_view text)>;

// What is written must be readable: keys are checked as in any settings file.
Result<int> change(const CLI::App& tool, const Edit& edit) {
  const std::string path = RT_TRY(user_file());
  const std::string before = RT_TRY(read_text(path));
  const std::string after = RT_TRY(edit(before));
  const JsonNode document = RT_TRY(parse_document(after, "context"));
  const cli::SettingsFile settings = RT_TRY(cli::read_settings(document, tool));
  RT_CHECKED(write_text(path, after));
  const std::string now = settings.context.empty() ? "none is selected" : settings.context;
  std::printf("context: %s\n", now.c_str());
  return 0;
}

Result<int> list(const CLI::App& tool) {
  const cli::SettingsFile settings = RT_TRY(read_user_settings(tool));
  if (settings.contexts.empty()) {
    std::fputs("rtctl: no contexts yet; for example: rtctl ctx set prod url=https://rt.example\n",
               stderr);
  }
  for (const auto& [name, layer] : settings.contexts) {
    const auto url = layer.find("url");
    const std::string shown =
        url == layer.end() ? "" : cli::without_secrets(url->second.values.front());
    std::printf("%s\n", fmt::format("{} {:<16}{}{}", name == settings.context ? '*' : ' ', name,
                                    shown.empty() ? "" : " ", shown)
                            .c_str());
  }
  return 0;
}

Result<int> show(const CLI::App& tool, const std::string& wanted) {
  const cli::SettingsFile settings = RT_TRY(read_user_settings(tool));
  const std::string name = wanted.empty() ? settings.context : wanted;
  const auto found = settings.contexts.find(name);
  if (found == settings.contexts.end()) {
    return fail(
        Code::usage,
        name.empty() ? "no context is selected" : fmt::format("there is no context \"{}\"", name),
        "\"rtctl ctx\" lists them");
  }
  for (const auto& [key, setting] : found->second) {
    for (const std::string& value : setting.values) {
      std::printf("%s=%s\n", key.c_str(), cli::without_secrets(value).c_str());
    }
  }
  return 0;
}

}  // namespace

void add_ctx(cli::Tool& tool) {
  auto flags = std::make_shared<Ctx>();
  CLI::App* ctx = tool.verb("ctx", "Keep profiles of servers and databases, and switch them",
                            [&tool] { return list(tool.app()); });
  ctx->require_subcommand(0, 1);
  tool.verb(ctx, "list", "List them; a star marks the selected one",
            [&tool] { return list(tool.app()); });
  CLI::App* one = tool.verb(ctx, "show", "Print one as key=value lines, without secrets",
                            [&tool, flags] { return show(tool.app(), flags->name); });
  one->add_option("name", flags->name, "Which; else the selected one");
  CLI::App* set = tool.verb(ctx, "set", "Make one, or change it", [&tool, flags] {
    return change(tool.app(), [&](std::string_view text) {
      return set_context(text, flags->name, flags->assignments);
    });
  });
  set->add_option("name", flags->name, "Its name")->required();
  set->add_option("settings", flags->assignments, "key=value ...; key= takes the key away")
      ->type_name("KEY=VALUE");
  CLI::App* use = tool.verb(ctx, "use", "Select one", [&tool, flags] {
    return change(tool.app(),
                  [&](std::string_view text) { return use_context(text, flags->name); });
  });
  use->add_option("name", flags->name, "Its name, or - for the one before")->required();
  CLI::App* remove = tool.verb(ctx, "remove", "Remove one", [&tool, flags] {
    return change(tool.app(),
                  [&](std::string_view text) { return remove_context(text, flags->name); });
  });
  remove->add_option("name", flags->name, "Its name")->required();
  cli::Tool::examples(set,
                      "  rtctl ctx set prod url=https://rt.example token_file=/run/rt-token\n"
                      "  rtctl ctx set prod pg=service=app rtctl.subscribe.format=ndjson");
  cli::Tool::examples(one, "  rtctl ctx show prod");
  cli::Tool::examples(use, "  rtctl ctx use prod\n  rtctl ctx use -");
  cli::Tool::examples(remove, "  rtctl ctx remove prod");
}

}  // namespace rt::rtctl
