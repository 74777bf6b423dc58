#include "rtctl/cursor_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/fd.h"

namespace rt::rtctl {

using nlohmann::json;

std::string cursor_json(const Cursor& cursor) {
  nlohmann::ordered_json out = {{"v", 1}, {"stream", cursor.stream}, {"id", cursor.id}};
  if (cursor.output_bytes) out["output_bytes"] = *cursor.output_bytes;
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Cursor> parse_cursor(std::string_view text, const std::string& path) {
  const json document = json::parse(text, nullptr, false);
  const bool readable = document.is_object() && document.value("v", json()) == 1 &&
                        document.value("stream", json()).is_string() &&
                        document.value("id", json()).is_string();
  if (!readable) {
    return fail(Code::usage, fmt::format("{} is not the state of a subscription", path),
                "name another file with --state, or remove this one to begin anew");
  }
  Cursor cursor{document["stream"], document["id"], std::nullopt};
  const json bytes = document.value("output_bytes", json());
  if (bytes.is_number_unsigned()) cursor.output_bytes = bytes.get<std::uint64_t>();
  return cursor;
}

Result<std::optional<Cursor>> read_cursor(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    return fail(os_error("cannot read state " + path, errno, Code::usage));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return RT_TRY(parse_cursor(text, path));
}

Result<void> write_cursor(const std::string& path, const Cursor& cursor) {
  const std::string temporary = path + ".new";
  const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail(os_error("cannot write state " + temporary, errno));
  const std::string text = cursor_json(cursor);
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return fail(os_error("cannot write state " + temporary, written < 0 ? errno : ENOSPC));
  }
  if (::fdatasync(file.get()) != 0) return fail(os_error("cannot sync state " + temporary, errno));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail(os_error("cannot replace state " + path, errno));
  }
  return {};
}

}  // namespace rt::rtctl
