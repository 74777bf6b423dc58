// Keys and signed tokens for tests: made by OpenSSL and libjwt, or by hand where they must be
// wrong.
#pragma once

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/text.h"

namespace rt::test {

struct KeyPair {
  std::string private_pem;
  std::string public_pem;
};

inline KeyPair pem_of(EVP_PKEY* made) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(made, &EVP_PKEY_free);
  const auto text = [&](auto&& write) {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    if (key == nullptr || write(bio.get()) != 1) throw std::runtime_error("cannot make a key");
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  };
  return {text([&](BIO* bio) {
            return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                                 nullptr);
          }),
          text([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key.get()); })};
}
inline KeyPair rsa_pair(std::size_t bits = 2048) {
  return pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
}
inline KeyPair ec_pair(const char* curve = "P-256") {
  return pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
}
inline KeyPair ed25519_pair() {
  return pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

// claims: a JSON object. headers: another one, to be added.
inline std::string signed_token(jwt_alg_t algorithm, std::string_view key,
                                const std::string& claims, const std::string& headers = {}) {
  jwt_t* raw = nullptr;
  jwt_new(&raw);
  const std::unique_ptr<jwt_t, void (*)(jwt_t*)> token(raw, &jwt_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  const bool is_set =
      jwt_add_grants_json(raw, claims.c_str()) == 0 &&
      (headers.empty() || jwt_add_headers_json(raw, headers.c_str()) == 0) &&
      jwt_set_alg(raw, algorithm, key.empty() ? nullptr : bytes, static_cast<int>(key.size())) == 0;
  const std::unique_ptr<char, void (*)(void*)> text(is_set ? jwt_encode_str(raw) : nullptr,
                                                    &std::free);
  if (text == nullptr) throw std::runtime_error("cannot sign " + claims);
  return text.get();
}

// RFC 4648 section 5, without padding.
inline std::string base64url(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

// Header and claims as they stand, JSON or not, with a true HMAC.
inline std::string hand_made_token(std::string_view header, std::string_view claims,
                                   std::string_view secret) {
  std::string text = base64url(header) + "." + base64url(claims);
  unsigned char mac[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret.data(), secret.size(),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, sizeof mac,
            &size);
  return text + "." + base64url({reinterpret_cast<const char*>(mac), size});
}

}  // namespace rt::test
