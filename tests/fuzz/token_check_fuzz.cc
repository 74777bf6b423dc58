// Tokens of strangers: whatever they hold, nobody gets in who has not the key. The first byte
// chooses: the bytes are the token, or they are the claims of one that is signed well, of which a
// principal must be what the rules say.
#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/token_check.h"
#include "base/text.h"

namespace {

using namespace rt;

const std::string kSecret = "a secret of more than thirty-two bytes";
const WallTime kNow = from_unix_us(1'700'000'000'000'000);

std::string base64url(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string signed_claims(std::string_view claims) {
  std::string text = base64url(R"({"alg":"HS256"})") + "." + base64url(claims);
  unsigned char mac[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, kSecret.data(), kSecret.size(),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, sizeof mac,
            &size);
  return text + "." + base64url({reinterpret_cast<const char*>(mac), size});
}

void check_principal(const Principal& principal, TokenCheck::Needs needs) {
  if (principal.expires_at <= kNow) std::abort();
  if (!principal.scope.empty() && !is_scope(principal.scope)) std::abort();
  if (principal.scope_id.value_or(0) < 0) std::abort();
  const bool has_scope = !principal.scope.empty() && principal.scope_id.has_value();
  if (needs == TokenCheck::Needs::scope ? !has_scope : principal.user.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  static const TokenCheck check{TokenKey{TokenKey::Algorithm::hs256, kSecret}};
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto needs = (bytes[0] & 1) != 0 ? TokenCheck::Needs::scope : TokenCheck::Needs::user;
  if ((bytes[0] & 2) != 0) {
    const auto principal = check.check(signed_claims(text), kNow, needs);
    if (principal) check_principal(*principal, needs);
  } else if (check.check(text, kNow, needs)) {
    std::abort();  // it cannot know the secret
  }
  (void)parse_token_key(text);
  return 0;
}
