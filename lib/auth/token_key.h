// The key that signed tokens are checked with. It alone decides the algorithm, so that a token can
// not choose to be checked with a public key as if that were a secret (RFC 8725 section 2.1).
// A value; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

struct TokenKey {
  enum class Algorithm : std::uint8_t {
    hs256,  // HMAC with a secret
    rs256,  // RSA, of at least 2048 bits
    es256,  // ECDSA on the curve P-256
  };
  Algorithm algorithm = Algorithm::hs256;
  std::string bytes;  // of the secret, or the PEM text of the public key

  std::string_view algorithm_name() const;  // "HS256"
  // RFC 7518 section 3.2: a secret shorter than the hash can be guessed from one token.
  bool is_weak() const { return algorithm == Algorithm::hs256 && bytes.size() < 32; }
};

// A PEM public key ("BEGIN PUBLIC KEY") means RS256 or ES256; any other text is a secret, without
// the line end that editors put at its end. Code::usage if it is neither: empty, a private key, a
// certificate, a key of another kind. Never repeats the text.
Result<TokenKey> parse_token_key(std::string_view text);
Result<TokenKey> read_token_key(const std::string& path);

}  // namespace rt
