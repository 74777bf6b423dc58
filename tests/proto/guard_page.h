// Bytes that end where readable memory ends: one byte read beyond them kills the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string_view>

namespace rt::test {

class GuardPage {
 public:
  explicit GuardPage(std::size_t size_max) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    usable_ = (size_max + page) / page * page;
    void* memory =
        ::mmap(nullptr, usable_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    base_ = static_cast<char*>(memory);
    mapped_ = usable_ + page;
    REQUIRE(::mprotect(base_ + usable_, page, PROT_NONE) == 0);
  }
  ~GuardPage() { ::munmap(base_, mapped_); }
  GuardPage(const GuardPage&) = delete;
  GuardPage& operator=(const GuardPage&) = delete;

  // A copy that ends at the unreadable page; valid until the next call.
  std::string_view place(std::string_view bytes) {
    char* const at = base_ + usable_ - bytes.size();
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

 private:
  char* base_ = nullptr;
  std::size_t usable_ = 0;
  std::size_t mapped_ = 0;
};

}  // namespace rt::test
