// Who a signed token (JSON Web Token) speaks for. libjwt checks the signature; which algorithm that
// must be, the key decides (RFC 8725 section 3.1). Const and thread-safe; no waiting; time is an
// argument. Source: RFC 7519 section 4.1, RFC 7515 section 4.1.11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/token_key.h"
#include "base/clock.h"
#include "base/result.h"

namespace rt {

// What a token says. Claims that it does not have are empty.
struct Principal {
  std::string scope;                     // claim "scope": the tenant's type, "gym"
  std::optional<std::int64_t> scope_id;  // claim "scope_id": which one; not negative
  std::string user;                      // claim "sub"
  WallTime expires_at{};                 // claim "exp"
};

class TokenCheck {
 public:
  // Which claims there must be besides `exp`. A claim that is there must be right in any case.
  enum class Needs : std::uint8_t { scope, user };

  // A token with an RSA-4096 signature and a dozen claims has half of it.
  static constexpr std::size_t kTokenBytesMax = 4096;
  // Of a scope or a user: a name, not a document.
  static constexpr std::size_t kClaimBytesMax = 128;
  // Clocks that are set by NTP differ by less. For the beginning alone: an expired token is
  // expired.
  static constexpr Duration kClockSkew = std::chrono::seconds(5);

  explicit TokenCheck(TokenKey key) : key_(std::move(key)) {}

  // Code::refused with a text that never repeats the token: "the token has expired".
  Result<Principal> check(std::string_view token, WallTime now, Needs needs) const;

  const TokenKey& key() const { return key_; }

 private:
  TokenKey key_;
};

// A scope that may stand in a channel's name and in a Redis pattern: letters, digits, '_' and '-',
// at most kClaimBytesMax. No globs, no ':'.
bool is_scope(std::string_view text);

// The token of "Bearer <token>", the scheme in any case (RFC 6750 section 2.1). Nothing if it is
// another scheme or there is no token.
std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace rt
