// Keys in files, and tokens as an identity provider would sign them, for servers that ask for them.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "auth/signed_token.h"
#include "base/clock.h"

namespace rt::test {

inline const std::string kTokenSecret = "a secret of more than thirty-two bytes";

// A key file that is gone when the test is.
struct KeyFile {
  explicit KeyFile(const std::string& key)
      : path(std::filesystem::temp_directory_path() /
             ("rt-key-" + std::to_string(::getpid()) + "-" +
              std::to_string(reinterpret_cast<std::uintptr_t>(this)))) {
    std::ofstream(path) << key;
  }
  ~KeyFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

inline std::string in_seconds(std::chrono::seconds ahead) {
  return std::to_string(unix_us(SystemClock().wall() + ahead) / 1'000'000);
}
inline std::string claims(const std::string& scope, int id,
                          std::chrono::seconds lifetime = std::chrono::seconds(60)) {
  return R"({"scope":")" + scope + R"(","scope_id":)" + std::to_string(id) +
         R"(,"sub":"ada","exp":)" + in_seconds(lifetime) + "}";
}
inline std::string bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}
inline std::string hs256(const std::string& text, const std::string& secret = kTokenSecret) {
  return signed_token(JWT_ALG_HS256, secret, text);
}

}  // namespace rt::test
