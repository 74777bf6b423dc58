#include "rtctl/serve_check.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "pg/connection.h"
#include "redis/address.h"
#include "rtctl/serve_flags.h"

namespace rt::rtctl {
namespace {

void print_line(std::string_view name, std::string_view state, std::string_view text) {
  std::fputs(fmt::format("{:<10} {}: {}\n", name, state, text).c_str(), stdout);
}

std::string folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Whether something new can be put there.
Result<void> check_place(const std::string& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return fail(os_error("cannot write to " + folder, errno, Code::usage));
}

// What was found so far, a line of standard output each.
class ConfigCheck {
 public:
  // "history    ok: /var/lib/rt", or what is wrong.
  void say(std::string_view name, const Result<std::string>& found) {
    if (found) return print_line(name, "ok", *found);
    ++faults_;
    const Error& error = found.error();
    print_line(name, "error",
               error.hint.empty() ? error.text : fmt::format("{} ({})", error.text, error.hint));
  }
  // Not served, and that is no fault.
  static void say_off(std::string_view name, std::string_view why) { print_line(name, "off", why); }
  Result<int> finish() const {
    if (faults_ == 0) return 0;
    return fail(Code::usage,
                fmt::format("the configuration has {} error{}", faults_, faults_ == 1 ? "" : "s"));
  }

 private:
  int faults_ = 0;
};

Result<std::string> check_database_text(const std::string& dsn) {
  RT_CHECKED(check_connection_string(dsn));
  return "the connection string can be read; the database was not asked";
}

Result<std::string> check_redis_text(const std::string& url) {
  const RedisAddress address = RT_TRY(parse_redis_url(url));
  return address.text() + "; it was not asked";
}

Result<std::string> check_history_folder(const std::string& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0) {
    if (errno != ENOENT) return fail(os_error("cannot use " + folder, errno, Code::usage));
    RT_CHECKED(check_place(folder_of(folder)));
    return folder + ", which will be made";
  }
  if (!S_ISDIR(facts.st_mode)) return fail(Code::usage, folder + " is no folder");
  RT_CHECKED(check_place(folder));
  return folder;
}

Result<std::string> check_log_file(const std::string& path) {
  if (path == "-") return "standard output";
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return fail(os_error("cannot use " + path, errno, Code::usage));
    RT_CHECKED(check_place(folder_of(path)));
    return path + ", which will be made";
  }
  if (S_ISDIR(facts.st_mode)) return fail(Code::usage, path + " is a folder");
  if (::access(path.c_str(), W_OK) == 0) return path;
  return fail(os_error("cannot write to " + path, errno, Code::usage));
}

template <typename T>
Result<std::string> named(const Result<T>& found, std::string text) {
  if (!found) return fail(found.error());
  return text;
}

void check_surfaces(ConfigCheck& check, const std::vector<std::string_view>& chosen,
                    const ServeFlags& flags, const ServeContext& context) {
  const auto is_chosen = [&chosen](std::string_view name) {
    return std::find(chosen.begin(), chosen.end(), name) != chosen.end();
  };
  if (chosen.empty() || is_chosen("runs")) {
    check.say("runs", named(parse_table_name(flags.rows.table),
                            context.dsn.empty() ? std::string("rows in memory")
                                                : "rows of table " + flags.rows.table));
  } else {
    ConfigCheck::say_off("runs", "not in --surfaces");
  }
  for (const SurfaceRow& row : surface_rows()) {
    if (!chosen.empty() && !is_chosen(row.name)) {
      ConfigCheck::say_off(row.name, "not in --surfaces");
      continue;
    }
    const auto inspect = row.inspect != nullptr ? row.inspect : row.set_up;
    const auto served = inspect(flags, context);
    if (!served) {
      check.say(row.name, fail(served.error()));
      continue;
    }
    const server::SurfaceHealth now =
        served->parts.health ? served->parts.health() : server::SurfaceHealth{};
    if (now.state != server::SurfaceHealth::State::unavailable) {
      check.say(row.name, std::string("can be served"));
    } else if (chosen.empty()) {
      ConfigCheck::say_off(row.name, now.reason);
    } else {
      check.say(row.name, fail(Code::usage, now.reason));
    }
  }
}

}  // namespace

Result<int> check_serve(const ServeFlags& flags, const Clock& clock) {
  ConfigCheck check;
  ServeContext context{.clock = clock};
  auto options = server_options(flags);
  check.say("settings", named(options, "can be read"));
  const auto listen = listen_address(flags);
  check.say("listen", named(listen, listen ? listen->text() : ""));
  read_places(context, flags);
  context.loopback = listen && listen->is_loopback();
  if (flags.tls.enabled()) {
    const auto tls = load_tls(flags.tls);
    check.say("tls", named(tls, tls ? (*tls)->subject() + ", until " + (*tls)->expires() : ""));
  }
  auto tokens = token_check(flags.tokens);
  if (!flags.tokens.key_file.empty()) check.say("tokens", named(tokens, "the key can be read"));
  if (tokens) context.tokens = std::move(*tokens);
  if (flags.page.shown && listen) {
    if (options) options->listen = *listen;
    if (options) check.say("page", named(check_page(flags.page, *options), "at /"));
  }
  if (!context.dsn.empty()) check.say("postgres", check_database_text(context.dsn));
  if (!context.redis_url.empty()) check.say("redis", check_redis_text(context.redis_url));
  if (!flags.history.empty()) check.say("history", check_history_folder(flags.history));
  const std::string& access_log = flags.http.access_log;
  if (!access_log.empty()) check.say("access-log", check_log_file(access_log));
  const auto chosen = chosen_surfaces(flags);
  if (!chosen) check.say("surfaces", fail(chosen.error()));
  if (chosen) check_surfaces(check, *chosen, flags, context);
  return check.finish();
}

}  // namespace rt::rtctl
