#include "auth/token_key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <memory>

namespace rt {
namespace {

// A PEM text of RSA-16384 has 3 KiB; more is not a key but a mistaken file.
constexpr std::size_t kKeyBytesMax = 64 << 10;
// NIST SP 800-131A: smaller RSA keys are not allowed any more.
constexpr int kRsaBitsMin = 2048;

constexpr std::string_view kPem = "-----BEGIN ";
constexpr std::string_view kHint =
    "give a PEM public key (RSA or P-256), or a file that holds a secret alone";

tl::unexpected<Error> unusable(std::string_view why) {
  return fail(Code::usage, fmt::format("cannot use the token key: {}", why), std::string(kHint));
}

std::string_view without_line_ends(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool is_p256(const EVP_PKEY& key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(&key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == "prime256v1";
}

Result<TokenKey> parse_public_key(std::string_view text) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  if (bio == nullptr) return fail(Code::limit, "cannot read the token key: out of memory");
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  ERR_clear_error();  // of this thread: what is wrong is said below
  if (key == nullptr) return unusable("it is a PEM text, but not a public key");
  TokenKey found;
  found.bytes = text;
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key.get()) < kRsaBitsMin)
        return unusable("RSA with less than 2048 bits");
      found.algorithm = TokenKey::Algorithm::rs256;
      return found;
    case EVP_PKEY_EC:
      if (!is_p256(*key)) return unusable("its curve is not P-256");
      found.algorithm = TokenKey::Algorithm::es256;
      return found;
    default:
      return unusable("it is neither RSA nor P-256");
  }
}

}  // namespace

std::string_view TokenKey::algorithm_name() const {
  switch (algorithm) {
    case Algorithm::hs256:
      return "HS256";
    case Algorithm::rs256:
      return "RS256";
    case Algorithm::es256:
      return "ES256";
  }
  return {};
}

Result<TokenKey> parse_token_key(std::string_view text) {
  if (text.size() > kKeyBytesMax) return unusable("it is larger than 64 KiB");
  // Anywhere: a PEM text may begin with a comment, and must never be taken for a secret.
  if (text.find(kPem) != std::string_view::npos) return parse_public_key(text);
  const std::string_view secret = without_line_ends(text);
  if (secret.empty()) return unusable("it is empty");
  return TokenKey{TokenKey::Algorithm::hs256, std::string(secret)};
}

Result<TokenKey> read_token_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(os_error("cannot read token key " + path, errno, Code::usage));
  std::string text(kKeyBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(os_error("cannot read token key " + path, errno, Code::usage));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto key = parse_token_key(text);
  if (!key) return fail(std::move(key).error().context(path));
  return key;
}

}  // namespace rt
