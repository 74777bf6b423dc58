// `rtctl serve`: the key of signed tokens, for every surface that wants to know who asks.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "auth/token_check.h"
#include "base/result.h"

namespace rt::rtctl {

struct TokenFlags {
  std::string key_file;
};

void declare_tokens(CLI::App* verb, TokenFlags& flags);

// Nothing without a key. Code::usage if the file holds none.
Result<std::optional<TokenCheck>> token_check(const TokenFlags& flags);

}  // namespace rt::rtctl
