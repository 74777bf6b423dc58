#include "rtctl/serve_tokens.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace rt::rtctl {

void declare_tokens(CLI::App* verb, TokenFlags& flags) {
  verb->add_option("--jwt-key-file", flags.key_file,
                   "Ask for tokens signed with this: PEM public key, or a secret (HS256)")
      ->type_name("FILE")
      ->group("Access");
}

Result<std::optional<TokenCheck>> token_check(const TokenFlags& flags) {
  if (flags.key_file.empty()) return std::nullopt;
  TokenKey key = RT_TRY(read_token_key(flags.key_file));
  if (key.is_weak()) {
    log::warn("the token key can be guessed: give it 32 bytes or more",
              fmt::format("{} bytes={}", log::field("file", flags.key_file), key.bytes.size()));
  }
  return TokenCheck(std::move(key));
}

}  // namespace rt::rtctl
