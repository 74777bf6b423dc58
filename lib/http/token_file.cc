#include "http/token_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace rt {

Result<std::string> read_token_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(os_error("cannot read token file " + path, errno, Code::usage));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string token(trim(text));
  if (token.empty()) return fail(Code::usage, fmt::format("token file {} is empty", path));
  return token;
}

}  // namespace rt
