// The settings that all tools share: their names, their environment variables, and what of their
// values may be shown. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rt::cli {

// A key at the top level of a settings file, spelt as the option is: "token-file". In files an
// underscore may stand for the hyphen.
struct SharedKey {
  std::string_view name;
  std::string_view variable;  // of the environment; empty: none
  std::string_view fallback;  // a second variable that counts as environment too
  std::string_view built_in;  // what holds if nobody says anything; empty: nothing
};

std::span<const SharedKey> shared_keys();
const SharedKey* find_shared_key(std::string_view name);

// "token_file" -> "token-file".
std::string option_name(std::string_view key);

// The value without what must not be seen: passwords in URLs and connection strings, and the
// values of headers that carry credentials.
std::string without_secrets(std::string_view value);

}  // namespace rt::cli
