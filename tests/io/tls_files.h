// Self-signed certificates of a test's own, made with OpenSSL's library.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "io/tls.h"

namespace rt::test {

class TlsFolder {
 public:
  TlsFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rt-tls-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TlsFolder() { std::filesystem::remove_all(path_); }
  TlsFolder(const TlsFolder&) = delete;
  TlsFolder& operator=(const TlsFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

  // name.pem and name.key; the key encrypted if there is a passphrase.
  io::TlsFiles make(const std::string& name, const char* passphrase = nullptr) const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> own(X509_new(), X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(own.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(own.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(own.get()), 3600);
    X509_set_pubkey(own.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(own.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(own.get(), subject);
    REQUIRE(X509_sign(own.get(), key.get(), EVP_sha256()) > 0);
    const io::TlsFiles files{file(name + ".pem"), file(name + ".key")};
    write(files.certificates, [&](std::FILE* to) { return PEM_write_X509(to, own.get()); });
    write(files.key, [&](std::FILE* to) {
      return PEM_write_PKCS8PrivateKey(
          to, key.get(), passphrase != nullptr ? EVP_aes_128_cbc() : nullptr, passphrase,
          passphrase != nullptr ? static_cast<int>(std::string(passphrase).size()) : 0, nullptr,
          nullptr);
    });
    return files;
  }

 private:
  template <typename Write>
  static void write(const std::string& path, Write write) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> to(std::fopen(path.c_str(), "w"),
                                                             std::fclose);
    REQUIRE(to != nullptr);
    REQUIRE(write(to.get()) == 1);
  }

  std::string path_;
};

}  // namespace rt::test
