#include "auth/pseudonym.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace rt {
namespace {

Result<void> write_key(const std::string& path, const std::array<unsigned char, 32>& bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return fail(os_error("cannot create " + path, errno, Code::usage));
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::fsync(fd.get()) != 0) {
    return fail(os_error("cannot write " + path, errno));
  }
  return {};
}

}  // namespace

Result<PseudonymKey> PseudonymKey::of_file(const std::string& path, bool make) {
  std::array<unsigned char, kBytes> bytes{};
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno != ENOENT || !make) return fail(os_error("cannot open " + path, errno, Code::usage));
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      return fail(os_error("cannot draw a key", errno));
    }
    RT_CHECKED(write_key(path, bytes));
    return PseudonymKey(bytes);
  }
  char more = 0;
  if (::read(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::read(fd.get(), &more, 1) != 0) {
    return fail(Code::usage, fmt::format("{} is no key: it must have {} bytes", path, kBytes));
  }
  return PseudonymKey(bytes);
}

PseudonymKey::Digest PseudonymKey::digest(std::string_view value) const {
  Digest digest{};
  unsigned int size = 0;
  const unsigned char* made = HMAC(EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()),
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   value.size(), digest.data(), &size);
  RT_CHECK(made != nullptr && size == digest.size());
  return digest;
}

}  // namespace rt
